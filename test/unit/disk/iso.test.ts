import { describe, expect, test } from 'vitest'
import { buildIso, type IsoFile } from '#core/disk/iso'

const AT = new Date(Date.UTC(2024, 1, 29, 13, 14, 15))
const FILES: IsoFile[] = [
  { name: 'user-data', content: '#cloud-config\n' + 'ü'.repeat(3000) },
  { name: 'meta-data', content: '{}' },
  { name: 'empty', content: '' }
]

/** Reads a view of an image back, by the standard and not by the writer. */
function readBack(iso: Buffer, descriptorType: 1 | 2): { label: string; files: Map<string, string> } {
  const sector = (n: number): Buffer => iso.subarray(n * 2048, (n + 1) * 2048)
  let at = 16
  while (sector(at)[0] !== descriptorType) {
    expect(sector(at).toString('latin1', 1, 6)).toBe('CD001')
    expect(sector(at)[0]).not.toBe(255)
    at++
  }
  const descriptor = sector(at)
  const text = (bytes: Buffer): string => (descriptorType === 1 ? bytes.toString('latin1') : Buffer.from(bytes).swap16().toString('utf16le'))
  expect(descriptor.readUInt32LE(80)).toBe(iso.length / 2048)
  expect(descriptor.readUInt32BE(84)).toBe(iso.length / 2048)
  const folder = sector(descriptor.readUInt32LE(156 + 2))
  const files = new Map<string, string>()
  for (let offset = 0; folder[offset]; offset += folder[offset] ?? 0) {
    const record = folder.subarray(offset, offset + (folder[offset] ?? 0))
    expect(record.readUInt32LE(2)).toBe(record.readUInt32BE(6))
    expect(record.readUInt32LE(10)).toBe(record.readUInt32BE(14))
    expect([...record.subarray(18, 25)]).toEqual([124, 2, 29, 13, 14, 15, 0])
    if ((record[25] ?? 0) & 2) continue
    const start = record.readUInt32LE(2) * 2048
    files.set(text(record.subarray(33, 33 + (record[32] ?? 0))), iso.toString('utf8', start, start + record.readUInt32LE(10)))
  }
  for (const [where, read] of [[140, 'readUInt32LE'], [148, 'readUInt32BE']] as const) {
    expect(sector(descriptor[read](where))[read](2)).toBe(descriptor.readUInt32LE(156 + 2)) // the path table knows the root
  }
  return { label: text(descriptor.subarray(40, 72)).trimEnd(), files }
}

describe('a small CD image', () => {
  const iso = buildIso('cidata', FILES, AT)

  test('holds the files under their own names (Joliet)', () => {
    const { label, files } = readBack(iso, 2)
    expect(label).toBe('cidata')
    expect([...files]).toEqual([['empty;1', ''], ['meta-data;1', '{}'], ['user-data;1', FILES[0]?.content]])
  })

  test('holds the same files under plain names', () => {
    const { label, files } = readBack(iso, 1)
    expect(label).toBe('cidata')
    expect([...files.keys()]).toEqual(['EMPTY.;1', 'META_DAT.;1', 'USER_DAT.;1'])
    expect([...files.values()]).toEqual([...readBack(iso, 2).files.values()])
  })

  test('is the same for the same files', () => {
    expect(buildIso('cidata', [...FILES].reverse(), AT).equals(iso)).toBe(true)
  })

  test('refuses more files than its one folder holds', () => {
    expect(() => buildIso('x', Array.from({ length: 60 }, (_, n) => ({ name: `file${n}`, content: '' })), AT)).toThrow(RangeError)
  })
})
