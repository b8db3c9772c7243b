import { failure, LARGEST_DISK_BYTES, type ImageFormat } from '#contract'
import { createFile } from '../host/files'

const CLUSTER_BYTES = 64 * 1024
const HEADER_BYTES = 112
/** Of a cluster 32 parts can be in use each by itself (`extended_l2`). */
const EXTENDED_L2 = 1n << 4n
const BACKING_FORMAT = 0xe2792aca
const LONGEST_NAME = 1023

/**
 * An empty qcow2 layer as bytes: header, refcounts, and an L1 table without entries. The same as `qemu-img create` makes, but that a start
 * need not wait for another program, nor for the base to be opened: what it stands on is told by the record anyhow.
 *
 * A layer that stands on another is given subclusters: a guest's 4 KiB then take 4 KiB of the layer, where without them the 64 KiB around
 * would be copied up first. So it grows by what is written, and a first write takes half the time or less.
 * Source: QEMU, docs/interop/qcow2.txt. Version 3, clusters of 64 KiB, refcounts of 16 bits.
 */
export function emptyLayer(sizeBytes: number, base: { path: string; format: ImageFormat } | null): { at: number; bytes: Buffer }[] {
  const l2EntryBytes = base ? 16 : 8
  const l1Entries = Math.max(1, Math.ceil(sizeBytes / (CLUSTER_BYTES * (CLUSTER_BYTES / l2EntryBytes))))
  const l1Clusters = Math.ceil((l1Entries * 8) / CLUSTER_BYTES)
  const clusters = 3 + l1Clusters
  const header = Buffer.alloc(HEADER_BYTES + 64 + LONGEST_NAME)
  const name = Buffer.from(base?.path ?? '')
  // QEMU reads the name of the backing file into 1023 bytes; one that is longer is known by the record alone.
  const named = base !== null && name.length <= LONGEST_NAME ? base : null
  const nameAt = HEADER_BYTES + 32
  header.write('QFI\xfb', 0, 'latin1')
  header.writeUInt32BE(3, 4)
  if (named) {
    header.writeBigUInt64BE(BigInt(nameAt), 8)
    header.writeUInt32BE(name.length, 16)
    name.copy(header, nameAt)
  }
  header.writeUInt32BE(16, 20) // cluster_bits
  header.writeBigUInt64BE(BigInt(sizeBytes), 24)
  header.writeUInt32BE(l1Entries, 36)
  header.writeBigUInt64BE(BigInt(3 * CLUSTER_BYTES), 40) // L1 table
  header.writeBigUInt64BE(BigInt(CLUSTER_BYTES), 48) // refcount table
  header.writeUInt32BE(1, 56) // its clusters
  header.writeBigUInt64BE(base ? EXTENDED_L2 : 0n, 72) // what a reader has to know of
  header.writeUInt32BE(4, 96) // refcount_order: 16 bits
  header.writeUInt32BE(HEADER_BYTES, 100)
  if (named) {
    header.writeUInt32BE(BACKING_FORMAT, HEADER_BYTES)
    header.writeUInt32BE(named.format.length, HEADER_BYTES + 4)
    header.write(named.format, HEADER_BYTES + 8, 'latin1')
  } // followed by zeros: the end of the extensions
  const table = Buffer.alloc(8)
  table.writeBigUInt64BE(BigInt(2 * CLUSTER_BYTES))
  const counts = Buffer.alloc(clusters * 2)
  for (let cluster = 0; cluster < clusters; cluster++) counts.writeUInt16BE(1, cluster * 2)
  return [
    { at: 0, bytes: header },
    { at: CLUSTER_BYTES, bytes: table },
    { at: 2 * CLUSTER_BYTES, bytes: counts },
    { at: clusters * CLUSTER_BYTES - 1, bytes: Buffer.alloc(1) }
  ]
}

/** Makes the file of an empty layer. @throws already-exists, no-space */
export async function createEmptyLayer(path: string, sizeBytes: number, base: { path: string; format: ImageFormat } | null): Promise<void> {
  if (sizeBytes > LARGEST_DISK_BYTES) throw failure('unsupported', `A disk of more than ${LARGEST_DISK_BYTES / 2 ** 40} TiB cannot be made.`, {})
  await createFile(path, emptyLayer(sizeBytes, base))
}
