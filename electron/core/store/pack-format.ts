import { createHash } from 'node:crypto'

/**
 * A pack: many chunks in one file. It is written once and never changed. Numbers are little-endian.
 *
 *   header    magic 8, version u32, chunk bytes u32, chunks a frame u32, spare u32
 *   frames    zstd, one after the other; frame n holds the chunks from n x (chunks a frame) on, compressed together
 *   footer    a frame each: offset u64, length u32, spare u32; a chunk each: its BLAKE3 hash, 32 bytes
 *   trailer   footer's offset u64, frames u32, chunks u32, SHA-256 of header, footer and the three numbers, magic 8
 */
export const HEADER_BYTES = 24
export const TRAILER_BYTES = 56
const FRAME_BYTES = 16
export const HASH_BYTES = 32
const VERSION = 1
const BEGIN = Buffer.from('STRTPACK')
const END = Buffer.from('STRTPEND')

export interface PackHeader {
  chunkBytes: number
  frameChunks: number
}
export interface PackTrailer {
  footerOffset: number
  footerBytes: number
  frames: number
  chunks: number
}
export interface PackFooter {
  /** A record each, as the native module takes them. */
  frames: Buffer
  hashes: Buffer
}

/** Why bytes are not a pack of ours; `newer` when a newer version of Strata wrote them. */
export class PackProblem extends Error {
  constructor(
    message: string,
    readonly newer = false
  ) {
    super(message)
  }
}

export function encodeHeader({ chunkBytes, frameChunks }: PackHeader): Buffer {
  const header = Buffer.alloc(HEADER_BYTES)
  BEGIN.copy(header)
  header.writeUInt32LE(VERSION, 8)
  header.writeUInt32LE(chunkBytes, 12)
  header.writeUInt32LE(frameChunks, 16)
  return header
}

/** @throws PackProblem */
export function decodeHeader(header: Buffer): PackHeader {
  if (!header.subarray(0, 8).equals(BEGIN)) throw new PackProblem('it does not begin like a pack')
  if (header.readUInt32LE(8) > VERSION) throw new PackProblem('it was written by a newer version', true)
  if (header.readUInt32LE(8) !== VERSION) throw new PackProblem('its version does not exist')
  const [chunkBytes, frameChunks] = [header.readUInt32LE(12), header.readUInt32LE(16)]
  if (!isChunkSize(chunkBytes) || frameChunks === 0) throw new PackProblem('its header is not as it should be')
  return { chunkBytes, frameChunks }
}

/** What follows the frames: footer and trailer. @param footerOffset where the frames end */
export function encodeFooter(header: PackHeader, { frames, hashes }: PackFooter, footerOffset: number): Buffer {
  const numbers = Buffer.alloc(16)
  numbers.writeBigUInt64LE(BigInt(footerOffset))
  numbers.writeUInt32LE(frames.length / FRAME_BYTES, 8)
  numbers.writeUInt32LE(hashes.length / HASH_BYTES, 12)
  return Buffer.concat([frames, hashes, numbers, checksum(encodeHeader(header), frames, hashes, numbers), END])
}

/** @throws PackProblem */
export function decodeTrailer(trailer: Buffer, fileBytes: number): PackTrailer {
  if (!trailer.subarray(48).equals(END)) throw new PackProblem('it does not end like a pack')
  const [footerOffset, frames, chunks] = [Number(trailer.readBigUInt64LE()), trailer.readUInt32LE(8), trailer.readUInt32LE(12)]
  const footerBytes = frames * FRAME_BYTES + chunks * HASH_BYTES
  if (footerOffset + footerBytes + TRAILER_BYTES !== fileBytes) throw new PackProblem('its index does not fit its size')
  return { footerOffset, footerBytes, frames, chunks }
}

/** @throws PackProblem */
export function decodeFooter(header: Buffer, footer: Buffer, trailer: Buffer): PackFooter {
  const { frames: count } = { frames: trailer.readUInt32LE(8) }
  const [frames, hashes] = [footer.subarray(0, count * FRAME_BYTES), footer.subarray(count * FRAME_BYTES)]
  if (!checksum(header, frames, hashes, trailer.subarray(0, 16)).equals(trailer.subarray(16, 48))) throw new PackProblem('its index is damaged')
  return { frames, hashes }
}

/** What a chunk takes in its pack: its share of its frame. */
export function storedBytesOf(frames: Buffer, frameChunks: number, chunks: number): (chunk: number) => number {
  const last = Math.floor((chunks - 1) / frameChunks)
  return (chunk) => {
    const frame = Math.floor(chunk / frameChunks)
    return frames.readUInt32LE(frame * FRAME_BYTES + 8) / (frame === last ? chunks - last * frameChunks : frameChunks)
  }
}

/** A power of two from 4 KiB to 1 MiB. */
export const isChunkSize = (bytes: number): boolean => bytes >= 4096 && bytes <= 2 ** 20 && (bytes & (bytes - 1)) === 0

function checksum(...parts: Uint8Array[]): Buffer {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}
