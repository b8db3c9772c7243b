import { join } from 'node:path'
import { failure, Failure } from '#contract'
import { ensurePrivateFolder, removeFile, removeTemporaries } from '../host/files'
import { lockFile } from '../host/lock'
import { OpenFile } from '../host/open-file'
import { cancelled, throwIfCancelled } from '../task/work'
import { encodeArchive, isPlainName, type Archive, type ArchiveHead } from './archive-format'
import { Archives, type Listed } from './archives'
import { readDamage, type Damage } from './damage'
import { loadPieces, piecesOf, sideBySide, tasksOf, throwIfDamaged } from './load'
import { PackWriting, type PackSettings } from './pack-writing'
import { Packs, type Pack } from './packs'
import { identityKey, saveFile, unchanged, type Progress, type SavedFile, type Source } from './save'
import { Runs, ZEROS } from './runs'

export const DEFAULT_SETTINGS: PackSettings = { chunkBytes: 4096, frameBytes: 128 * 1024, level: 1, packBytes: 256 * 2 ** 20 }

/** How far something is, and whether to go on. */
export interface Watch {
  signal?: AbortSignal
  /** 0 to 1. */
  progress?: (ratio: number) => void
}
export interface PutOptions extends Watch {
  kind?: string
  note?: string
  details?: Record<string, string>
  /** Take the place of an archive of the same name. */
  replace?: boolean
}

/**
 * The deduplicated store: archives of files, whose chunks are stored once. One writer at a time, any number of readers beside it, in this
 * process and in others. docs/store.md tells the format, and what a crash leaves after each step.
 */
export class Store {
  readonly packs: Packs
  readonly archives: Archives
  private turn: Promise<unknown> = Promise.resolve()

  constructor(
    readonly root: string,
    private readonly settings: (standard: PackSettings) => PackSettings = (standard) => standard,
    /** Archives, packs or what is known of damage are others now. */
    readonly onDidChange: () => void = () => {}
  ) {
    this.packs = new Packs(join(root, 'packs'))
    this.archives = new Archives(join(root, 'archives'))
  }

  get damageRecord(): string {
    return join(this.root, 'damaged.json')
  }
  get currentSettings(): PackSettings {
    return this.settings(DEFAULT_SETTINGS)
  }

  list(): Promise<Listed[]> {
    return this.archives.list()
  }

  /**
   * Saves files under a name, which must be free. The archive exists when this returns, and not at all otherwise.
   * @throws already-exists, no-space, not-found, bad-file (a file changed meanwhile), cancelled, in-use (another process writes)
   */
  put(name: string, files: readonly Source[], options: PutOptions = {}): Promise<ArchiveHead> {
    return this.asWriter(options.signal, () => this.putNow(name, files, options))
  }

  /**
   * Makes the files of an archive in a folder, none of which may be there yet. They are as sparse as can be. What was made before a failure
   * is removed.
   * @throws not-found, bad-file (a damaged chunk, named), already-exists, no-space, cancelled
   */
  async get(name: string, folder: string, { signal = never, progress }: Watch = {}): Promise<string[]> {
    return this.reading(name, async (archive, packs) => {
      const made: OpenFile[] = []
      const total = archive.head.files.reduce((sum, file) => sum + file.dataBytes, 0)
      let loaded = 0
      try {
        for (const [i, { name: file, sizeBytes }] of archive.head.files.entries()) {
          const target = await OpenFile.create(join(folder, file))
          made.push(target)
          await target.resize(sizeBytes)
          const onBytes = (bytes: number) => progress?.(Math.min(1, (loaded += bytes) / Math.max(1, total)))
          await loadFile(archive, i, packs, { target, targetBytes: sizeBytes, signal, onBytes })
        }
        await Promise.all(made.map((file) => file.close()))
        return made.map((file) => file.path)
      } catch (error) {
        for (const file of made) await file.close().then(() => removeFile(file.path))
        throw error
      }
    })
  }

