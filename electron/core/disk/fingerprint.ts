import { createHash } from 'node:crypto'
import { failure, type Layer } from '#contract'
import { fileFacts } from '../host/files'
import { readRange } from '../host/peek'

/** How a file was: its size, when it was last written to, and a hash of its header and L1 table, which any allocation changes. */
export type Fingerprint = NonNullable<Layer['frozen']>

const HEADER_BYTES = 64 * 1024
const LONGEST_L1_BYTES = 32 * 2 ** 20
/** A copy that keeps its time may keep it less exactly than the file system does. */
const CLOCK_MS = 1

/** @throws not-found, file */
export async function fingerprint(path: string): Promise<Fingerprint> {
  const { sizeBytes, modifiedAtMs } = await fileFacts(path)
  return { sizeBytes, modifiedAtMs, headSha256: await hashOfHead(path) }
}

/**
 * By size, time and content. The content that is looked at is the header and the L1 table, which what is written into clusters that exist already
 * leaves as they are: only its time tells of that. @throws not-found, file
 */
export async function isAsRecorded(path: string, recorded: Fingerprint): Promise<boolean> {
  return (await compareWith(path, recorded)) === 'same'
}

/**
 * Whether a file that somebody points at is the very one. One that was moved keeps its time; of a copy with another time its beginning alone
 * does not tell whether it was written to in between. @throws not-found, file
 */
export async function compareWith(path: string, recorded: Fingerprint): Promise<'same' | 'unsure' | 'other'> {
  const { sizeBytes, modifiedAtMs } = await fileFacts(path)
  if (sizeBytes !== recorded.sizeBytes || (await hashOfHead(path)) !== recorded.headSha256) return 'other'
  return Math.abs(modifiedAtMs - recorded.modifiedAtMs) < CLOCK_MS ? 'same' : 'unsure'
}

/** @param what the file that is missing: `disk0-2` @throws bad-file (another one), wrong-state (it cannot be told, and nobody said it is sure) */
export function requireVeryFile(compared: 'same' | 'unsure' | 'other', path: string, what: string, unchecked: boolean): void {
  if (compared === 'same' || (compared === 'unsure' && unchecked)) return
  if (compared === 'other') throw failure('bad-file', `“${path}” is another file than ${what} was.`, { path, next: 'Look for the one that was moved.' })
  throw failure('wrong-state', `It cannot be told whether “${path}” is ${what} as it was: it is of the same size, but may have been written to since.`, {
    name: what,
    state: 'not certain',
    next: 'If you are sure that it is this file, unchanged, say that it may be taken unchecked.'
  })
}

async function hashOfHead(path: string): Promise<string> {
  const { header, l1 } = await readHead(path)
  return createHash('sha256').update(header).update(l1 ?? '').digest('hex')
}

/** Source: QEMU, docs/interop/qcow2.txt, "Header": l1_size (36) and l1_table_offset (40). */
async function readHead(path: string): Promise<{ header: Buffer; l1: Buffer | null }> {
  const header = await readRange(path, 0, HEADER_BYTES)
  if (header.length < 48 || header.toString('latin1', 0, 4) !== 'QFI\xfb') return { header, l1: null }
  const l1Bytes = Math.min(header.readUInt32BE(36) * 8, LONGEST_L1_BYTES)
  return { header, l1: await readRange(path, Number(header.readBigUInt64BE(40)), l1Bytes) }
}

/** Whether a qcow2 file never held anything: no entry of its L1 table is in use. False for what is no qcow2 file. */
export async function neverHeldAnything(path: string): Promise<boolean> {
  const { l1 } = await readHead(path)
  return l1?.every((byte) => byte === 0) ?? false
}
