import { z } from 'zod'
import { ImageFormat } from './image'

/**
 * A disk is a stack of layers, each an image file of the machine's own. The guest writes to the top one, the active layer; what a
 * layer does not hold is read from the one below, at last from the image in the library, if the disk stands on one.
 *
 * A commit seals the active layer: it gets a sequence number, and an empty layer is put on top of it. As nothing is overwritten, a commit
 * is undone by taking sealed layers off, and redone by putting them back. Merging a layer into the one below is what makes it final.
 */
export const Layer = z.object({
  /** Block node name, QEMU's word; unique in the machine and never given twice: `disk0-3`. */
  nodeName: z.string().regex(/^[a-z][a-z0-9-]{0,24}$/),
  /** File name inside the machine's `disks` folder. */
  file: z.string(),
  format: ImageFormat,
  createdAtMs: z.number(),
  /** What the user calls it. */
  note: z.string(),
  /** Of a sealed layer: the commit that it is. No guest writes to it any more. */
  commit: z.object({ sequence: z.number().int().positive(), atMs: z.number(), note: z.string() }).nullable(),
  /** Made for one run: at its end the user says whether it stays. */
  temporary: z.boolean(),
  /** Of a layer that others stand on: how its file was when that began, so that a change by somebody else is noticed. */
  frozen: z.object({ sizeBytes: z.number(), modifiedAtMs: z.number(), headSha256: z.string() }).nullable()
})
export type Layer = z.output<typeof Layer>

/** Whether the state before a commit can be had. `undone`: it was taken back, and can be redone. `merged`, `forgotten`: no longer. */
export const CommitState = z.enum(['applied', 'undone', 'merged', 'forgotten'])
export type CommitState = z.output<typeof CommitState>

/** One line of a disk's history. */
export const CommitRecord = z.object({
  sequence: z.number().int().positive(),
  atMs: z.number(),
  note: z.string(),
  /** What it changed: bytes that its layer took on disk. */
  bytes: z.number(),
  state: CommitState
})
export type CommitRecord = z.output<typeof CommitRecord>

export const Disk = z.object({
  /** What the disk is called in the machine: `disk0`. Its device is `disk0-device`. */
  id: z.string().regex(/^[a-z][a-z0-9]{0,15}$/),
  sizeBytes: z.number().int().positive(),
  /** The active layer first. */
  layers: z.array(Layer).min(1),
  /** The library's image below the last layer: absolute path and recorded format (a format is never probed). */
  image: z.object({ path: z.string(), format: ImageFormat, imageId: z.string() }).nullable(),
  /** Sealed layers that were taken off by undo; the one that redo puts back first comes first. */
  undone: z.array(Layer),
  /** Newest last. */
  history: z.array(CommitRecord),
  nextSequence: z.number().int().positive(),
  /** Number of the next layer's file and node. */
  nextLayer: z.number().int().positive(),
  /**
   * A step that was begun and is finished after a crash. `merge`: the layer, and all between, is being written into the one called `into`
   * (the one below it, if that is not said), and is true until the merge is done. `pivot`: the guest is being moved down from the top layer.
   */
  pending: z
    .discriminatedUnion('kind', [
      z.object({ kind: z.literal('merge'), nodeName: z.string(), into: z.string().optional() }),
      z.object({ kind: z.literal('pivot'), nodeName: z.string() }),
      z.object({ kind: z.literal('flatten') })
    ])
    .nullable(),
  /** Files in the `disks` folder that nothing needs any more. */
  garbage: z.array(z.string())
})
export type Disk = z.output<typeof Disk>

/** How an image file is. `changed`: somebody wrote to it while other layers stand on it. `foundAt`: where the very file still is, of one that is missing. */
export const FileHealth = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ok') }),
  z.object({ kind: z.enum(['missing', 'changed', 'damaged', 'unreadable']), message: z.string(), foundAt: z.string().optional() })
])
export type FileHealth = z.output<typeof FileHealth>

/** What an image file is: a layer of a disk, or an image of the library. */
const FileRole = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('layer'),
    machineId: z.string(),
    machine: z.string(),
    disk: z.string(),
    /** Where it stands: the guest writes to it, it lies below, or it was taken off by undo. */
    place: z.enum(['active', 'below', 'undone']),
    layer: Layer
  }),
  z.object({ kind: z.literal('image'), imageId: z.string(), name: z.string() })
])

/** One image file as drawn: a layer of a disk, or an image of the library that layers stand on. */
export const ImageFile = z.object({
  /** Absolute path; what identifies it. */
  path: z.string(),
  format: ImageFormat,
  /** What it stands on: the path of another file of the list. */
  backing: z.string().nullable(),
  virtualSizeBytes: z.number(),
  /** What it takes on the host. */
  fileSizeBytes: z.number(),
  health: FileHealth,
  of: FileRole,
  /** The same file under other names: disks of linked clones have the layers that they share each in a folder of their own. */
  otherNames: z.array(z.object({ path: z.string(), backing: z.string().nullable(), of: FileRole })),
  /** Names of the machines whose disks need it, those in the trash too. */
  users: z.array(z.string()),
  /** Snapshots that have it, or stand on it: as long as they are there, it stays as it is. `machine`: what the machine was called then. */
  snapshots: z.array(z.object({ id: z.string(), name: z.string(), machine: z.string() })),
  /** Of a layer: names of the machines that its disk is shared with. */
  sharedWith: z.array(z.string())
})
export type ImageFile = z.output<typeof ImageFile>

/** A disk with everything that can be said of it. */
export const DiskView = z.object({
  machineId: z.string(),
  machine: z.string(),
  disk: Disk,
  /** From the active layer down to the image at the bottom. */
  files: z.array(ImageFile),
  undone: z.array(ImageFile),
  /** What sealed layers take, those that were undone too, and how much they may before the oldest is merged. */
  historyBytes: z.number(),
  historyBudgetBytes: z.number(),
  /** Whether the machine's QEMU has the disk open now. */
  inUse: z.boolean()
})
export type DiskView = z.output<typeof DiskView>

/** Where a layer holds data, as ranges of the guest's disk. Bytes. */
export const DiskMap = z.object({
  sizeBytes: z.number(),
  /** Layers from the top down, then the image. */
  layers: z.array(z.object({ path: z.string(), label: z.string(), ranges: z.array(z.object({ startBytes: z.number(), lengthBytes: z.number(), zero: z.boolean() })) })),
  /** Ranges were joined to keep the answer short. */
  coarse: z.boolean()
})
export type DiskMap = z.output<typeof DiskMap>
