import { failure, Failure, type ParsedInputOf, type ResultOf, type Ring as View, type RingClient, type RingComparison, type RingLoad } from '#contract'
import { ensurePrivateFolder, removeFile } from '../host/files'
import { isSameProcess } from '../host/process'
import { fileOfDescriptor, loadRingAdapter, makeRandomFile, readPart, type RingAdapter, type RingHandle } from '../host/ring'
import type { RingPaths } from '../library/paths'
import { together } from '../task/together'
import { throwIfCancelled, type Work } from '../task/work'
import { jain, parseLine } from './load'
import { RingPrograms } from './programs'
import { CLIENT_BYTES, HEAD_BYTES, parseClients, parseHead, type PageHead } from './statistics'

const SECTOR_BYTES = 512
/** Reads of our own at a time. */
const OWN_THREADS = 4
const PLACES_A_READ = 32
const LOOK_MS = 250

interface Serving {
  pid: number
  startTicks: number
  page: string
  /** By the service's own word: it may have been started by hand, with any image. */
  image: string
  head: PageHead
}

/** The ring lab: a service of native/ in a folder of the library, and its clients. The service runs on when the app ends. */
export class Ring {
  private readonly programs: RingPrograms
  private adapter: RingAdapter | null = null
  /** Our own ring, of the service with this pid. */
  private own: { servicePid: number; handle: RingHandle } | null = null
  private compared: RingComparison | null = null
  private busy: string | null = null

  constructor(
    private readonly paths: RingPaths,
    programsFolder: string,
    private readonly onDidChange: (ring: View) => void
  ) {
    this.programs = new RingPrograms(programsFolder)
  }

  /** All that the service shows of itself. */
  async look(): Promise<View> {
    const atMs = performance.timeOrigin + performance.now()
    const serving = this.serving()
    const { compared } = this
    if (!serving) {
      const reason = await this.programs.missing()
      return { atMs, service: reason === null ? { kind: 'off' } : { kind: 'missing', reason }, clients: [], compared }
    }
    const { pid, head, image } = serving
    const { sectors, requests, sleeps, clientsEver } = head
    const cache = { sectors: head.cacheSectors, bytes: head.cacheBytes, hits: head.hits, misses: head.misses }
    const service = { kind: 'serving' as const, pid, image, sectors, cache, reads: head.usesIoUring ? ('io_uring' as const) : ('threads' as const), requests, sleeps, clientsEver }
    return { atMs, service, clients: clientsOf(serving), compared }
  }

  /** @throws wrong-state (it is served already), not-found, bad-file, file, unsupported, no-space */
  async start(input: ParsedInputOf<'ring.start'>): Promise<View> {
    await ensurePrivateFolder(this.paths.root)
    if (this.serving()) throw failure('wrong-state', 'The ring is served already.', { name: 'ring', state: 'serving', next: 'Stop the service first.' })
    const image = input.file ?? (await this.ownImage(input.size))
    const args = ['--image', image, '--cache', input.cachePercent / 100, '--spin', input.spinMicroseconds, ...(input.threads ? ['--io', 'threads'] : [])]
    await this.programs.run('service', ['start', ...args], { cwd: this.paths.root, image })
    return this.tell()
  }

  /** @throws wrong-state when it is not served */
  async stop(): Promise<{ said: string }> {
    await ensurePrivateFolder(this.paths.root)
    this.leave()
    const { stdout } = await this.programs.run('service', ['stop'], { cwd: this.paths.root })
    await this.tell()
    return { said: stdout.trim() }
  }

  /** Reads a sector as a client; the ring is made at the first time. @throws wrong-state, bad-input (no such sector) */
  async read(sector: number): Promise<ResultOf<'ring.read'>> {
    const { head, pid } = this.requireServing()
    if (sector >= head.sectors) throw failure('bad-input', `The image’s last sector is ${head.sectors - 1}.`, { field: 'sector' })
    this.adapter ??= loadRingAdapter(this.programs.adapter)
    try {
      if (this.own?.servicePid !== pid) {
        this.leave()
        this.own = { servicePid: pid, handle: await this.adapter.open(this.paths.root, OWN_THREADS) }
      }
      const { data, ns } = await this.adapter.read(this.own.handle, sector)
      return { sector, ns, bytesBase64: data.toString('base64') }
    } catch (cause) {
      this.leave()
      const { code = '' } = cause as NodeJS.ErrnoException
      if (code === 'ENOENT' || code === 'EPIPE') throw notServed(cause)
      throw failure('program-failed', `Sector ${sector} could not be read.`, { program: 'service', exitCode: null, cause })
    }
  }

