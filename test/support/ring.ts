import { execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const SOURCES = join(import.meta.dirname, '../../native')
const SECTOR = 512

/** How a program ended, and what it said. */
export interface Ended {
  code: number | null
  signal: NodeJS.Signals | null
  out: string
  said: string
  pid: number
}

/** A running program of the ring. */
export interface Running {
  pid: number
  kill: (signal: NodeJS.Signals) => void
  ended: Promise<Ended>
}

/** A copy of native/ without what was built in it, in a new folder: as a clean clone has it. The caller removes it. */
export function copySources(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'strata-ring-')))
  const isSource = (path: string): boolean => !['bin', 'build', 'run'].some((made) => path === join(SOURCES, made))
  cpSync(SOURCES, folder, { recursive: true, filter: isSource })
  return folder
}

/** The programs as set-up has built them, and those that only tests need. */
export function builtPrograms(): string {
  make(SOURCES, 'all', 'tools')
  return SOURCES
}

/** Builds the programs, and those that only tests need. */
export function make(folder: string, ...targets: string[]): void {
  execFileSync('make', ['-C', folder, ...targets], { stdio: ['ignore', 'ignore', 'pipe'] })
}

/** A folder with an image in which one runs a service and clients; `programs` is where they were made. */
export class RingLab {
  constructor(
    private readonly programs: string,
    readonly folder: string
  ) {}

  /** Writes a disk1.img of random bytes. */
  image(bytes: number): void {
    writeFileSync(join(this.folder, 'disk1.img'), randomBytes(bytes))
  }

  /** Starts a program: `service`, `client`, `tool_for_integrity`, `hostile` or `measure`. */
  start(program: string, args: readonly (string | number)[], options: { uid?: number } = {}): Running {
    const path = ['bin', 'build/bin'].map((place) => join(this.programs, place, program)).find((one) => existsSync(one))
    if (!path) throw new Error(`${program} was not built`)
    const child = spawn(path, args.map(String), { cwd: this.folder, stdio: ['ignore', 'pipe', 'pipe'], ...options })
    const text = { out: '', said: '' }
    child.stdout.on('data', (bytes: Buffer) => (text.out += bytes.toString()))
    child.stderr.on('data', (bytes: Buffer) => (text.said += bytes.toString()))
    const ended = new Promise<Ended>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, signal) => resolve({ code, signal, ...text, pid: child.pid ?? 0 }))
    })
    return { pid: child.pid ?? 0, kill: (signal) => void child.kill(signal), ended }
  }

  run(program: string, ...args: (string | number)[]): Promise<Ended> {
    return this.start(program, args).ended
  }

  /** The service's process: its pid, and the descriptor of its statistics page. */
  service(): { pid: number; statistics: number } {
    const [pid, , statistics] = readFileSync(join(this.folder, 'run/service.pid'), 'utf8').trim().split(' ').map(Number)
    if (!pid || statistics === undefined) throw new Error('the pid file is not one')
    return { pid, statistics }
  }

  /** What the service has open and mapped of rings. */
  held(): { descriptors: number; rings: number } {
    const { pid } = this.service()
    const rings = readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n').filter((line) => / \/memfd:(ring|hostile) /.test(line + ' '))
    return { descriptors: readdirSync(`/proc/${pid}/fd`).length, rings: rings.length }
  }

  /** The service's statistics page, as bytes. */
  statistics(): Buffer {
    const { pid, statistics } = this.service()
    return readFileSync(`/proc/${pid}/fd/${statistics}`)
  }

  /** Compares each sector that a client read with the image, by our own means. */
  wrongSectors(pid: number): number {
    const image = readFileSync(join(this.folder, 'disk1.img'))
    const reads = readFileSync(join(this.folder, `read.${pid}`))
    const sectors = readFileSync(join(this.folder, `sectors.${pid}`), 'utf8').trimEnd().split('\n').map(Number)
    if (reads.length !== sectors.length * SECTOR) return sectors.length
    return sectors.filter((sector, n) => !image.subarray(sector * SECTOR, (sector + 1) * SECTOR).equals(reads.subarray(n * SECTOR, (n + 1) * SECTOR))).length
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** Waits until it is so: for what another process does and does not tell. */
export async function until(isSo: () => boolean, patienceMs = 10_000): Promise<void> {
  for (const end = Date.now() + patienceMs; !isSo(); ) {
    if (Date.now() > end) throw new Error('it did not come about')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
