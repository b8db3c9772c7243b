import { failure, type Disk, type Layer } from '#contract'
import type { Context } from '../context'
import { noteBacking } from '../disk/qemu-img'
import { underneath } from '../disk/nodes'
import { fingerprint, isAsRecorded } from '../disk/fingerprint'
import { requireSoundHeader } from '../disk/sound-header'
import { mergeDone, mergingLayers } from '../disk/stack'
import { removeBigFile } from '../host/big-files'
import { exists, fileFacts } from '../host/files'
import type { QmpSession } from '../qmp/session'
import { snapshotsByFile } from './file-users'
import type { ManagedMachine } from './machine'

/** A disk that something is done to: its record, its files, and the QEMU that has it open, if one does. */
export class DiskTarget {
  constructor(
    private readonly context: Context,
    readonly machine: ManagedMachine,
    private readonly id: string
  ) {}

  get disk(): Disk {
    return this.machine.definition.disks.find((disk) => disk.id === this.id)!
  }
  get label(): string {
    return `${this.id} of “${this.machine.name}”`
  }
  /** The monitor of the running machine; null when it is off. @throws wrong-state in between */
  get qmp(): QmpSession | null {
    return this.machine.running?.qmp ?? null
  }
  readonly pathOf = (file: string): string => this.machine.paths.disk(file)

  /** Writes the record. */
  async save(disk: Disk): Promise<void> {
    const { definition } = this.machine
    await this.context.machines.redefine(this.machine, { ...definition, disks: definition.disks.map((one) => (one.id === this.id ? disk : one)) })
  }

  /**
   * Removes the files that the record has no more use for. That they are gone is written down with the next change of the record: until then
   * they are looked for once more at an opening, and no file is ever named like them again. What the disks take is for the caller to measure.
   */
  async collectGarbage(): Promise<void> {
    const { disk } = this
    if (disk.garbage.length === 0) return
    for (const file of disk.garbage) await removeBigFile(this.pathOf(file))
    const { definition } = this.machine
    this.machine.redefine({ ...definition, disks: definition.disks.map((one) => (one.id === this.id ? { ...one, garbage: [] } : one)) })
  }

  /** Writes into a layer's header what it stands on by the record. For other programs: ours go by the record. */
  async noteBackingOf(index: number): Promise<void> {
    const layer = this.disk.layers[index]
    if (layer?.format === 'qcow2') await noteBacking(this.pathOf(layer.file), underneath(this.disk, index, this.pathOf))
  }

  /** The disk as it is to be recorded when the merge that is pending is done. */
  async merged(): Promise<Disk> {
    const { disk } = this
    const going = mergingLayers(disk)
    const into = disk.layers[disk.layers.indexOf(going[0]!) + going.length]!
    return mergeDone(disk, await this.bytesOf(into.file))
  }

  /** What a layer takes on the host. */
  async bytesOf(file: string): Promise<number> {
    return (await fileFacts(this.pathOf(file))).allocatedBytes
  }

  /** Other disks that have the file of a layer under a name of their own, as linked clones do: `disk0 of “lab2”`. */
  async sharersOf(layer: Layer): Promise<string[]> {
    const { sharedId } = await fileFacts(this.pathOf(layer.file))
    if (sharedId === null) return []
    const named = this.context.machines
      .all()
      .flatMap(({ definition, name, paths }) => definition.disks.flatMap((disk) => [...disk.layers, ...disk.undone].map(({ file }) => ({ disk: `${disk.id} of “${name}”`, path: paths.disk(file) }))))
    const sharing = await Promise.all(
      named.map(async ({ disk, path }) => {
        const facts = await fileFacts(path).catch(() => null) // missing: said where its disk is looked at
        return facts?.sharedId === sharedId && disk !== this.label ? [disk] : []
      })
    )
    return [...new Set(sharing.flat())]
  }

  /** Snapshots that have the file of a layer, in words: `the snapshot “before”`. */
  async snapshotsOf(layer: Layer): Promise<string> {
    const { sharedId } = await fileFacts(this.pathOf(layer.file))
    const holders = (await snapshotsByFile(this.context)).get(sharedId ?? '') ?? []
    if (holders.length === 0) return 'a snapshot'
    return `the snapshot${holders.length === 1 ? '' : 's'} ${holders.map(({ name }) => `“${name}”`).join(', ')}`
  }

  /** No storage daemon opens its files until the answer is called. @throws in-use when one has them open */
  occupy(): Promise<() => void> {
    return this.context.shares.occupy(this.machine, this.id)
  }

