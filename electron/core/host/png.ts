import { promisify } from 'node:util'
import { crc32, deflate } from 'node:zlib'

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
const BITS = 8
const COLOUR_RGB = 2
/** Screens are mostly areas of one colour: more effort makes them hardly smaller. */
const LEVEL = 3

/** An image without transparency as PNG. @param rgb three bytes a pixel, row by row. Source: PNG specification, 5 and 11. */
export async function encodePng(widthPixels: number, heightPixels: number, rgb: Buffer): Promise<Buffer> {
  const rowBytes = widthPixels * 3
  const rows = Buffer.alloc((1 + rowBytes) * heightPixels) // before each row the way it is filtered: 0, not at all
  for (let row = 0; row < heightPixels; row++) rgb.copy(rows, row * (1 + rowBytes) + 1, row * rowBytes, (row + 1) * rowBytes)
  const header = Buffer.alloc(13)
  header.writeUInt32BE(widthPixels, 0)
  header.writeUInt32BE(heightPixels, 4)
  header.writeUInt8(BITS, 8)
  header.writeUInt8(COLOUR_RGB, 9)
  const data = await promisify<Buffer, { level: number }, Buffer>(deflate)(rows, { level: LEVEL })
  return Buffer.concat([SIGNATURE, chunk('IHDR', header), chunk('IDAT', data), chunk('IEND', Buffer.alloc(0))])
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const length = Buffer.alloc(4)
  length.writeUInt32BE(data.length)
  const sum = Buffer.alloc(4)
  sum.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, sum])
}
