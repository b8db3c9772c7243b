import { failure, Failure, type ResultOf } from '#contract'
import { fileFailure } from '../host/file-failure'
import { encodePng } from '../host/png'
import { readBytes, removeFile, writeFileAtomic } from '../host/files'
import type { ManagedMachine } from './machine'
import type { Qemu } from './qemu'

/** A picture in the format of netpbm begins with its size, in words. */
const PPM_HEAD_BYTES = 64

/** A picture of the machine's screen. QEMU writes it (`screendump`) into the private runtime folder. */
export async function takeScreenshot(machine: ManagedMachine, file: string | null): Promise<ResultOf<'machine.screenshot'>> {
  const qemu = machine.live('photographed')
  if (!qemu.record.definition.display) {
    throw failure('unsupported', `“${machine.name}” has no screen.`, { next: 'Switch the display on in its settings; it is there at the next start.' })
  }
  const { widthPixels, heightPixels, png } = await screenPng(qemu)
  if (file !== null) await writeFileAtomic(file, png, 0o644)
  return {
    widthPixels,
    heightPixels,
    file,
    pngBase64: file === null ? png.toString('base64') : null
  }
}

/**
 * The screen of a machine that has one. QEMU could write PNG itself, but its guest would stand still for 40 ms meanwhile.
 * @throws no-space, protocol (what it wrote is no picture)
 */
export async function screenPng({ qmp, runtime }: Qemu): Promise<{ widthPixels: number; heightPixels: number; png: Buffer }> {
  await qmp.execute('screendump', { filename: runtime.screenshot, format: 'ppm' }).catch((error: unknown) => {
    if (!(error instanceof Failure) || !error.error.causes.some((cause) => cause.includes('No space left'))) throw error
    throw fileFailure(Object.assign(error, { code: 'ENOSPC' }), runtime.screenshot, 'written')
  })
  const ppm = await readBytes(runtime.screenshot).finally(() => removeFile(runtime.screenshot))
  const [head, width, height] = /^P6\s+(\d+)\s+(\d+)\s+255\s/.exec(ppm.toString('latin1', 0, PPM_HEAD_BYTES)) ?? []
  const [widthPixels, heightPixels] = [Number(width), Number(height)]
  if (!head || ppm.length < head.length + widthPixels * heightPixels * 3) throw failure('protocol', 'QEMU wrote no picture of the screen.', { peer: 'QEMU' })
  return { widthPixels, heightPixels, png: await encodePng(widthPixels, heightPixels, ppm.subarray(head.length)) }
}
