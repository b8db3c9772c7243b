/**
 * npm run -s bench -- snapshot [RUNS]: snapshots of a running guest with 100 MB in use, at 256 MB, 1 GB and 4 GB of memory. How long the guest
 * stands still is what somebody at its console sees: the longest time without output of a guest that prints all the time (`alone`: when nothing
 * is done to it). Beside it, on the same machine: QEMU's own `savevm`, and a bare migration into a file.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { statSync } from 'node:fs'
import { createServer } from 'node:net'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { emit, median, progress, rounded } from './support/figures'
import { timed, withLab, type BenchLab } from './support/lab'

const runs = Number(process.argv[2] ?? 3)
const SIZES = ['256M', '1G', '4G'] as const
const MACHINE = 'lab1'

/** Looks every millisecond whether a file has grown, in a process of its own; answers the longest time in which it had not. */
const WATCH = `
  const { statSync } = require('node:fs'), nap = new Int32Array(new SharedArrayBuffer(4))
  let size = statSync(process.argv[1]).size, last = performance.now(), longest = 0, over = false
  process.stdin.on('end', () => (over = true)).resume()
  const look = () => {
    for (let n = 0; n < 20; n++) {
      const now = performance.now(), is = statSync(process.argv[1]).size
      if (is !== size) { longest = Math.max(longest, now - last); size = is; last = now }
      Atomics.wait(nap, 0, 0, 1)
    }
    if (over) process.stdout.write(String(longest)); else setImmediate(look)
  }
  look()
`
async function longestStall(lab: BenchLab, act: () => Promise<unknown>): Promise<number> {
  const file = join(lab.home, 'library/machines', MACHINE, 'console.log')
  const watcher = spawn(process.execPath, ['-e', WATCH, file], { stdio: ['pipe', 'pipe', 'inherit'] })
  let longest = ''
  watcher.stdout.on('data', (bytes: Buffer) => (longest += bytes.toString()))
  const from = statSync(file).size
  while (statSync(file).size === from) await delay(5)
  await delay(300)
  await act()
  await delay(300)
  watcher.stdin.end()
  await once(watcher, 'close')
  return Number(longest)
}

/** A migration into a file, by whoever needs nothing but that. */
async function bareMigration(lab: BenchLab): Promise<number> {
  const path = join(lab.home, 'bare.sock')
  const file = await open(join(lab.home, 'bare'), 'w')
  const server = createServer((socket) => void (async () => {
    for await (const chunk of socket as AsyncIterable<Buffer>) await file.write(chunk)
  })())
  await new Promise<void>((resolve) => server.listen(path, resolve))
  const qmp = (command: string, given: object = {}): Promise<{ return: unknown }> => lab.call('qmp.run', { machine: MACHINE, command, arguments: given as Record<string, unknown> })
  const took = await timed(async () => {
    await qmp('migrate-set-parameters', { 'max-bandwidth': 2 ** 50 })
    await qmp('migrate', { uri: `unix:${path}` })
    while (((await qmp('query-migrate')).return as { status: string }).status !== 'completed') await delay(5)
  })
  while (((await qmp('query-status')).return as { status: string }).status === 'finish-migrate') await delay(1)
  await qmp('cont')
  await new Promise<void>((resolve) => server.close(() => resolve()))
  await file.close()
  return took
}

async function measure(memory: string): Promise<Record<string, unknown>> {
  return withLab(async (lab) => {
    await lab.done('machine.create', { name: MACHINE, memory, cpus: 2 })
    await lab.done('machine.start', { machine: MACHINE, wait: 'agent' })
    await lab.call('guest.exec', { machine: MACHINE, command: ['sh', '-c', 'dd if=/dev/urandom of=/dev/shm/use bs=1M count=100; (while :; do read -r up idle </proc/uptime; echo $up; done) >/dev/ttyS0 2>&1 &'], timeoutSeconds: 120 })
    const all = { alone: [] as number[], stall: [] as number[], whole: [] as number[], bare: [] as number[], savevm: [] as number[] }
    const told = (run: number, ...keys: (keyof typeof all)[]): void => progress(`${memory} ${run}/${runs}: ${JSON.stringify(Object.fromEntries(keys.map((key) => [key, Math.round(all[key].at(-1)!)])))}`)
    for (let run = 1; run <= runs; run++) {
      all.alone.push(await longestStall(lab, () => delay(1000)))
      all.stall.push(await longestStall(lab, async () => all.whole.push(await timed(() => lab.done('snapshot.take', { machine: MACHINE, name: `run ${run}` })))))
      told(run, 'alone', 'stall', 'whole')
    }
    // Afterwards: both read all of the memory, and what the guest never touched is no hole any more, which takes QEMU its time once.
    await bareMigration(lab)
    for (let run = 1; run <= runs; run++) {
      all.bare.push(await bareMigration(lab))
      all.savevm.push(await longestStall(lab, () => lab.call('monitor.run', { machine: MACHINE, line: 'savevm one' })))
      await lab.call('monitor.run', { machine: MACHINE, line: 'delvm one' })
      told(run, 'bare', 'savevm')
    }
    const longest = Math.max(...all.stall)
    return {
      memory,
      aloneMs: rounded(median(all.alone), 0),
      stallMs: rounded(median(all.stall), 0),
      longestStallMs: rounded(longest, 0),
      savevmStallMs: rounded(median(all.savevm), 0),
      stallRatio: rounded(median(all.savevm) / median(all.stall), 1),
      wholeMs: rounded(median(all.whole), 0),
      bareMs: rounded(median(all.bare), 0),
      wholeRatio: rounded(median(all.whole) / median(all.bare))
    }
  })
}

async function main(): Promise<void> {
  const sizes = []
  for (const memory of SIZES) sizes.push(await measure(memory))
  emit('snapshot', { runs, sizes })
}
void main()