  /** A part of a file. @throws not-found, bad-file (a damaged chunk, or beyond the file's end) */
  async read(name: string, file: string, offset: number, length: number, { signal = never }: Watch = {}): Promise<Buffer> {
    return this.reading(name, async (archive, packs) => {
      const index = archive.head.files.findIndex((one) => one.name === file)
      const found = archive.head.files[index]
      if (!found) throw failure('not-found', `The archive “${name}” has no file “${file}”.`, { what: 'file', name: file })
      if (offset < 0 || length < 0 || offset + length > found.sizeBytes) throw failure('bad-input', `“${file}” ends at ${found.sizeBytes} bytes.`, { field: 'offset' })
      const { chunkBytes } = archive.head
      const begin = Math.floor(offset / chunkBytes) * chunkBytes
      const bytes = Buffer.alloc(Math.ceil((offset + length - begin) / chunkBytes) * chunkBytes)
      const part = { from: offset, until: offset + length, shift: begin }
      await loadFile(archive, index, packs, { target: bytes, targetBytes: bytes.length, signal, onBytes: () => {}, part })
      return bytes.subarray(offset - begin, offset - begin + length)
    })
  }

  /** Its chunks stay until the store is cleaned up. @throws not-found */
  async remove(name: string): Promise<void> {
    await this.archives.remove(name)
    this.onDidChange()
  }

  /**
   * Reads with the packs of an archive open: then the clean-up may replace them. If it did before they were all open, the archive
   * names others by now.
   */
  async reading<T>(name: string, act: (archive: Archive, packs: Pack[]) => Promise<T>): Promise<T> {
    for (;;) {
      const archive = await this.archives.read(name)
      try {
        return await this.packs.use(archive.head.packs, (packs) => act(archive, packs))
      } catch (error) {
        if (!isMissingPack(error, this.packs, archive)) throw error
        const now = await this.archives.read(name)
        if (now.head.packs.join() !== archive.head.packs.join()) continue
        throw failure('bad-file', `A pack that the archive “${name}” needs is gone.`, { path: this.packs.folder, next: 'Verify the store: it names all that is damaged.', cause: error })
      }
    }
  }

  /**
   * Does something as the store's one writer, when those before have ended.
   * @throws cancelled while it waits, in-use when another process writes
   */
  asWriter<T>(signal: AbortSignal = never, act: () => Promise<T>): Promise<T> {
    const before = this.turn
    const mine = waitFor(before, signal).then(() => this.locked(act))
    this.turn = Promise.allSettled([before, mine])
    return mine
  }

  async close(): Promise<void> {
    await this.turn
    await this.packs.close()
  }

  damage(): Promise<Damage> {
    return readDamage(this.damageRecord)
  }

  private async locked<T>(act: () => Promise<T>): Promise<T> {
    for (const folder of [this.root, this.packs.folder, this.archives.folder]) await ensurePrivateFolder(folder)
    const lock = await lockFile(join(this.root, 'lock'))
    if (!lock) throw failure('in-use', 'Another process writes to the store.', { what: 'store', next: 'Try again when it has ended.' })
    try {
      // Only the writer makes files in these folders: what is half written was cut off.
      await this.packs.removeParts()
      await removeTemporaries(this.archives.folder, 0)
      return await act()
    } finally {
      lock.release()
    }
  }

  private async putNow(name: string, files: readonly Source[], options: PutOptions): Promise<ArchiveHead> {
    const startedAtMs = Date.now()
    for (const file of files) if (!isPlainName(file.name)) throw failure('bad-input', `“${file.name}” is not a file's name.`, { field: 'files' })
    if (!options.replace && (await this.archives.has(name))) throw failure('already-exists', `There is already an archive “${name}” in the store.`, { what: 'archive', name, next: 'Choose another name.' })
    const settings = this.currentSettings
    const damage = await this.damage()
    const writing = new PackWriting(this.packs, settings)
    await writing.know(await this.packs.list(), damage)
    await writing.begin()
    try {
      const saved = await this.saveAll(files, writing, settings, damage, options)
      throwIfCancelled(options.signal ?? never)
      await writing.seal()
      const { packs, runs } = joined(saved)
      const facts = { name, savedAtMs: Date.now(), tookMs: Date.now() - startedAtMs, chunkBytes: settings.chunkBytes, addedBytes: writing.addedBytes, kind: options.kind ?? 'files', note: options.note ?? '', details: options.details ?? {} }
      const head = { ...facts, packs, files: saved.map((one) => one.file) }
      const encoded = await encodeArchive(head, runs)
      await this.archives.write(name, encoded)
      this.onDidChange()
      return { ...head, files: head.files.map((file, i) => ({ ...file, runsBytes: runs[i]!.encode().length })) }
    } catch (error) {
      await writing.abandon()
      throw error
    }
  }

