import { failure, type ImageFormat } from '#contract'

/**
 * What an image's own header says of other files. Read here and not by QEMU, as QEMU would open what the header names: an
 * image from somewhere else could name any file of this computer.
 */
export interface Header {
  /** The image it stands on, as written in it. */
  backing: { name: string; format: string | null } | null
  /** qcow2 whose clusters lie in another file. */
  dataFile: string | null
  /** Files that hold parts of it (a VMDK of several files). */
  extents: string[]
  encrypted: boolean
}

const ALONE: Header = { backing: null, dataFile: null, extents: [], encrypted: false }

/** @param start the first bytes of the file, as many as its header has. @throws bad-file, unsupported */
export function readHeader(path: string, format: ImageFormat, start: Buffer, end: Buffer): Header {
  try {
    switch (format) {
      case 'qcow2':
        return readQcow2(start)
      case 'vmdk':
        return readVmdk(start)
      case 'vpc':
        return readVpc(path, end)
      case 'raw':
      case 'vdi':
      case 'vhdx':
        return ALONE // QEMU 7.2 refuses the variants that stand on another image
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw failure('bad-file', `“${path}” is damaged: its header ends too early.`, { path, next: 'Get the file again.', cause: error })
  }
}

const BACKING_FORMAT = 0xe2792aca
const DATA_FILE = 0x44415441
const USES_DATA_FILE = 1n << 2n

/** Source: QEMU, docs/interop/qcow2.txt, "Header" and "Header extensions". */
function readQcow2(start: Buffer): Header {
  if (start.toString('latin1', 0, 4) !== 'QFI\xfb') return ALONE // not qcow2 at all: QEMU says so in its own words
  const version = start.readUInt32BE(4)
  const nameOffset = Number(start.readBigUInt64BE(8))
  const nameBytes = start.readUInt32BE(16)
  const extensions = readExtensions(start, version >= 3 ? start.readUInt32BE(100) : 72)
  const usesDataFile = version >= 3 && (start.readBigUInt64BE(72) & USES_DATA_FILE) !== 0n
  if (nameOffset + nameBytes > start.length) throw new RangeError('the name of the backing file is not in the header')
  return {
    backing: nameOffset === 0 ? null : { name: start.toString('utf8', nameOffset, nameOffset + nameBytes), format: extensions.get(BACKING_FORMAT) ?? null },
    dataFile: usesDataFile ? (extensions.get(DATA_FILE) ?? '') : null,
    extents: [],
    encrypted: start.readUInt32BE(32) !== 0
  }
}

function readExtensions(start: Buffer, from: number): Map<number, string> {
  const found = new Map<number, string>()
  for (let offset = from; ; ) {
    const type = start.readUInt32BE(offset)
    const bytes = start.readUInt32BE(offset + 4)
    if (type === 0) return found
    found.set(type, start.toString('utf8', offset + 8, offset + 8 + bytes))
    offset += 8 + Math.ceil(bytes / 8) * 8
  }
}

const SECTOR_BYTES = 512

/** Source: VMware, "Virtual Disk Format 5.0": a text descriptor, in a file of its own or inside a sparse extent. */
function readVmdk(start: Buffer): Header {
  if (start.toString('latin1', 0, 4) !== 'KDMV') {
    const text = start.toString('utf8')
    return { ...ALONE, backing: parentOf(text), extents: [...text.matchAll(/^\s*(?:RW|RDONLY|NOACCESS)\s+\d+\s+\w+\s+"([^"\n]*)"/gm)].map((match) => match[1] ?? '') }
  }
  const from = Number(start.readBigUInt64LE(28)) * SECTOR_BYTES
  return { ...ALONE, backing: parentOf(start.toString('utf8', from, from + Number(start.readBigUInt64LE(36)) * SECTOR_BYTES)) }
}

function parentOf(descriptor: string): Header['backing'] {
  const parent = /^\s*parentFileNameHint\s*=\s*"([^"\n]*)"/m.exec(descriptor)?.[1]
  return parent === undefined ? null : { name: parent, format: 'vmdk' }
}

const DIFFERENCING = 4

/** Source: Microsoft, "Virtual Hard Disk Image Format Specification", "Hard disk footer format". */
function readVpc(path: string, end: Buffer): Header {
  const footer = end.subarray(-SECTOR_BYTES)
  if (footer.toString('latin1', 0, 8) === 'conectix' && footer.readUInt32BE(60) === DIFFERENCING) {
    throw failure('unsupported', `“${path}” is a differencing VHD: it stands on another image.`, { next: 'Merge it into its parent first, where it was made.' })
  }
  return ALONE
}
