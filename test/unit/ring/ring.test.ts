import { describe, expect, it } from 'vitest'
import { jain, parseLine } from '#core/ring/load'
import { CLIENT_BYTES, HEAD_BYTES, parseClients, parseHead } from '#core/ring/statistics'

describe('a client’s line', () => {
  it('is max, average, minimum, deviation and rate', () => {
    expect(parseLine('212200|120000|100000|234.1|8333.3\n')).toEqual({ maxNs: 212200, meanNs: 120000, minNs: 100000, deviationNs: 234.1, perSecond: 8333.3 })
    for (const bad of ['', '1|2|3|4', '1|2|3|4|x', '1|2|3|4|5|6']) expect(parseLine(bad)).toBeNull()
  })
})

it('Jain’s index is 1 among equals and 1/n when one has all', () => {
  expect(jain([3, 3, 3])).toBe(1)
  expect(jain([9, 0, 0, 0])).toBe(0.25)
})

describe('the statistics page', () => {
  it('of another version is not read', () => {
    expect(parseHead(Buffer.alloc(HEAD_BYTES))).toBeNull()
    expect(parseHead(Buffer.alloc(10))).toBeNull()
  })

  it('names the clients in the places that are taken', () => {
    const page = Buffer.alloc(3 * CLIENT_BYTES)
    page.writeUInt32LE(77, CLIENT_BYTES)
    page.writeUInt32LE(16, CLIENT_BYTES + 4)
    page.writeUInt32LE(0xffff_ffff, CLIENT_BYTES + 8)
    page.writeBigUInt64LE(5n, CLIENT_BYTES + 80 + 8 * 33)
    expect(parseClients(page, 32)).toMatchObject([{ pid: 77, own: false, place: 33, slots: 16, requests: { producer: 0xffff_ffff, consumer: 0 } }])
    expect(parseClients(page, 0)[0]!.latency[33]).toBe(5)
  })
})
