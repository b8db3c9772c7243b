import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { operations, type Image, type ImageFormat, type InputOf } from '#contract'
import { Images } from '#core/disk/images'
import { openLibrary } from '#core/library/library'
import { asWork, type Work } from '#core/task/work'
import { scratchFolder } from './scratch'

export const MiB = 2 ** 20
export const qemuImg = (...args: string[]): string => execFileSync('qemu-img', args, { encoding: 'utf8' })
export const hashOf = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex')
export const factsOf = (path: string): object => ({ hash: hashOf(path), mtimeMs: statSync(path).mtimeMs, size: statSync(path).size, mode: statSync(path).mode })

/** A raw disk with a partition table's mark and bytes all over it. */
export function rawDisk(path: string, sizeBytes = 4 * MiB): string {
  const bytes = Buffer.alloc(sizeBytes)
  for (let at = 0; at < sizeBytes; at += 64 * 1024) bytes.fill(`block ${at} `, at, at + 20_000)
  bytes.writeUInt16LE(0xaa55, 510)
  writeFileSync(path, bytes)
  return path
}

export function disk(path: string, format: ImageFormat, ...options: string[]): string {
  const raw = rawDisk(`${path}.source`)
  qemuImg('convert', '-f', 'raw', '-O', format, ...options, raw, `file:${path}`)
  rmSync(raw)
  return path
}

/** A library with its images, and what an import told of itself. */
export interface Shelf {
  images: Images
  folder: string
  library: string
  users: Map<string, string[]>
  told: Image[]
  /** Phases, progress and log of the last import. */
  seen: { phases: string[]; ratios: (number | null)[]; log: string[] }
  bring: (path: string, more?: Partial<InputOf<'image.import'>>, onPhase?: (phase: string) => void, signal?: AbortSignal) => Promise<Image>
  /** What lies in the library beside what was there at first. */
  leftovers: () => string[]
}

export async function shelf(options: { library?: string; builtinGuest?: string } = {}): Promise<Shelf> {
  const folder = scratchFolder()
  const home = options.library ?? join(folder, 'library')
  const library = await openLibrary({ STRATA_HOME: home, XDG_RUNTIME_DIR: join(folder, 'run') })
  onTestFinished(() => library.release())
  const users = new Map<string, string[]>()
  const told: Image[] = []
  const images = new Images(library, {
    builtinGuest: options.builtinGuest ?? join(folder, 'guest'),
    usedBy: (id) => users.get(id) ?? [],
    onDidChange: (image) => told.push(image),
    onDidRemove: () => {}
  })
  await images.load()
  const made: Shelf = {
    images,
    folder,
    library: home,
    users,
    told,
    seen: { phases: [], ratios: [], log: [] },
    bring(path, more = {}, onPhase = () => {}, signal) {
      const seen: Shelf['seen'] = (made.seen = { phases: [], ratios: [], log: [] })
      const input = operations['image.import'].input.parse({ path, ...more })
      const watched = (work: Work): Work => ({
        ...work,
        progress: (ratio) => void seen.ratios.push(ratio),
        log: (line) => void seen.log.push(line),
        phase: (phase) => {
          seen.phases.push(phase)
          onPhase(phase)
        }
      })
      return asWork((work) => images.import(input, watched(work)), signal)
    },
    leftovers: () => [...readdirSync(join(home, 'images')), ...readdirSync(join(home, 'unfinished'))]
  }
  return made
}

/** Another process that has the image open for writing. */
export async function writer(path: string, format: string): Promise<void> {
  const child = spawn('qemu-io', ['-f', format, path], { stdio: ['pipe', 'pipe', 'ignore'] })
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await once(child, 'close')
  })
  child.stdin.write('read 0 512\n')
  await once(child.stdout, 'data')
}
