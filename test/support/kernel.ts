/**
 * Kernels of a few bytes, for machines that have to run something and nothing more. Source of the header: Multiboot 0.6.96, 3.1: magic, flags
 * (addresses follow), checksum, addresses.
 */
const LOADED_AT = 0x100000
const HEADER_BYTES = 32

/** Where `echoKernel` keeps the last byte that it was sent. */
export const CELL = 0x200000

/** Prints a line on the serial port and halts. */
export function printKernel(line: string): Buffer {
  const print = [...Buffer.from(`${line}\n`)].flatMap((byte) => [0xb0, byte, 0xee]) // mov al, byte; out dx, al
  return multiboot([0x66, 0xba, 0xf8, 0x03, ...print, 0xfa, 0xf4, 0xeb, 0xfd]) // mov dx, 0x3f8; ...; cli; hlt; jmp to hlt
}

/** Keeps each byte that comes from the serial port in memory at `CELL`, and sends it back. */
export function echoKernel(): Buffer {
  const waiting = [0x66, 0xba, 0xfd, 0x03, 0xec, 0xa8, 0x01, 0x74, 0xf7] // mov dx, 0x3fd; in al, dx; test al, 1; jz to the beginning
  const keeping = [0x66, 0xba, 0xf8, 0x03, 0xec, 0xa2, 0, 0, 0x20, 0, 0xee, 0xeb, 0xea] // mov dx, 0x3f8; in al, dx; mov [CELL], al; out dx, al; jmp
  return multiboot([...waiting, ...keeping])
}

function multiboot(code: number[]): Buffer {
  const header = Buffer.alloc(HEADER_BYTES)
  const end = LOADED_AT + HEADER_BYTES + code.length
  const words = [0x1badb002, 0x10000, 2 ** 32 - 0x1badb002 - 0x10000, LOADED_AT, LOADED_AT, end, end, LOADED_AT + HEADER_BYTES]
  for (const [i, word] of words.entries()) header.writeUInt32LE(word, 4 * i)
  return Buffer.concat([header, Buffer.from(code)])
}
