import type { Machine } from '#contract'
import { attempt, openStream, toastError } from '../../app'

/** Offers all that the console printed since the start as a file; the system asks where to put it. */
export async function saveLog(machine: Machine): Promise<void> {
  const log = await attempt('console.log', { machine: machine.id, tailBytes: 1 })
  if (!log.ok) return
  const opened = await openStream('console', { machine: machine.id, fromByte: 0 })
  if (!opened.ok) return toastError(opened.error)
  const { value: channel } = opened
  const parts: Uint8Array<ArrayBuffer>[] = []
  let received = 0
  await new Promise<void>((resolve) => {
    channel.onEnd(() => resolve())
    if (log.value.totalBytes === 0) resolve()
    channel.onData((data, used) => {
      parts.push(data.slice())
      received += data.byteLength
      used()
      if (received >= log.value.totalBytes) resolve()
    })
  })
  channel.close()
  download(new Blob(parts, { type: 'text/plain' }), `${machine.name}-console.log`)
}

function download(content: Blob, name: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(content)
  link.download = name
  link.click()
  // The download has its own hold on the content once it has begun.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}
