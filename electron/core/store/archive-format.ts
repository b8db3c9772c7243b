import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { constants, deflateRaw, inflateRaw } from 'node:zlib'
import { z } from 'zod'
import { PackProblem } from './pack-format'
import { Runs } from './runs'

/**
 * An archive: some files under one name, each as a list of chunks. It is replaced as a whole or not at all. Numbers are little-endian.
 *
 *   header    magic 8, version u32, bytes of JSON u32, bytes of runs u32, spare u32, SHA-256 of what follows
 *   JSON      what is listed, and the packs that the runs name by position
 *   runs      of all files, one after the other (runs.ts), deflated
 */
export const ARCHIVE_HEADER_BYTES = 56
const VERSION = 1
const BEGIN = Buffer.from('STRTARCH')

const Origin = z.object({ device: z.string(), inode: z.string(), sizeBytes: z.number(), modifiedNs: z.string(), changedNs: z.string() })
const ArchiveFile = z.object({
  /** One name in one folder: an archive from elsewhere must not lead out of it. */
  name: z.string().refine(isPlainName),
  sizeBytes: z.number().int().nonnegative(),
  /** Of its encoded runs. */
  runsBytes: z.number().int().nonnegative(),
  /** Bytes in chunks that are not zeros. */
  dataBytes: z.number(),
  /** The file that was read, if it had not just been changed: as long as it is the same, it need not be read again. */
  origin: Origin.optional()
})
export type ArchiveFile = z.output<typeof ArchiveFile>

export const ArchiveHead = z.object({
  name: z.string(),
  savedAtMs: z.number(),
  tookMs: z.number(),
  chunkBytes: z.number().int().positive(),
  /** What saving it added to the packs. */
  addedBytes: z.number(),
  /** What it is of, for people and programs: `image`, `disk`, `snapshot`. */
  kind: z.string(),
  note: z.string(),
  /** What belongs to the kind: whoever saves it says it, whoever loads it reads it. */
  details: z.record(z.string(), z.string()),
  packs: z.array(z.string().regex(/^[0-9a-f]{16}$/)),
  files: z.array(ArchiveFile)
})
export type ArchiveHead = z.output<typeof ArchiveHead>

/** A file's own name, without a path. */
export function isPlainName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !/[/\0]/.test(name)
}

/** An archive with its runs, one list a file. */
export interface Archive {
  head: ArchiveHead
  runs: Runs[]
}

export async function encodeArchive(head: Omit<ArchiveHead, 'files'> & { files: Omit<ArchiveFile, 'runsBytes'>[] }, runs: readonly Runs[]): Promise<Buffer> {
  const encoded = runs.map((one) => one.encode())
  const whole: ArchiveHead = { ...head, files: head.files.map((file, i) => ({ ...file, runsBytes: encoded[i]!.length })) }
  const json = Buffer.from(JSON.stringify(whole))
  const deflated = await promisify(deflateRaw)(Buffer.concat(encoded), { level: constants.Z_BEST_SPEED })
  const header = Buffer.alloc(ARCHIVE_HEADER_BYTES)
  BEGIN.copy(header)
  header.writeUInt32LE(VERSION, 8)
  header.writeUInt32LE(json.length, 12)
  header.writeUInt32LE(deflated.length, 16)
  checksum(json, deflated).copy(header, 24)
  return Buffer.concat([header, json, deflated])
}

/** @throws PackProblem */
export function decodeHead(bytes: Buffer): { head: ArchiveHead; deflated: Buffer } {
  if (!bytes.subarray(0, 8).equals(BEGIN) || bytes.length < ARCHIVE_HEADER_BYTES) throw new PackProblem('it does not begin like an archive')
  if (bytes.readUInt32LE(8) > VERSION) throw new PackProblem('it was written by a newer version', true)
  if (bytes.readUInt32LE(8) !== VERSION) throw new PackProblem('its version does not exist')
  const jsonEnd = ARCHIVE_HEADER_BYTES + bytes.readUInt32LE(12)
  const [json, deflated] = [bytes.subarray(ARCHIVE_HEADER_BYTES, jsonEnd), bytes.subarray(jsonEnd)]
  const whole = deflated.length === bytes.readUInt32LE(16) && checksum(json, deflated).equals(bytes.subarray(24, ARCHIVE_HEADER_BYTES))
  if (!whole) throw new PackProblem('its content was changed')
  const head = ArchiveHead.safeParse(JSON.parse(json.toString()))
  if (!head.success) throw new PackProblem('its header is not as it should be')
  return { head: head.data, deflated }
}

/** @throws PackProblem */
export async function decodeArchive(bytes: Buffer): Promise<Archive> {
  const { head, deflated } = decodeHead(bytes)
  const encoded = await promisify(inflateRaw)(deflated)
  let at = 0
  try {
    const runs = head.files.map((file) => Runs.decode(encoded.subarray(at, (at += file.runsBytes)), head.packs.length))
    return { head, runs }
  } catch (error) {
    throw new PackProblem(`its list of chunks is wrong: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function checksum(...parts: Buffer[]): Buffer {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}
