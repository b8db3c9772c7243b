import { z } from 'zod'

export const ImageFormat = z.enum(['raw', 'qcow2', 'vmdk', 'vdi', 'vhdx', 'vpc'])
export type ImageFormat = z.output<typeof ImageFormat>

/** Direct kernel boot. Absolute paths. `efiKernel`: the one that UEFI can start, where it is another file. */
export const KernelBoot = z.object({ kernel: z.string(), efiKernel: z.string().optional(), initrd: z.string().optional(), commandLine: z.string() })

/** A source that machines are made from, as it is recorded. Strata never writes to an image once it is in the library. */
export const ImageRecord = z.object({
  schemaVersion: z.literal(1),
  id: z.string(),
  name: z.string(),
  /** `guest`: direct kernel boot with a root disk (the built-in guest). `cloud`: a disk that reads a cloud-init seed. */
  kind: z.enum(['guest', 'iso', 'disk', 'cloud']),
  /** Absolute path of the image file. */
  path: z.string(),
  /** True when `path` is where the user keeps it, false when it is the library's own copy. */
  referenced: z.boolean(),
  format: ImageFormat,
  /** What the guest sees, and what the file takes on disk. */
  virtualSizeBytes: z.number(),
  fileSizeBytes: z.number(),
  /** Of a referenced file: size and time when it was imported, to notice when somebody changes it. */
  recorded: z.object({ sizeBytes: z.number(), modifiedAtMs: z.number() }).optional(),
  /** How the file was when it came in, to know it again if it is moved. Not of images of earlier versions. */
  identity: z.object({ sizeBytes: z.number(), modifiedAtMs: z.number(), headSha256: z.string() }).optional(),
  /** Direct kernel boot, absolute paths. Only of kind `guest`. */
  boot: KernelBoot.optional(),
  addedAtMs: z.number(),
  note: z.string().default('')
})
export type ImageRecord = z.output<typeof ImageRecord>

/** An image as it is listed. Of kind `unknown`, when its record cannot be read, only id, name, path and what it takes on disk are known. */
export const Image = ImageRecord.extend({
  kind: z.enum([...ImageRecord.shape.kind.options, 'unknown']),
  format: ImageFormat.nullable(),
  /** Why no machine can be made from it, in one sentence: its record is damaged, its file is missing or was changed. */
  problem: z.string().optional(),
  /** The problem is that the file is not where it was: `image.find` is told where it is. */
  missing: z.literal(true).optional()
})
export type Image = z.output<typeof Image>
