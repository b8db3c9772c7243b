import type { TraceFile, TraceSample } from '#contract'
import { parseTraceLine, type TraceLine } from './log-lines'

type Counts = Omit<TraceSample['files'][number], 'path'>
type FileCounts = Omit<TraceFile, 'path' | 'disk' | 'nodeName' | 'opens' | keyof Counts>
type Seen = Counts & FileCounts
/** A node of QEMU's: the one that is the file on the host, or the one that knows its format. */
interface Node {
  path: string
  isFile: boolean
}

const nothing = (): Seen => ({ reads: 0, readBytes: 0, servedBytes: 0, writes: 0, writtenBytes: 0, clusters: 0, fileReads: 0, fileReadBytes: 0, fileWrites: 0, fileWrittenBytes: 0 })

/** What has to be known when the log is read on from where it was left. */
export interface Remembered {
  nodes: [string, Node][]
  opens: [string, number][]
}

/** Counts what trace lines say, by image file. */
export class Tally {
  private readonly nodes: Map<string, Node>
  private readonly opens: Map<string, number>
  private readonly totals = new Map<string, Seen>()
  private now = new Map<string, Seen>()
  /** The last write that was asked of a node that knows its format: the next that qcow2 begins with these numbers is it. */
  private lastWrite: { path: string; offset: number; bytes: number } | null = null
  private readonly writers = new Map<string, string>()

  constructor(from: Remembered = { nodes: [], opens: [] }) {
    this.nodes = new Map(from.nodes)
    this.opens = new Map(from.opens)
  }

  get remembered(): Remembered {
    return { nodes: [...this.nodes], opens: [...this.opens] }
  }

  /** @returns what was opened, and how many of the lines were events of reading and writing */
  take(lines: readonly string[]): { opened: { path: string; format: string }[]; events: number } {
    const opened: { path: string; format: string }[] = []
    let events = 0
    for (const text of lines) {
      const line = parseTraceLine(text)
      if (line?.kind === 'open') {
        this.open(line)
        opened.push(line)
      } else if (line) {
        events++
        this.count(line)
      }
    }
    return { opened, events }
  }

  private open({ node, path, format }: TraceLine & { kind: 'open' }): void {
    this.nodes.set(node, { path, isFile: format === 'file' || format === 'host_device' })
    this.opens.set(path, (this.opens.get(path) ?? 0) + 1)
  }

  private count(line: Exclude<TraceLine, { kind: 'open' }>): void {
    switch (line.kind) {
      case 'read':
      case 'write': {
        const node = this.nodes.get(line.node)
        if (!node) return
        if (line.kind === 'write' && !node.isFile) this.lastWrite = { path: node.path, offset: line.offset, bytes: line.bytes }
        addRequest(this.seenNow(node.path), line, node.isFile)
        return
      }
      case 'write-begun': {
        const last = this.lastWrite
        if (last?.offset === line.offset && last.bytes === line.bytes) this.writers.set(line.coroutine, last.path)
        return
      }
      case 'allocated': {
        const path = this.writers.get(line.coroutine)
        if (path !== undefined) this.seenNow(path).clusters += line.clusters
        return
      }
    }
  }

  /**
   * Ends a while: what was counted since the last call, times `scale`, joins the totals.
   * @param chains the files of each disk, from the active layer down: what was not asked of the next below was served
   */
  sample(scale: number, chains: readonly (readonly string[])[]): TraceSample['files'] {
    const now = this.now
    this.now = new Map()
    // Coroutines are used again for other requests: a tie that is older than a while is worth nothing.
    if (this.writers.size > MOST_WRITERS) this.writers.clear()
    noteServed(now, chains)
    const files: TraceSample['files'] = []
    for (const [path, seen] of now) {
      const total = this.totals.get(path) ?? nothing()
      this.totals.set(path, total)
      for (const key of KEYS) total[key] += seen[key] = Math.round(seen[key] * scale)
      const { reads, readBytes, servedBytes, writes, writtenBytes, clusters } = seen
      if (reads + writes + clusters > 0) files.push({ path, reads, readBytes, servedBytes, writes, writtenBytes, clusters })
    }
    return files
  }

  total(path: string): Seen & { opens: number } {
    return { opens: this.opens.get(path) ?? 0, ...(this.totals.get(path) ?? nothing()) }
  }

  private seenNow(path: string): Seen {
    const seen = this.now.get(path) ?? nothing()
    this.now.set(path, seen)
    return seen
  }
}

const MOST_WRITERS = 4096
const KEYS = Object.keys(nothing()) as (keyof Seen)[]

function addRequest(seen: Seen, { kind, bytes }: { kind: 'read' | 'write'; bytes: number }, isFile: boolean): void {
  if (kind === 'read') {
    seen[isFile ? 'fileReads' : 'reads']++
    seen[isFile ? 'fileReadBytes' : 'readBytes'] += bytes
  } else {
    seen[isFile ? 'fileWrites' : 'writes']++
    seen[isFile ? 'fileWrittenBytes' : 'writtenBytes'] += bytes
  }
}

/** What a layer was asked for, less what it asked of the one below. That may be more than it was asked for: to fill a cluster before a write. */
function noteServed(now: Map<string, Seen>, chains: readonly (readonly string[])[]): void {
  for (const chain of chains) {
    chain.forEach((path, index) => {
      const seen = now.get(path)
      const below = chain[index + 1]
      if (seen) seen.servedBytes = Math.max(0, seen.readBytes - ((below === undefined ? undefined : now.get(below))?.readBytes ?? 0))
    })
  }
}