  private async saveAll(files: readonly Source[], writing: PackWriting, settings: PackSettings, damage: Damage, options: PutOptions): Promise<SavedFile[]> {
    const known = damage.size > 0 ? new Map<string, never>() : await this.knownFiles(settings.chunkBytes)
    const sizes = await Promise.all(files.map((file) => sizeOf(file.path)))
    const total = sizes.reduce((sum, size) => sum + size, 0)
    let done = 0
    const progress: Progress = { signal: options.signal ?? never, onBytes: (bytes) => options.progress?.(Math.min(1, (done += bytes) / Math.max(1, total))) }
    const saved: SavedFile[] = []
    for (const file of files) saved.push((await this.savedBefore(file, known, progress)) ?? (await saveFile(file, writing, settings.chunkBytes, progress)))
    return saved
  }

  /** The files of all archives that need not be read again while they are the same. */
  private async knownFiles(chunkBytes: number): Promise<Map<string, { path: string; file: number }>> {
    const known = new Map<string, { path: string; file: number }>()
    for (const { path, head } of await this.list()) {
      if (head?.chunkBytes !== chunkBytes) continue
      for (const [file, { origin }] of head.files.entries()) if (origin) known.set(identityKey(origin), { path, file })
    }
    return known
  }

  private async savedBefore({ name, path, sealed }: Source, known: ReadonlyMap<string, { path: string; file: number }>, progress: Progress): Promise<SavedFile | null> {
    if (!sealed || known.size === 0) return null
    const file = await OpenFile.read(path)
    try {
      const identity = await file.identity()
      const found = known.get(identityKey(identity))
      if (!found) return null
      const archive = await this.archives.readAt(found.path)
      progress.onBytes(identity.sizeBytes)
      return unchanged(name, archive, found.file)
    } finally {
      await file.close()
    }
  }
}

interface Part {
  from: number
  until: number
  shift: number
}
interface FileTarget {
  target: OpenFile | Buffer
  targetBytes: number
  signal: AbortSignal
  onBytes: (bytes: number) => void
  part?: Part
}

async function loadFile(archive: Archive, index: number, packs: Pack[], { target, targetBytes, signal, onBytes, part }: FileTarget): Promise<void> {
  const { chunkBytes } = archive.head
  const pieces = piecesOf(archive.runs[index]!, chunkBytes, part?.from, part?.until, part?.shift)
  const tasks = [...pieces].flatMap(([position, list]) => tasksOf(list, packs[position]!).map((task) => ({ pack: packs[position]!, pieces: task })))
  await sideBySide(tasks, signal, async ({ pack, pieces: task }) => {
    throwIfDamaged(pack, await loadPieces({ pack, pieces: task, target, targetBytes }), archive.head.name, archive.head.files[index]!.name)
    onBytes(task.reduce((sum, piece) => sum + piece.count, 0) * chunkBytes)
  })
}

/** The runs of files that name packs in lists of their own, by one list of the packs that are really used. */
function joined(saved: readonly SavedFile[]): { packs: string[]; runs: Runs[] } {
  const positions = new Map<string, number>()
  const runs = saved.map(({ runs: own, packs }) => {
    for (const { pack } of own) if (pack !== ZEROS && !positions.has(packs[pack]!)) positions.set(packs[pack]!, positions.size)
    return own.renumbered((pack) => positions.get(packs[pack]!)!)
  })
  return { packs: [...positions.keys()], runs }
}

async function sizeOf(path: string): Promise<number> {
  const file = await OpenFile.read(path)
  try {
    return await file.sizeBytes()
  } finally {
    await file.close()
  }
}

function isMissingPack(error: unknown, packs: Packs, { head }: Archive): boolean {
  if (!(error instanceof Failure) || error.error.code !== 'not-found') return false
  const { name } = error.error
  return head.packs.some((id) => packs.pathOf(id) === name)
}

/** The end of something, or the wish not to wait for it. */
async function waitFor(before: Promise<unknown>, signal: AbortSignal): Promise<void> {
  throwIfCancelled(signal)
  let stop = (): void => {}
  const given = new Promise<void>((_, reject) => {
    stop = () => reject(cancelled())
    signal.addEventListener('abort', stop, { once: true })
  })
  try {
    await Promise.race([before, given])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

const never = new AbortController().signal