  /** Whether readers of a shared disk have a layer as a published version. */
  isPublished({ commit }: Layer): boolean {
    return commit !== null && this.context.shares.versionsOf(this.machine, this.id).has(commit.sequence)
  }

  /** What readers have as a published version is not changed, merged or taken off. @throws in-use */
  requireUnpublished(layers: readonly Layer[]): void {
    const published = layers.find((layer) => this.isPublished(layer))
    if (!published) return
    throw failure('in-use', `Commit ${published.commit!.sequence} of ${this.label} is published: machines that the disk is shared with read it.`, {
      what: published.nodeName,
      next: `Publish another version, or give readers the disk itself: strata share publish ${this.machine.name}:${this.id} --live`
    })
  }

  /**
   * Of a machine that is off: that everything the disk stands on is there, is sound, and is as it was. What is done to it otherwise would seal
   * the damage, or fail with words that name no file. What a QEMU has open was looked at when it started.
   * @throws not-found, bad-file
   */
  async requireSound(): Promise<void> {
    if (this.qmp) return
    await verifyDisk(this.machine, this.disk)
    if (this.disk.image) await this.context.images.verifyById(this.disk.image.imageId)
  }

  requireOff(what: string): void {
    if (this.machine.running === null) return
    throw failure('wrong-state', `“${this.machine.name}” is running, and ${what} needs it off.`, {
      name: this.machine.name,
      state: this.machine.state.kind,
      next: 'Stop it, and do it again.'
    })
  }
}

/** @throws not-found */
export function diskTarget(input: { machine: string; disk: string }, context: Context): DiskTarget {
  const machine = context.machines.get(input.machine)
  if (!machine.definition.disks.some((disk) => disk.id === input.disk)) {
    const known = machine.definition.disks.map((disk) => disk.id).join(', ')
    throw failure('not-found', `“${machine.name}” has no disk ${input.disk}.`, { what: 'disk', name: input.disk, next: known === '' ? 'It has no disks.' : `It has ${known}.` })
  }
  return new DiskTarget(context, machine, input.disk)
}

/** Does something to a disk while nobody else may. @param doing `is being committed` */
export async function reserved<T>(target: DiskTarget, doing: string, act: () => Promise<T>): Promise<T> {
  await target.machine.inOrder
  const release = target.machine.reserve(`${target.disk.id} ${doing}`)
  try {
    const giveBack = await target.occupy()
    try {
      return await act()
    } finally {
      giveBack()
    }
  } finally {
    release()
  }
}

/** Notes how the files of layers are that others stand on, so that a change by somebody else is noticed. For a machine that is off. */
export async function freezeLayers(machine: ManagedMachine, save: (disks: Disk[]) => Promise<void>): Promise<void> {
  const { disks } = machine.definition
  if (disks.every((disk) => disk.layers.every((layer, index) => index === 0 || layer.frozen !== null))) return
  await save(
    await Promise.all(
      disks.map(async (disk) => ({
        ...disk,
        layers: await Promise.all(
          disk.layers.map(async (layer, index) => (index === 0 || layer.frozen ? layer : { ...layer, frozen: await fingerprint(machine.paths.disk(layer.file)) }))
        )
      }))
    )
  )
}

/** Throws unless every layer is there and sound, and those that others stand on are as they were. @throws not-found, bad-file */
export async function verifyLayers(machine: ManagedMachine): Promise<void> {
  for (const disk of machine.definition.disks) await verifyDisk(machine, disk)
}

async function verifyDisk(machine: ManagedMachine, disk: Disk): Promise<void> {
  for (const layer of disk.layers) {
    const path = machine.paths.disk(layer.file)
    await requireFile(machine, path)
    if (layer.format === 'qcow2') await requireSoundHeader(path)
    if (!layer.frozen) continue
    if (await isAsRecorded(path, layer.frozen)) continue
    throw failure('bad-file', `“${path}” was changed by somebody else, and layers stand on it.`, {
      path,
      next: 'Put the file back as it was: what the guest sees may be damaged otherwise. If only its time is another, as of a copy, say that it may be taken unchecked (disk find).'
    })
  }
}

/** A file that a machine stands on, so that a missing one is told by its name and not by QEMU's. @throws not-found */
export async function requireFile({ name }: ManagedMachine, path: string): Promise<void> {
  if (await exists(path)) return
  throw failure('not-found', `“${name}” needs “${path}”, which does not exist.`, { what: 'file', name: path, next: 'Put the file back where it was, or say where it is now (disk find).' })
}
