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

/** Source: QEMU, docs/interop/qcow2.txt, "Header": l1_size (36) and l1_table_offset (40). */
async function hashOfHead(path: string): Promise<string> {
  const hash = createHash('sha256')
  const head = await readRange(path, 0, HEADER_BYTES)
  hash.update(head)
  if (head.length >= 48 && head.toString('latin1', 0, 4) === 'QFI\xfb') {
    const l1Bytes = Math.min(head.readUInt32BE(36) * 8, LONGEST_L1_BYTES)
    hash.update(await readRange(path, Number(head.readBigUInt64BE(40)), l1Bytes))
  }
  return hash.digest('hex')
}
