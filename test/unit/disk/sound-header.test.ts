import { describe, expect, it } from 'vitest'
import { headerProblem } from '#core/disk/sound-header'

const FILE_BYTES = 262_144
/** As qemu-img makes it: version 3, clusters of 64 KiB, L1 table in the fourth and refcount table in the second. */
function header(change: (bytes: Buffer) => void = () => {}): Buffer {
  const bytes = Buffer.alloc(72)
  bytes.write('QFI\xfb', 'latin1')
  bytes.writeUInt32BE(3, 4)
  bytes.writeUInt32BE(16, 20)
  bytes.writeBigUInt64BE(196_608n, 40)
  bytes.writeBigUInt64BE(65_536n, 48)
  change(bytes)
  return bytes
}

describe('the header of a layer', () => {
  it('is sound as qemu-img writes it', () => expect(headerProblem(header(), FILE_BYTES)).toBeNull())
  const cases: [string, (bytes: Buffer) => void, string][] = [
    ['of another format', (bytes) => bytes.write('KDMV'), 'it does not begin as a qcow2 file does'],
    ['of a version to come', (bytes) => bytes.writeUInt32BE(9, 4), 'its header says version 9'],
    ['with clusters of no size', (bytes) => bytes.writeUInt32BE(60, 20), 'its header says clusters of 2^60 bytes'],
    ['with an L1 table beyond its end', (bytes) => bytes.writeBigUInt64BE(1n << 40n, 40), 'its L1 table lies outside the file'],
    ['with a refcount table between clusters', (bytes) => bytes.writeBigUInt64BE(65_537n, 48), 'its refcount table lies outside the file']
  ]
  it.each(cases)('is not %s', (_what, change, problem) => expect(headerProblem(header(change), FILE_BYTES)).toBe(problem))
  it('is whole', () => {
    expect(headerProblem(header().subarray(0, 60), 60)).toBe('it ends within its header')
    expect(headerProblem(Buffer.alloc(0), 0)).toBe('it is empty')
  })
})
