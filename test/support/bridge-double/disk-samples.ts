import type { Disk, Image, Machine } from '#contract'
import { newDisk, sealed, undoneTo, withOverlay } from '#core/disk/stack'
import { builtinImage, newDefinition, newImage, newMachine } from './samples'

const MIB = 2 ** 20
const HOUR = 3_600_000

/** A disk with commits of these notes and sizes, the oldest first, and a fresh overlay on top. */
export function diskWithHistory(disk: Disk, commits: readonly [note: string, bytes: number][], nowMs = Date.now()): Disk {
  return commits.reduce<Disk>((before, [note, bytes], index) => {
    const atMs = nowMs - (commits.length - index) * 5 * HOUR
    return withOverlay(sealed(before, note, bytes, atMs), {}, atMs)
  }, disk)
}

const onBuiltin = (id = 'disk0'): Disk => {
  const image = builtinImage()
  return newDisk(
    id,
    image.virtualSizeBytes,
    { path: image.path, format: image.format ?? 'qcow2', imageId: image.id },
    Date.now() - 26 * HOUR
  )
}

/** A history of everything that there is: final, given up, applied and undone. */
export function eventfulDisk(): Disk {
  const made = diskWithHistory(onBuiltin(), [
    ['web server set up', 41 * MIB],
    ['course material copied', 310 * MIB],
    ['students’ accounts', 2.4 * MIB],
    ['trying the new kernel', 96 * MIB]
  ])
  const undone = withOverlay(undoneTo(made, 4), {}, Date.now() - 12 * 60_000)
  const older = { note: 'first boot', atMs: Date.now() - 50 * HOUR, bytes: 18 * MIB, state: 'merged' as const }
  // Numbered after the fact: what was merged came first.
  const later = (sequence: number): number => sequence + 1
  const relabel = (layer: Disk['layers'][number]) =>
    layer.commit ? { ...layer, commit: { ...layer.commit, sequence: later(layer.commit.sequence) } } : layer
  return {
    ...undone,
    layers: undone.layers.map(relabel),
    undone: undone.undone.map(relabel),
    history: [{ ...older, sequence: 1 }, ...undone.history.map((entry) => ({ ...entry, sequence: later(entry.sequence) }))],
    nextSequence: later(undone.nextSequence)
  }
}

/** Machines whose disks have something to show. */
export function diskMachines(): Machine[] {
  const ago = (minutes: number): number => Date.now() - minutes * 60_000
  const exit = { atMs: ago(190), reason: 'The guest powered off.', exitCode: 0, signal: null, log: [] }
  const temporary = withOverlay(diskWithHistory(onBuiltin(), [['base of the exercise', 22 * MIB]]), { temporary: true }, ago(200))
  return [
    newMachine(
      'lab1',
      { kind: 'running', pid: 4711, sinceMs: ago(42) },
      { disks: [eventfulDisk(), newDisk('disk1', 20 * 2 ** 30, null, ago(2000))] }
    ),
    newMachine(
      'lab2',
      { kind: 'stopped', exit },
      {
        disks: [
          diskWithHistory(onBuiltin(), [
            ['exercise 1', 12 * MIB],
            ['exercise 2', 48 * MIB]
          ])
        ]
      }
    ),
    newMachine('trial', { kind: 'stopped', exit }, { disks: [temporary] }),
    newMachine('fresh', { kind: 'created' }),
    newMachine('diskless', { kind: 'created' }, { disks: [] })
  ]
}

/** 200 image files and more: 40 images, and 80 machines on them with two layers each. */
export function libraryOf200(): { machines: Machine[]; images: Image[] } {
  const images = Array.from({ length: 40 }, (_none, index) =>
    newImage(`image-${index}`, `image ${index + 1}`, 'disk', { fileSizeBytes: (1 + (index % 7)) * 300 * MIB })
  )
  const machines = Array.from({ length: 80 }, (_none, index) => {
    const image = images[index % 23]!
    const name = `student-${index + 1}`
    const { disks } = newDefinition(name, name, image)
    return newMachine(
      name,
      { kind: 'created' },
      { disks: disks.map((disk) => diskWithHistory(disk, [[`exercise ${index}`, (1 + (index % 9)) * 9 * MIB]])) }
    )
  })
  return { machines, images }
}
