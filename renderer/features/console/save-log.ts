import type { AppError, Machine } from '#contract'
import { call, openStream } from '../../app'

/** Offers all that the console printed since the start as a file; the system asks where to put it. Null when that went well. */
export async function saveLog(machine: Machine): Promise<AppError | null> {
  const log = await call('console.log', { machine: machine.id, tailBytes: 1 })
  if (!log.ok) return log.error
  const opened = await openStream('console', { machine: machine.id, fromByte: 0 })
  if (!opened.ok) return opened.error
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
  return null
}

function download(content: Blob, name: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(content)
  link.download = name
  link.click()
  // The download has its own hold on the content once it has begun.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}
