import type { StreamMessage } from '#contract'

/** A console as a guest shows it: its start, then a prompt that echoes. */
const BOOT = [
  '[    0.000000] Linux version 6.1.0-28-amd64 (debian-kernel@lists.debian.org)',
  '[    0.412331] virtio_blk virtio2: [vda] 2097152 512-byte logical blocks (1.07 GB/1.00 GiB)',
  '[    1.071204] EXT4-fs (vda): mounted filesystem with ordered data mode.',
  '',
  'Strata guest. You are root here; what you write stays on this disk.',
  'Over SSH: user root, password strata.',
  '',
  'lab1:~# '
].join('\r\n')

/** Serves one end of a port as the console of a guest. */
export function serveConsole(port: MessagePort): void {
  const text = new TextEncoder()
  const say = (words: string): void => {
    const bytes = text.encode(words)
    port.postMessage(bytes.buffer satisfies StreamMessage, [bytes.buffer])
  }
  let line = ''
  port.onmessage = (event: MessageEvent<StreamMessage>) => {
    if (!(event.data instanceof ArrayBuffer)) return
    port.postMessage({ kind: 'acknowledged', bytes: event.data.byteLength } satisfies StreamMessage)
    for (const key of new TextDecoder().decode(event.data)) {
      if (key === '\r' || key === '\n') {
        say(`\r\n${answerTo(line)}lab1:~# `)
        line = ''
      } else {
        line += key
        say(key)
      }
    }
  }
  say(BOOT)
}

const answerTo = (line: string): string =>
  line.trim() === ''
    ? ''
    : line.startsWith('uname')
      ? 'Linux lab1 6.1.0-28-amd64 #1 SMP x86_64 GNU/Linux\r\n'
      : `${line.split(' ')[0]}: not found\r\n`
