import { basename, join } from 'node:path'
import { z } from 'zod'
import { failure, type ImageRecord } from '#contract'
import { exists, linkOrCopy, readJson } from '../host/files'
import { imageInfo } from './qemu-img'

/** `guest.json`: what the recipe of the built-in guest says of what it made. Files are beside it. */
const fileName = z.string().refine((name) => name === basename(name) && name !== '', 'is not a file name')
const GuestManifest = z.object({
  version: z.literal(1),
  recipeHash: z.string().regex(/^[0-9a-f]{8,}$/),
  kernel: fileName,
  efiKernel: fileName.optional(),
  initrd: fileName,
  base: fileName,
  baseFormat: z.enum(['qcow2', 'raw']),
  kernelRelease: z.string(),
  commandLine: z.string()
})
export type GuestManifest = z.output<typeof GuestManifest>

/** @returns null when the guest has not been made. @throws bad-file */
export async function readGuestManifest(folder: string): Promise<GuestManifest | null> {
  const path = join(folder, 'guest.json')
  return (await exists(path)) ? readJson(path, GuestManifest) : null
}

/** Another recipe is another image: what stands on the old one keeps it. */
export const guestId = (manifest: GuestManifest): string => `builtin-${manifest.recipeHash.slice(0, 8)}`

/**
 * Brings the files of the built-in guest into a folder: as other names for the same files where that is possible, which
 * takes no time and no space.
 * @param home where the folder will be
 */
export async function bringGuest(manifest: GuestManifest, from: string, folder: string, home: string): Promise<ImageRecord> {
  const files = [manifest.kernel, ...(manifest.efiKernel ? [manifest.efiKernel] : []), manifest.initrd, manifest.base]
  for (const file of new Set(files)) {
    if (!(await exists(join(from, file)))) {
      throw failure('bad-file', `The built-in guest is incomplete: “${join(from, file)}” is missing.`, { path: join(from, file), next: 'Make it anew: npm run setup' })
    }
    await linkOrCopy(join(from, file), join(folder, file))
  }
  const info = await imageInfo({ path: join(folder, manifest.base), format: manifest.baseFormat })
  return {
    schemaVersion: 1,
    id: guestId(manifest),
    name: 'builtin',
    kind: 'guest',
    path: join(home, manifest.base),
    referenced: false,
    format: manifest.baseFormat,
    ...info,
    boot: {
      kernel: join(home, manifest.kernel),
      ...(manifest.efiKernel ? { efiKernel: join(home, manifest.efiKernel) } : {}),
      initrd: join(home, manifest.initrd),
      commandLine: manifest.commandLine
    },
    addedAtMs: Date.now(),
    note: `A small Debian guest that comes with Strata, Linux ${manifest.kernelRelease}.`
  }
}
