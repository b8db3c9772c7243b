/** A file of the root folder. */
export interface IsoFile {
  /** At most 64 characters, none of `* / : ; ? \`. */
  name: string
  content: string
}

const SECTOR = 2048
/** Where things lie, in sectors. Volume descriptors begin at 16; path tables and folders take one sector each. */
const AT = { primary: 16, joliet: 17, end: 18, tables: 19, folders: 23, files: 25 } as const

/** One of the two views of the same files: with plain names for everybody, and with long ones (Joliet) for all systems of today. */
interface View {
  descriptor: 1 | 2
  /** Of its little-endian path table; the big-endian one follows. */
  tableAt: number
  folderAt: number
  /** Text padded to a field of this many bytes. */
  text: (value: string, bytes: number) => Buffer
  name: (name: string) => Buffer
}

const PRIMARY: View = {
  descriptor: 1,
  tableAt: AT.tables,
  folderAt: AT.folders,
  text: (value, bytes) => Buffer.from(value.padEnd(bytes).slice(0, bytes), 'latin1'),
  name: (name) => Buffer.from(`${name.toUpperCase().replace(/[^A-Z0-9]/g, '_').slice(0, 8)}.;1`, 'latin1')
}
const JOLIET: View = {
  descriptor: 2,
  tableAt: AT.tables + 2,
  folderAt: AT.folders + 1,
  text: (value, bytes) => ucs2(value.padEnd(bytes / 2).slice(0, bytes / 2), bytes),
  name: (name) => ucs2(`${name};1`)
}

/**
 * A small CD image with these files in its root folder. Their names must differ in their first eight characters.
 * Source: ECMA-119 (ISO 9660); Microsoft, "Joliet Specification".
 */
export function buildIso(label: string, files: readonly IsoFile[], createdAt: Date): Buffer {
  const sorted = [...files].sort((a, b) => (a.name < b.name ? -1 : 1))
  const contents = sorted.map((file) => Buffer.from(file.content))
  const starts = contents.map((_, index) => AT.files + contents.slice(0, index).reduce((sum, content) => sum + sectorsOf(content), 0))
  const sectors = AT.files + contents.reduce((sum, content) => sum + sectorsOf(content), 0)
  const iso = Buffer.alloc(sectors * SECTOR)
  for (const view of [PRIMARY, JOLIET]) {
    descriptor(view, label, sectors, createdAt).copy(iso, (view === PRIMARY ? AT.primary : AT.joliet) * SECTOR)
    for (const bigEndian of [false, true]) pathTable(view, bigEndian).copy(iso, (view.tableAt + Number(bigEndian)) * SECTOR)
    const records = sorted.map((file, index) => record(view.name(file.name), starts[index] ?? 0, contents[index]?.length ?? 0, false, createdAt))
    folder(view, records, createdAt).copy(iso, view.folderAt * SECTOR)
  }
  Buffer.from('\xffCD001\x01', 'latin1').copy(iso, AT.end * SECTOR)
  contents.forEach((content, index) => content.copy(iso, (starts[index] ?? 0) * SECTOR))
  return iso
}

const sectorsOf = (content: Buffer): number => Math.ceil(content.length / SECTOR)

/** Volume descriptor, ECMA-119 8.4 and 8.5. */
function descriptor(view: View, label: string, sectors: number, createdAt: Date): Buffer {
  const bytes = Buffer.alloc(SECTOR)
  bytes[0] = view.descriptor
  bytes.write('CD001\x01', 1, 'latin1')
  view.text('LINUX', 32).copy(bytes, 8)
  view.text(label, 32).copy(bytes, 40)
  both32(sectors).copy(bytes, 80)
  if (view === JOLIET) bytes.write('%/E', 88, 'latin1') // UCS-2 level 3
  for (const [value, offset] of [[1, 120], [1, 124], [SECTOR, 128]] as const) both16(value).copy(bytes, offset)
  both32(TABLE_BYTES).copy(bytes, 132)
  bytes.writeUInt32LE(view.tableAt, 140)
  bytes.writeUInt32BE(view.tableAt + 1, 148)
  record(Buffer.from([0]), view.folderAt, SECTOR, true, createdAt).copy(bytes, 156)
  for (const [offset, length] of [[190, 128], [318, 128], [446, 128], [574, 128], [702, 37], [739, 37], [776, 37]] as const) view.text('', length).copy(bytes, offset)
  for (const offset of [813, 830, 847, 864]) bytes.write('0'.repeat(16), offset, 'latin1') // times: not given
  bytes[881] = 1
  return bytes
}

const TABLE_BYTES = 10
/** Path table with the root alone, ECMA-119 9.4. */
function pathTable(view: View, bigEndian: boolean): Buffer {
  const bytes = Buffer.alloc(TABLE_BYTES)
  bytes[0] = 1
  if (bigEndian) bytes.writeUInt32BE(view.folderAt, 2)
  else bytes.writeUInt32LE(view.folderAt, 2)
  bytes[bigEndian ? 7 : 6] = 1
  return bytes
}

/** The root folder: itself, its parent (itself again), its files. */
function folder(view: View, records: Buffer[], createdAt: Date): Buffer {
  const dots = [0, 1].map((name) => record(Buffer.from([name]), view.folderAt, SECTOR, true, createdAt))
  const bytes = Buffer.concat([...dots, ...records])
  if (bytes.length > SECTOR) throw new RangeError('too many files for a small CD image')
  return bytes
}

/** Directory record, ECMA-119 9.1. */
function record(name: Buffer, startSector: number, sizeBytes: number, isFolder: boolean, at: Date): Buffer {
  const bytes = Buffer.alloc(Math.ceil((33 + name.length) / 2) * 2)
  bytes[0] = bytes.length
  both32(startSector).copy(bytes, 2)
  both32(sizeBytes).copy(bytes, 10)
  Buffer.from([at.getUTCFullYear() - 1900, at.getUTCMonth() + 1, at.getUTCDate(), at.getUTCHours(), at.getUTCMinutes(), at.getUTCSeconds(), 0]).copy(bytes, 18)
  bytes[25] = isFolder ? 2 : 0
  both16(1).copy(bytes, 28)
  bytes[32] = name.length
  name.copy(bytes, 33)
  return bytes
}

/** A number in both byte orders, one after the other. */
function both16(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt16LE(value, 0)
  bytes.writeUInt16BE(value, 2)
  return bytes
}
function both32(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeUInt32LE(value, 0)
  bytes.writeUInt32BE(value, 4)
  return bytes
}

/** UCS-2 in big-endian order; a field of odd length ends with a zero byte. */
const ucs2 = (text: string, bytes = text.length * 2): Buffer => Buffer.concat([Buffer.from(text, 'utf16le').swap16()], bytes)
