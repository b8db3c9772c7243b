import { failure, type ResultOf } from '#contract'
import { readBytes, removeFile, writeFileAtomic } from '../host/files'
import type { ManagedMachine } from './machine'
import type { Qemu } from './qemu'

/** A PNG begins with its signature and IHDR: width and height are at these offsets (PNG specification, 5.2 and 11.2.2). */
const PNG_WIDTH_OFFSET = 16
const PNG_HEIGHT_OFFSET = 20

/** A picture of the machine's screen. QEMU writes it (`screendump`, PNG since 7.1) into the private runtime folder. */
export async function takeScreenshot(machine: ManagedMachine, file: string | null): Promise<ResultOf<'machine.screenshot'>> {
  const qemu = machine.live('photographed')
  if (!qemu.record.definition.display) {
    throw failure('unsupported', `“${machine.name}” has no screen.`, { next: 'Switch the display on in its settings; it is there at the next start.' })
  }
  const png = await screenPng(qemu)
  if (file !== null) await writeFileAtomic(file, png, 0o644)
  return {
    widthPixels: png.readUInt32BE(PNG_WIDTH_OFFSET),
    heightPixels: png.readUInt32BE(PNG_HEIGHT_OFFSET),
    file,
    pngBase64: file === null ? png.toString('base64') : null
  }
}

/** The screen of a machine that has one, as PNG. */
export async function screenPng({ qmp, runtime }: Qemu): Promise<Buffer> {
  await qmp.execute('screendump', { filename: runtime.screenshot, format: 'png' })
  return readBytes(runtime.screenshot).finally(() => removeFile(runtime.screenshot))
}
