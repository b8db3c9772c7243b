/**
 * npm run -s bench -- restore [RUNS]: a snapshot of a running guest is restored in place, at 256 MB and 4 GB: until QEMU runs it (what is tidied up
 * after that is not counted), and until its console answers; with a QEMU that stands by, and without. Beside it QEMU's own way: the whole stream through
 * -incoming, until it runs.
 */
import { spawn } from 'node:child_process'
import { openSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { QmpSession } from '#core/qmp/session'
import { waitForSocket } from '#core/host/socket'
import { emit, median, progress, rounded } from './support/figures'
import { withLab, type BenchLab } from './support/lab'

const runs = Number(process.argv[2] ?? 5)
const MACHINE = 'lab1'

async function consoleAnswers(lab: BenchLab): Promise<void> {
  const opened = await lab.core.openStream('console', { machine: MACHINE, fromByte: Number.MAX_SAFE_INTEGER })
  if (!opened.ok) throw new Error(JSON.stringify(opened.error))
  const console: Duplex = opened.value
  let seen = ''
  await new Promise<void>((resolve) => {
    console.on('data', (bytes: Buffer) => {
      seen = (seen + bytes.toString('latin1')).slice(-4096)
      if (seen.includes('back-42')) resolve()
    })
    console.write('echo back-$((6*7))\r')
  })
  console.destroy()
}

/** Leaves the whole stream in a file, and the machine off. */
async function wholeStream(lab: BenchLab): Promise<string> {
  const [socket, path] = [join(lab.home, 'whole.sock'), join(lab.home, 'whole')]
  const file = await open(path, 'w')
  let received = Promise.resolve()
  const server = createServer((from) => {
    received = (async () => {
      for await (const chunk of from as AsyncIterable<Buffer>) await file.write(chunk)
    })()
  })
  await new Promise<void>((resolve) => server.listen(socket, resolve))
  await lab.call('qmp.run', { machine: MACHINE, command: 'migrate', arguments: { uri: `unix:${socket}` } })
  const status = async (): Promise<string> => ((await lab.call('qmp.run', { machine: MACHINE, command: 'query-migrate' })).return as { status: string }).status
  while ((await status()) !== 'completed') await delay(10)
  await received
  server.close()
  await file.close()
  await lab.done('machine.stop', { machine: MACHINE, force: true })
  return path
}

/** QEMU's own way: the same command line, the stream at a descriptor. */
async function incoming(lab: BenchLab, stream: string): Promise<number> {
  const { program, arguments: given } = await lab.call('machine.command-line', { machine: MACHINE })
  const from = performance.now()
  const qemu = spawn(program, [...given, '-incoming', 'fd:3'], { stdio: ['ignore', 'ignore', 'inherit', openSync(stream, 'r')] })
  const path = given.find((word) => word.includes('id=qmp,'))!.match(/path=([^,]+)/)![1]!
  const qmp = await QmpSession.over(await waitForSocket(path, { signal: new AbortController().signal, timeoutMs: 30_000 }))
  while ((await qmp.execute('query-status')).status === 'inmigrate') await delay(2)
  const took = performance.now() - from
  await qmp.execute('quit')
  await new Promise<void>((resolve) => qemu.once('exit', () => resolve()))
  return took
}

/** From the request until the guest runs, and until its console answers. */
async function restored(lab: BenchLab): Promise<[number, number]> {
  let goesOn = (): void => {}
  const running = new Promise<void>((resolve) => (goesOn = resolve))
  const unsubscribe = lab.core.onEvent((event) => {
    if (event.kind === 'machine-changed' && event.machine.state.kind === 'running') goesOn()
  })
  const from = performance.now()
  const done = lab.done('snapshot.restore', { snapshot: 'one', keep: false })
  await running
  const runningMs = performance.now() - from
  await consoleAnswers(lab)
  const answersMs = performance.now() - from
  unsubscribe()
  await done
  await lab.done('machine.stop', { machine: MACHINE, force: true })
  return [runningMs, answersMs]
}

async function measure(memory: string): Promise<Record<string, unknown>> {
  return withLab(async (lab) => {
    await lab.done('machine.create', { name: MACHINE, memory, cpus: 2 })
    await lab.done('machine.start', { machine: MACHINE, wait: 'agent' })
    await lab.call('guest.exec', { machine: MACHINE, command: ['sh', '-c', 'dd if=/dev/urandom of=/dev/shm/use bs=1M count=100'], timeoutSeconds: 120 })
    await lab.done('snapshot.take', { machine: MACHINE, name: 'one' })
    const all = { running: [] as number[], answers: [] as number[], withoutRunning: [] as number[], withoutAnswers: [] as number[], incoming: [] as number[] }
    const stream = await wholeStream(lab)
    for (let run = 1; run <= runs; run++) {
      all.incoming.push(await incoming(lab, stream))
      const { ready, reason } = await lab.call('snapshot.prepare', { snapshot: 'one' })
      if (!ready) throw new Error(`no QEMU stands by: ${reason}`)
      const [running, answers] = await restored(lab)
      const [withoutRunning, withoutAnswers] = await restored(lab) // at once: the next one to stand by is not started yet
      for (const [key, value] of Object.entries({ running, answers, withoutRunning, withoutAnswers })) all[key as keyof typeof all].push(value)
      progress(`${memory} ${run}/${runs}: ${JSON.stringify(Object.fromEntries(Object.entries(all).map(([key, values]) => [key, Math.round(values.at(-1)!)])))}`)
    }
    return {
      memory,
      runningMs: rounded(median(all.running), 0),
      answersMs: rounded(median(all.answers), 0),
      withoutStandby: { runningMs: rounded(median(all.withoutRunning), 0), answersMs: rounded(median(all.withoutAnswers), 0) },
      incomingMs: rounded(median(all.incoming), 0),
      ratio: rounded(median(all.incoming) / median(all.running), 1)
    }
  })
}

async function main(): Promise<void> {
  const sizes = [await measure('256M'), await measure('4G')]
  emit('restore', { runs, sizes })
}
void main()