  /** Runs client programs, and compares what they read with the image. @throws wrong-state, bad-file (a sector differs), program-failed, cancelled */
  async load({ clients, threads, requests }: ParsedInputOf<'ring.load'>, work: Work): Promise<ResultOf<'ring.load'>> {
    return this.alone('A load', async () => {
      const { head, image } = this.requireServing()
      const wanted = clients * requests
      const looker = setInterval(() => work.progress(Math.min(0.99, this.answeredSince(head.requests) / wanted)), LOOK_MS)
      try {
        work.phase(`${clients === 1 ? 'a client reads' : `${clients} clients read`} ${wanted.toLocaleString('en')} sectors`)
        const ended = await together(Array.from({ length: clients }, () => this.client(image, threads, requests, work)))
        return { clients: ended, fairness: jain(ended.map((client) => client.perSecond)) }
      } finally {
        clearInterval(looker)
        await this.tell()
      }
    })
  }

  /** Reads the image in the three ways. @throws wrong-state, missing-program, program-failed, cancelled */
  async compare(input: ParsedInputOf<'ring.compare'>, work: Work, measure: Measure): Promise<RingComparison> {
    return this.alone('A comparison', async () => {
      const { image } = this.requireServing()
      const ways = await measure({ ...input, image, paths: this.paths, programs: this.programs }, work)
      this.compared = { atMs: Date.now(), image, ...input, ways }
      await this.tell()
      return this.compared
    })
  }

  /** Our own ring goes; the service stays. */
  leave(): void {
    if (this.own) this.adapter?.close(this.own.handle)
    this.own = null
  }

  private async client(image: string, threads: number, requests: number, work: Work): Promise<RingLoad> {
    let pid = 0
    try {
      const options = { cwd: this.paths.root, signal: work.signal }
      const { stdout } = await this.programs.run('client', [threads, requests], { ...options, onStart: (its) => void (pid = its) })
      const figures = parseLine(stdout)
      if (!figures) throw failure('protocol', 'A client of the ring said something else than its figures.', { peer: 'client', cause: stdout })
      work.log(`client ${pid}: ${stdout.trim()}`)
      throwIfCancelled(work.signal)
      await this.programs.run('tool_for_integrity', [image, this.paths.sectors(pid), this.paths.reads(pid)], { ...options, image })
      return { pid, threads, requests, ...figures }
    } finally {
      await Promise.all([removeFile(this.paths.sectors(pid)), removeFile(this.paths.reads(pid))])
    }
  }

  /** What would disturb each other's figures is done one after the other. */
  private async alone<T>(what: string, act: () => Promise<T>): Promise<T> {
    if (this.busy !== null) throw failure('in-use', `${this.busy} runs already.`, { what: 'ring', next: 'Wait until it has ended, or cancel it.' })
    this.busy = what
    try {
      return await act()
    } finally {
      this.busy = null
    }
  }

  private answeredSince(before: number): number {
    return (this.serving()?.head.requests ?? before) - before
  }

  private async ownImage(sizeBytes: number): Promise<string> {
    if (sizeBytes === 0 || sizeBytes % SECTOR_BYTES !== 0) throw failure('bad-input', 'An image is a whole number of sectors of 512 bytes.', { field: 'size' })
    await makeRandomFile(this.paths.image, sizeBytes)
    return this.paths.image
  }

  private requireServing(): Serving {
    const serving = this.serving()
    if (!serving) throw notServed()
    return serving
  }

  /** Who serves: `<pid> <start time> <statistics' descriptor> <image's descriptor>` in the pid file, and that process lives. Null if none does. */
  private serving(): Serving | null {
    const text = readPart(this.paths.pidFile, 0, 128)?.toString('latin1') ?? ''
    const [pid, startTicks, statistics, disk] = text.trim().split(' ').map(Number)
    if (!pid || startTicks === undefined || statistics === undefined || disk === undefined || !isSameProcess(pid, startTicks)) return null
    const page = this.paths.descriptor(pid, statistics)
    const bytes = readPart(page, 0, HEAD_BYTES)
    const head = bytes && parseHead(bytes)
    const image = fileOfDescriptor(this.paths.descriptor(pid, disk))
    return head && image !== null ? { pid, startTicks, page, image, head } : null
  }

  private async tell(): Promise<View> {
    const view = await this.look()
    this.onDidChange(view)
    return view
  }
}

/** How a comparison is measured: core/ring/compare.ts. */
export type Measure = (options: ParsedInputOf<'ring.compare'> & { image: string; paths: RingPaths; programs: RingPrograms }, work: Work) => Promise<RingComparison['ways']>

const notServed = (cause?: unknown): Failure => failure('wrong-state', 'The ring is not served.', { name: 'ring', state: 'off', next: 'Start the service first.', cause })

/** Clients take the first free place: all are found after as many places as are taken, but for gaps. */
function clientsOf({ page, head }: Serving): RingClient[] {
  const clients: RingClient[] = []
  for (let place = 0; place < head.places && clients.length < head.clientsNow; place += PLACES_A_READ) {
    const part = readPart(page, HEAD_BYTES + place * CLIENT_BYTES, PLACES_A_READ * CLIENT_BYTES)
    if (!part) break
    clients.push(...parseClients(part, place))
  }
  return clients
}
