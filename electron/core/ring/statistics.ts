import type { RingClient } from '#contract'

/**
 * The service's statistics page as bytes: native/ring/statistics.h, where its layout is asserted. Numbers are stored one by one
 * while we read: each is whole, two need not be of the same moment.
 */
export const HEAD_BYTES = 128
export const CLIENT_BYTES = 640
const MAGIC = 0x74617453
const VERSION = 1
const BUCKETS = 64

/** The page's head. */
export interface PageHead {
  places: number
  sectors: number
  cacheBytes: number
  cacheSectors: number
  usesIoUring: boolean
  requests: number
  hits: number
  misses: number
  sleeps: number
  clientsNow: number
  clientsEver: number
}

/** Null if it is not a page of this version. */
export function parseHead(page: Buffer): PageHead | null {
  if (page.length < HEAD_BYTES || page.readUInt32LE(0) !== MAGIC || page.readUInt32LE(4) !== VERSION || page.readUInt32LE(12) !== BUCKETS) return null
  return {
    places: page.readUInt32LE(8),
    sectors: wide(page, 16),
    cacheBytes: wide(page, 24),
    cacheSectors: page.readUInt32LE(32),
    usesIoUring: page.readUInt32LE(36) !== 0,
    requests: wide(page, 40),
    hits: wide(page, 48),
    misses: wide(page, 56),
    sleeps: wide(page, 64),
    clientsNow: page.readUInt32LE(72),
    clientsEver: page.readUInt32LE(76)
  }
}

/** The clients among the places that a part of the page holds. @param firstPlace number of the first of them */
export function parseClients(part: Buffer, firstPlace: number): RingClient[] {
  const clients: RingClient[] = []
  for (let at = 0; at + CLIENT_BYTES <= part.length; at += CLIENT_BYTES) {
    if (part.readUInt32LE(at) !== 0) clients.push(parseClient(part.subarray(at, at + CLIENT_BYTES), firstPlace + at / CLIENT_BYTES))
  }
  return clients
}

function parseClient(entry: Buffer, place: number): RingClient {
  return {
    pid: entry.readUInt32LE(0),
    own: entry.readUInt32LE(0) === process.pid,
    place,
    joined: entry.readUInt32LE(28),
    slots: entry.readUInt32LE(4),
    requests: { producer: entry.readUInt32LE(8), consumer: entry.readUInt32LE(12) },
    responses: { producer: entry.readUInt32LE(16), consumer: entry.readUInt32LE(20) },
    inFlight: entry.readUInt32LE(24),
    answered: wide(entry, 40),
    hits: wide(entry, 48),
    misses: wide(entry, 56),
    refused: wide(entry, 64),
    latencySumNs: wide(entry, 72),
    latency: Array.from({ length: BUCKETS }, (_, bucket) => wide(entry, 80 + 8 * bucket))
  }
}

/** Counts stay far below 2^53. */
const wide = (bytes: Buffer, at: number): number => Number(bytes.readBigUInt64LE(at))
