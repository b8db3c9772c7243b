import { createHash } from 'node:crypto'
import type { Layer } from '#contract'
import { fileFacts } from '../host/files'
import { readRange } from '../host/peek'

/** How a file was: its size, when it was last written to, and a hash of its header and L1 table, which any allocation changes. */
export type Fingerprint = NonNullable<Layer['frozen']>

const HEADER_BYTES = 64 * 1024
const LONGEST_L1_BYTES = 32 * 2 ** 20

/** @throws not-found, file */
export async function fingerprint(path: string): Promise<Fingerprint> {
  const { sizeBytes, modifiedAtMs } = await fileFacts(path)
  return { sizeBytes, modifiedAtMs, headSha256: await hashOfHead(path) }
}

/** By size and time first; a copy put back has another time, so then the content decides. @throws not-found, file */
export async function isAsRecorded(path: string, recorded: Fingerprint): Promise<boolean> {
  const { sizeBytes, modifiedAtMs } = await fileFacts(path)
  if (sizeBytes !== recorded.sizeBytes) return false
  return modifiedAtMs === recorded.modifiedAtMs || (await hashOfHead(path)) === recorded.headSha256
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
