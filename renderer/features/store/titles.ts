import type { ArchiveStats, Snapshot } from '#contract'

type Snapshots = Readonly<Record<string, Snapshot>>

/** The snapshot whose memory an archive of this name holds; undefined when it is of something else, or that is gone. */
export const snapshotOf = (archive: string, snapshots: Snapshots): Snapshot | undefined =>
  archive.startsWith('snapshot ') ? snapshots[archive.slice('snapshot '.length)] : undefined

/** What an archive is called: by its own name, or by the snapshot whose memory it holds. */
export const titleOf = (archive: Pick<ArchiveStats, 'name' | 'kind'>, snapshots: Snapshots): string =>
  (archive.kind === 'snapshot' && snapshotOf(archive.name, snapshots)?.name) || archive.name

/** What stands beside the title. */
export function noteOf(archive: Pick<ArchiveStats, 'name' | 'kind' | 'note'>, snapshots: Snapshots): string {
  const snapshot = archive.kind === 'snapshot' ? snapshotOf(archive.name, snapshots) : undefined
  return snapshot ? `of ${snapshot.machine}` : archive.note
}

/** The same in a sentence. */
export function inWords(name: string, snapshots: Snapshots): string {
  const snapshot = snapshotOf(name, snapshots)
  return snapshot ? `the memory of “${snapshot.name}” of ${snapshot.machine}` : `“${name}”`
}

/** The first name that no archive has: an image can be archived more than once. */
export function freeTitle(image: string, taken: readonly string[]): string {
  for (let n = 1; ; n++) {
    const name = n === 1 ? image : `${image} ${n}`
    if (!taken.includes(name)) return name
  }
}
