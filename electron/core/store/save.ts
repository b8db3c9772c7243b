import { failure } from '#contract'
import { chunkEngine } from '../host/chunk-engine'
import { OpenFile, type FileIdentity } from '../host/open-file'
import type { Archive, ArchiveFile } from './archive-format'
import { sideBySide } from './load'
import type { PackWriting } from './pack-writing'
import { Runs, ZEROS } from './runs'

/** A file to save, and its name in the archive. */
export interface Source {
  name: string
  path: string
  /**
   * Nobody writes to it any more: while it is the same file, with the same times, it need not be read again. Not for files that somebody has
   * mapped: what is written so may leave the times as they are.
   */
  sealed?: boolean
}

/** Younger changes could be followed by another one in the same tick of the file system's clock. */
const SETTLED_MS = 2000

export interface Progress {
  signal: AbortSignal
  /** How much more is done, in bytes of the files. */
  onBytes: (bytes: number) => void
}

export type SavedFile = { file: Omit<ArchiveFile, 'runsBytes'>; runs: Runs; packs: readonly string[] }

/** A file that was saved before, and has not been touched since. */
export function unchanged(name: string, { head, runs }: Archive, file: number): SavedFile {
  const { runsBytes: _, ...facts } = head.files[file]!
  return { file: { ...facts, name }, runs: runs[file]!, packs: head.packs }
}

export const identityKey = (identity: FileIdentity): string => Object.values(identity).join(' ')

/** Reads a file, batches side by side, and stores what is not stored yet. @throws bad-file when it changes meanwhile, no-space, file, cancelled */
export async function saveFile({ name, path, sealed }: Source, writing: PackWriting, chunkBytes: number, progress: Progress): Promise<SavedFile> {
  const file = await OpenFile.read(path)
  try {
    const readAtMs = Date.now()
    const before = await file.identity()
    const runs = await saveRanges(file, before.sizeBytes, writing, chunkBytes, progress)
    if (identityKey(await file.identity()) !== identityKey(before)) throw changed(path)
    const settled = sealed === true && readAtMs - Number(BigInt(before.changedNs) / 1_000_000n) > SETTLED_MS
    const dataBytes = Math.min(before.sizeBytes, runs.storedChunks * chunkBytes)
    return { file: { name, sizeBytes: before.sizeBytes, dataBytes, ...(settled ? { origin: before } : {}) }, runs, packs: writing.packIds }
  } catch (error) {
    throw (error as { error?: { errno?: string } }).error?.errno === 'ESTALE' ? changed(path) : error
  } finally {
    await file.close()
  }
}

const changed = (path: string) =>
  failure('bad-file', `“${path}” was changed while it was being saved.`, { path, next: 'Save it when nobody writes to it.' })

async function saveRanges(file: OpenFile, sizeBytes: number, writing: PackWriting, chunkBytes: number, { signal, onBytes }: Progress): Promise<Runs> {
  const ranges = wholeChunks(await extentsOf(file, sizeBytes), chunkBytes, sizeBytes)
  const runs = Runs.empty()
  let done = 0
  const zerosUpTo = (offset: number): void => {
    runs.push((offset - done) / chunkBytes, ZEROS, 0)
    onBytes(offset - done)
    done = offset
  }
  for (const wave of waves(batches(ranges, writing.batchBytes))) {
    const saved: Runs[] = []
    await sideBySide(wave.entries(), signal, async ([i, { offset, bytes }]) => {
      saved[i] = await writing.add(file, offset, bytes)
      onBytes(bytes)
    })
    for (const [i, { offset, bytes }] of wave.entries()) {
      zerosUpTo(offset)
      runs.append(saved[i]!)
      done += Math.ceil(bytes / chunkBytes) * chunkBytes
    }
    await writing.turnIfFull()
  }
  zerosUpTo(Math.ceil(sizeBytes / chunkBytes) * chunkBytes)
  return runs
}

interface Range {
  offset: number
  bytes: number
}

async function extentsOf(file: OpenFile, sizeBytes: number): Promise<Range[]> {
  const records = await file.guarded('read', () => chunkEngine().extents(file.fd, sizeBytes))
  const ranges: Range[] = []
  for (let at = 0; at < records.length; at += 16) ranges.push({ offset: Number(records.readBigUInt64LE(at)), bytes: Number(records.readBigUInt64LE(at + 8)) })
  return ranges
}

/** The ranges widened to whole chunks, but for the end of the file; those that meet are joined. */
export function wholeChunks(ranges: readonly Range[], chunkBytes: number, sizeBytes: number): Range[] {
  const whole: Range[] = []
  for (const { offset, bytes } of ranges) {
    const begin = Math.floor(offset / chunkBytes) * chunkBytes
    const end = Math.min(sizeBytes, Math.ceil((offset + bytes) / chunkBytes) * chunkBytes)
    const last = whole.at(-1)
    if (last && begin <= last.offset + last.bytes) last.bytes = Math.max(last.bytes, end - last.offset)
    else whole.push({ offset: begin, bytes: end - begin })
  }
  return whole
}

function* batches(ranges: readonly Range[], most: number): Generator<Range> {
  for (const { offset, bytes } of ranges) {
    for (let at = 0; at < bytes; at += most) yield { offset: offset + at, bytes: Math.min(most, bytes - at) }
  }
}

/** So many batches, then none is under way for a moment: a pack may be closed. */
function* waves(all: Iterable<Range>): Generator<Range[]> {
  let wave: Range[] = []
  for (const batch of all) {
    wave.push(batch)
    if (wave.length < BATCHES_A_WAVE) continue
    yield wave
    wave = []
  }
  if (wave.length > 0) yield wave
}
const BATCHES_A_WAVE = 16
