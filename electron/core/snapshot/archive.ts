import { join } from 'node:path'
import { failure, Failure, type ParsedInputOf, type Snapshot, type SnapshotRecord } from '#contract'
import type { Context } from '../context'
import { exists, fileFacts, removeFile, removeTree, takePlace } from '../host/files'
import { verifyStore } from '../store/verify'
import type { Work } from '../task/work'
import { requireSound, storedProblem } from './verify'

/**
 * Memory of snapshots in the store. The flat file stays as long as all of them together fit the cache's budget: from it a machine goes on at once.
 * What was taken out of the cache is loaded from the store first.
 */
export const ARCHIVE_KIND = 'snapshot'
const FILE = 'ram'
const archiveName = ({ id }: SnapshotRecord): string => `snapshot ${id}`

/** After a snapshot was taken its memory is archived when nothing else has been going on for so long. */
const QUIET_MS = 60_000

/** `snapshot.archive` */
export async function archiveSnapshot(input: ParsedInputOf<'snapshot.archive'>, context: Context, work: Work): Promise<Snapshot> {
  const { id } = context.snapshots.get(input.snapshot)
  const release = context.snapshots.hold(id)
  try {
    await archive(context.snapshots.get(id), context, work)
  } finally {
    release()
  }
  if (input.evict) await evict(context.snapshots.get(id), context)
  else await trimCache(context)
  return context.snapshots.view(context.snapshots.get(id))
}

async function archive(record: SnapshotRecord, context: Context, work: Work): Promise<void> {
  const { snapshots, store } = context
  if (!record.memory) throw failure('unsupported', `“${record.name}” has no memory to archive: the machine was off.`, {})
  if (record.archive) {
    if ((await storedProblem(record, context, work.signal)) === null) return
    if (!(await exists(snapshots.paths(record.id).ram))) throw damagedInStore(record, store.root)
    work.log('What the store holds of it is damaged: it is saved anew.')
    work.phase('looking for all that is damaged')
    await verifyStore(store, work) // what it names is not relied on by what is saved afterwards
  }
  await requireSound(record, context, work.signal)
  work.phase('saving memory into the store')
  const name = archiveName(record)
  const head = await store.put(name, [{ name: FILE, path: snapshots.paths(record.id).ram, sealed: true }], {
    signal: work.signal,
    progress: work.progress,
    kind: ARCHIVE_KIND,
    note: `${record.machine}: ${record.name}`,
    details: { snapshot: record.id },
    replace: true
  })
  if (!snapshots.has(record.id)) return store.remove(name) // it was removed meanwhile
  work.log(`${Math.round(head.addedBytes / 1024)} KiB were added to the store`)
  await snapshots.change({ ...snapshots.get(record.id), archive: { name, atMs: head.savedAtMs } })
}

const damagedInStore = ({ name }: SnapshotRecord, path: string, cause?: Failure): Failure =>
  failure('bad-file', `The memory of “${name}” is only in the store, and damaged there.`, { path, next: 'Use another snapshot.', ...(cause ? { cause } : {}) })

/** Does something with a snapshot whose memory file has to be there for that time. */
export async function withMemory<T>(reference: string, context: Context, work: Work, act: () => Promise<T>): Promise<T> {
  const record = context.snapshots.get(reference)
  const release = context.snapshots.need(record.id)
  try {
    await bringBack(record, context, work)
    return await act()
  } finally {
    release()
  }
}

/** Loads the memory file from the store, if it is only there. @throws bad-file when it is damaged there, no-space */
export async function bringBack(record: SnapshotRecord, context: Context, work: Work): Promise<void> {
  const { snapshots, store, library } = context
  const { ram } = snapshots.paths(record.id)
  if (!record.memory || !record.archive || (await exists(ram))) return
  work.phase('loading memory from the store')
  const folder = await library.unfinished()
  try {
    await store.get(record.archive.name, folder, { signal: work.signal }).catch((error: unknown) => {
      throw error instanceof Failure && error.error.code === 'bad-file' ? damagedInStore(record, store.root, error) : error
    })
    const loaded = join(folder, FILE)
    const { sizeBytes, modifiedAtMs } = await fileFacts(loaded)
    if (sizeBytes !== record.memory.ram.sizeBytes) throw failure('bad-file', `The archive of “${record.name}” holds another memory than the one that was taken.`, { path: store.root, next: 'Use another snapshot.' })
    // The record first: cut off here, the file is simply loaded again.
    await snapshots.change({ ...snapshots.get(record.id), memory: { ...record.memory, ram: { sizeBytes, modifiedAtMs } } })
    await takePlace(loaded, ram)
    await snapshots.tell(snapshots.get(record.id))
  } finally {
    await removeTree(folder)
  }
}

/** Takes memory files that are in the store as well out of the cache, those that were not used for the longest time first. */
export async function trimCache(context: Context): Promise<void> {
  const { snapshots, settings } = context
  const cached: { record: SnapshotRecord; bytes: number }[] = []
  for (const record of snapshots.all()) {
    const { ram } = snapshots.paths(record.id)
    if (record.archive && (await exists(ram))) cached.push({ record, bytes: (await fileFacts(ram)).allocatedBytes })
  }
  cached.sort((a, b) => snapshots.usedAtMs(a.record) - snapshots.usedAtMs(b.record))
  let total = cached.reduce((sum, { bytes }) => sum + bytes, 0)
  for (const { record, bytes } of cached) {
    if (total <= settings.value.snapshotCacheBytes) return
    if (await evict(record, context)) total -= bytes
  }
}

/** Machines that go on from it have it open, and keep it. @returns false when it is in use, or all that there is: the store's is damaged */
async function evict(record: SnapshotRecord, context: Context): Promise<boolean> {
  const { snapshots, standbys } = context
  if (!record.archive || snapshots.isHeld(record.id) || (await storedProblem(record, context, new AbortController().signal)) !== null || snapshots.isHeld(record.id)) return false
  await standbys.endFor(record.id)
  await removeFile(snapshots.paths(record.id).ram)
  await snapshots.tell(record)
  return true
}

/** Removes a snapshot, and its memory from the store; what nobody else needs of that is given back by the clean-up. */
export async function removeSnapshot(record: SnapshotRecord, { snapshots, standbys, store }: Context): Promise<number> {
  await standbys.endFor(record.id)
  const freed = await snapshots.remove(record)
  if (record.archive) await store.remove(record.archive.name)
  return freed
}

/** Archives a snapshot some time from now, when no other task runs. */
export function archiveLater(id: string, context: Context): void {
  const { snapshots, settings, tasks } = context
  snapshots.later(id, QUIET_MS, () => {
    const record = snapshots.has(id) ? snapshots.get(id) : null
    if (!record?.memory || record.archive || !settings.value.archiveSnapshots) return
    if (tasks.running().length > 0) return archiveLater(id, context)
    tasks.run('snapshot.archive', `Archive ${record.name}`, record.machine, (work) => archiveSnapshot({ snapshot: id, evict: false }, context, work))
  })
}
