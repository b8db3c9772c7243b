import { z } from 'zod'
import { exists, punchHole, readJson, writeJsonAtomic } from '../host/files'
import { OpenFile } from '../host/open-file'
import type { MachineRuntimePaths } from '../library/paths'
import { Tally } from './tally'

/** Above this the log's beginning, which has been read, gives its space back. */
const LIMIT_BYTES = 16 * 2 ** 20
const KEPT_BYTES = 4 * 2 ** 20
const CHUNK_BYTES = 2 ** 20

const Left = z.object({
  schemaVersion: z.literal(1),
  offset: z.number(),
  nodes: z.array(z.tuple([z.string(), z.object({ path: z.string(), isFile: z.boolean() })])),
  opens: z.array(z.tuple([z.string(), z.number()]))
})

/**
 * The file that QEMU writes trace events to, read as it grows. Which node is which file is only said when it is opened: so what has been
 * read of that is written down before the log's beginning goes, and when reading ends.
 */
export class TraceLog {
  private partial = ''
  private trimmedAt = 0
  private constructor(
    private readonly paths: MachineRuntimePaths,
    private readonly file: OpenFile,
    private offset: number,
    readonly tally: Tally
  ) {}

  /** @throws not-found when QEMU was started without it */
  static async open(paths: MachineRuntimePaths): Promise<TraceLog> {
    const file = await OpenFile.read(paths.traceLog)
    try {
      const left = (await exists(paths.traceRead)) ? await readJson(paths.traceRead, Left) : { offset: 0 }
      return new TraceLog(paths, file, left.offset, new Tally('nodes' in left ? left : undefined))
    } catch (error) {
      await file.close()
      throw error
    }
  }

  /** How much was written since the last call of `readOn`. */
  async unreadBytes(): Promise<number> {
    return (await this.file.sizeBytes()) - this.offset
  }

  /** Whole lines that were written since the last call. */
  async readOn(): Promise<string[]> {
    const end = await this.file.sizeBytes()
    const lines: string[] = []
    while (this.offset < end) {
      const bytes = await this.file.bytes(this.offset, Math.min(CHUNK_BYTES, end - this.offset))
      this.offset += bytes.length
      const parts = (this.partial + bytes.toString('latin1')).split('\n')
      this.partial = parts.pop()!
      for (const part of parts) lines.push(part)
    }
    return lines
  }

  /** Keeps the log from growing without end. */
  async trim(): Promise<void> {
    if (this.offset - this.trimmedAt < LIMIT_BYTES) return
    this.trimmedAt = this.offset
    await this.remember()
    await punchHole(this.paths.traceLog, LIMIT_BYTES, KEPT_BYTES)
  }

  async close(): Promise<void> {
    try {
      await this.remember()
    } finally {
      await this.file.close()
    }
  }

  private remember(): Promise<void> {
    // The line that is half read is read again by whoever reads on.
    return writeJsonAtomic(this.paths.traceRead, { schemaVersion: 1, offset: this.offset - this.partial.length, ...this.tally.remembered })
  }
}
