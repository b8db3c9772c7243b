/**
 * npm run -s bench -- qmp [ROUNDS]: `query-status` round trips on a real QEMU, through the client against a bare socket loop
 * that only waits for a line, in blocks by turns.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { QmpSession } from '#core/qmp/session'
import { emit, median, progress, quantile, rounded } from './support/figures'

const BLOCK = 1000
const rounds = Number(process.argv[2] ?? 10)
const folder = mkdtempSync(join(tmpdir(), 'strata-bench-'))

function openRaw(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    socket.once('error', reject)
    socket.once('connect', () => resolve(socket))
  })
}

async function untilThere<T>(act: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await act()
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
}

/** Sends a line and waits for the next one: the least that a round trip can be. */
function bareLoop(socket: Socket): (line: string) => Promise<string> {
  let waiting: ((line: string) => void) | null = null
  let text = ''
  socket.on('data', (bytes: Buffer) => {
    text += bytes.toString()
    const end = text.indexOf('\n')
    if (end < 0) return
    const line = text.slice(0, end)
    text = text.slice(end + 1)
    waiting?.(line)
  })
  return (line) =>
    new Promise((resolve) => {
      waiting = resolve
      socket.write(line)
    })
}

async function timed(act: () => Promise<unknown>): Promise<number[]> {
  const microseconds: number[] = []
  for (let n = 0; n < BLOCK; n++) {
    const began = performance.now()
    await act()
    microseconds.push((performance.now() - began) * 1000)
  }
  return microseconds
}

const sockets = ['a', 'b'].map((name) => join(folder, name))
const qemu = spawn('qemu-system-x86_64', ['-M', 'none', '-nodefaults', '-display', 'none', '-S', ...sockets.flatMap((path) => ['-qmp', `unix:${path},server=on,wait=off`])], { stdio: 'ignore' })
async function main(): Promise<void> {
  try {
    const session = await untilThere(() => QmpSession.connect(sockets[0]!))
    const raw = await openRaw(sockets[1]!)
    const ask = bareLoop(raw)
    await new Promise((resolve) => raw.once('data', resolve))
    await ask('{"execute":"qmp_capabilities"}\n')
    const client: number[] = []
    const bare: number[] = []
    for (let round = 0; round <= rounds; round++) {
      const ours = await timed(() => session.execute('query-status'))
      const theirs = await timed(() => ask('{"execute":"query-status"}\n'))
      if (round === 0) continue // both warm up
      client.push(...ours)
      bare.push(...theirs)
      progress(`${round}/${rounds}: client ${median(ours).toFixed(1)} us, bare ${median(theirs).toFixed(1)} us`)
    }
    emit('qmp', {
      qemu: session.version,
      roundTrips: client.length,
      clientMicroseconds: rounded(median(client), 1),
      bareMicroseconds: rounded(median(bare), 1),
      clientP99Microseconds: rounded(quantile(client, 0.99), 1),
      ratio: rounded(median(client) / median(bare))
    })
    session.close()
    raw.destroy()
  } finally {
    qemu.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
}
void main()
