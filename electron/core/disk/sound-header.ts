import { failure } from '#contract'
import { fileFacts } from '../host/files'
import { readRange } from '../host/peek'

const HEADER_BYTES = 72
const MAGIC = 'QFI\xfb'

/**
 * What keeps QEMU from opening a qcow2 file, as far as its header tells; null when nothing does. QEMU says the same of a whole stack at once,
 * and not of which file. Source: docs/interop/qcow2.txt, "Header".
 */
export function headerProblem(header: Buffer, fileBytes: number): string | null {
  if (fileBytes === 0) return 'it is empty'
  if (header.length < HEADER_BYTES) return 'it ends within its header'
  if (header.toString('latin1', 0, 4) !== MAGIC) return 'it does not begin as a qcow2 file does'
  const version = header.readUInt32BE(4)
  if (version !== 2 && version !== 3) return `its header says version ${version}`
  const clusterBits = header.readUInt32BE(20)
  if (clusterBits < 9 || clusterBits > 21) return `its header says clusters of 2^${clusterBits} bytes`
  const cluster = BigInt(2 ** clusterBits)
  for (const [table, at] of TABLES) {
    const offset = header.readBigUInt64BE(at)
    if (offset % cluster !== 0n || offset >= BigInt(fileBytes)) return `its ${table} table lies outside the file`
  }
  return null
}
const TABLES = [
  ['L1', 40],
  ['refcount', 48]
] as const

/** @throws bad-file, naming the file */
export async function requireSoundHeader(path: string): Promise<void> {
  const { sizeBytes } = await fileFacts(path)
  const problem = headerProblem(await readRange(path, 0, HEADER_BYTES), sizeBytes)
  if (problem === null) return
  throw failure('bad-file', `“${path}” is damaged: ${problem}.`, {
    path,
    next: 'Put back a copy of it, if there is one. If it is the active layer, what was written since the last commit can be discarded, and the disk is as it was then.'
  })
}
