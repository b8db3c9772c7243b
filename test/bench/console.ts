/**
 * npm run -s bench -- console [ROUNDS]: what the window adds to a serial console. Each round has a client of QEMU's own socket, without the
 * app, and then the window's console at the same port of the same QEMU: the guest prints 4 MB, from Enter to the last line received or drawn;
 * and keys one by one, from the press to the echo received or drawn. The guest's emulated port sets the pace; what the window takes when
 * nothing else does is told beside it, from the same bytes put where QEMU puts them.
 */
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { makeHome, Strata, strata as command, type Home } from '../support/e2e-app'
import { emit, median, progress, quantile, rounded } from './support/figures'
import { armStopwatch, openSocket, openWindowConsole, readStopwatch, type SerialPort } from './support/serial'

const MACHINE = 'lab1'
const FLOOD_BYTES = 4e6
const APPENDED_BYTES = 32e6
/** A round: so many keys, in lines that fit the screen. */
const LINES = 4
const LINE = 'abcdefghijklmnopqrstuvwxyz'
const rounds = Number(process.argv[2] ?? 3)

/** Of one round. */
interface Figures {
  bytesPerSecond: number
  echoMs: number[]
}

/** A file in the guest's memory, of lines as programs print them. Answers how many bytes the port carries when it is printed. */
async function makeFlood(home: Home): Promise<number> {
  const script = `mkdir -p /tmp/bench && mount -t tmpfs none /tmp/bench && cd /tmp/bench
    awk 'BEGIN { for (n = 0; n < 1000; n++) printf "the quick brown fox jumps over the lazy dog \\033[32mgreen\\033[0m %d\\n", n }' > block
    size=$(wc -c < block); n=0
    while [ $n -lt ${FLOOD_BYTES} ]; do cat block; n=$((n + size + 1000)); done > flood
    wc -l < flood; wc -c < flood`
  const counts = (await command(home, 'guest', 'exec', MACHINE, '--', 'sh', '-c', script)).trim().split(/\s+/)
  // The line discipline adds a carriage return to each line.
  return counts.reduce((sum, count) => sum + Number(count), 0)
}

async function measurePort(port: SerialPort, floodBytes: number, round: number): Promise<Figures> {
  // What is typed does not hold the mark as it is printed: the echo is not taken for it.
  const tookMs = await port.runUntil(`clear; cat /tmp/bench/flood; echo "en""d-${round}"`, `end-${round}`)
  const echoMs: number[] = []
  for (let line = 0; line < LINES; line++) {
    // The kernel's own echo, and no shell that edits the line.
    await port.runUntil(`clear; echo "re""ady-${line}"; cat > /dev/null`, `ready-${line}`)
    await delay(300)
    for (let at = 0; at < LINE.length; at++) {
      const took = await port.echo(LINE[at]!, LINE.slice(0, at + 1))
      if (at > 0) echoMs.push(took) // the first one may be waiting for a connection
      await delay(30 + Math.random() * 20) // in step with neither screen nor guest
    }
    await port.interrupt()
  }
  return { bytesPerSecond: (floodBytes / tookMs) * 1000, echoMs }
}

/** What the window takes by itself: output that is there at once, where QEMU puts it. */
async function measureWindow(strata: Strata): Promise<number> {
  const block = Buffer.from('the quick brown fox jumps over the lazy dog \x1b[32mgreen\x1b[0m\r\n'.repeat(16_000))
  const log = join(strata.home.library, 'machines', MACHINE, 'console.log')
  await armStopwatch(strata, 'all-is-there', performance.timeOrigin + performance.now())
  let bytes = 0
  for (; bytes < APPENDED_BYTES; bytes += block.length) appendFileSync(log, block)
  appendFileSync(log, 'all-is-there\r\n')
  return (bytes / (await readStopwatch(strata))) * 1000
}

/** QEMU's own socket of the machine's first serial port. */
async function serialSocket(home: Home): Promise<string> {
  const line = JSON.parse(await command(home, 'machine', 'command-line', MACHINE, '--json')) as { arguments: string[] }
  const found = line.arguments.map((argument) => /id=serial0,.*?path=([^,]+)/.exec(argument)?.[1]).find((path) => path !== undefined)
  if (!found) throw new Error('there is no serial port in the command line')
  return found
}

async function main(): Promise<void> {
  const home = makeHome()
  const bare: Figures[] = []
  const window: Figures[] = []
  const alone: number[] = []
  try {
    await command(home, 'machine', 'create', MACHINE)
    await command(home, 'machine', 'start', MACHINE, '--wait', 'agent')
    const floodBytes = await makeFlood(home)
    const socketPath = await serialSocket(home)
    for (let round = 1; round <= rounds; round++) {
      const socket = await openSocket(socketPath)
      bare.push(await measurePort(socket, floodBytes, round))
      await socket.close()
      const strata = await Strata.launch(home)
      try {
        const shown = await openWindowConsole(strata, MACHINE)
        window.push(await measurePort(shown, floodBytes, round))
        alone.push(await measureWindow(strata))
        await shown.close()
      } finally {
        if (!strata.isGone) await strata.kill()
      }
      const told = (of: Figures[]): string => `${(of.at(-1)!.bytesPerSecond / 1024).toFixed(0)} KiB/s, echo ${median(of.at(-1)!.echoMs).toFixed(1)} ms`
      progress(`${round}/${rounds}: bare ${told(bare)}; window ${told(window)}, by itself ${(alone.at(-1)! / 2 ** 20).toFixed(1)} MiB/s`)
    }
    report(floodBytes, bare, window, alone)
  } finally {
    await home.remove()
  }
}

function report(floodBytes: number, bare: Figures[], window: Figures[], alone: number[]): void {
  const speed = (of: Figures[]): number => median(of.map(({ bytesPerSecond }) => bytesPerSecond))
  const echo = (of: Figures[]): { keys: number; medianMs: number; p99Ms: number } => {
    const all = of.flatMap(({ echoMs }) => echoMs)
    return { keys: all.length, medianMs: rounded(median(all)), p99Ms: rounded(quantile(all, 0.99)) }
  }
  emit('console', {
    rounds,
    floodBytes,
    bareBytesPerSecond: rounded(speed(bare), 0),
    windowBytesPerSecond: rounded(speed(window), 0),
    throughputRatio: rounded(speed(window) / speed(bare)),
    windowAloneBytesPerSecond: rounded(median(alone), 0),
    echo: { bare: echo(bare), window: echo(window) }
  })
}

void main()
