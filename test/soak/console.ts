/**
 * npm run -s soak -- console [MINUTES]: a console that never rests. Floods of 50 MB arrive where QEMU puts what the serial port prints (the
 * emulated port itself would take minutes for each), and between them the guest prints through the port and answers. Fails when the window
 * stops answering, or when the page or the main process keeps what it has shown.
 */
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { emit, median, progress, quantile, rounded } from '../bench/support/figures'
import { armStopwatch, openWindowConsole, readStopwatch } from '../bench/support/serial'
import { makeHome, Strata, strata as command } from '../support/e2e-app'

const MACHINE = 'lab1'
const FLOOD_BYTES = 50e6
/** Through the port itself, each round. */
const PRINTED_LINES = 2000
/** Scrollback, caches and the JIT fill up first. */
const WARM_UP_ROUNDS = 3
/** What may come on top over all later rounds: less than one flood, so that even a small part of each that is kept shows. */
const GROWTH_LIMIT_MIB = 40
/** A page that does not answer for so long is frozen to whoever sits before it. */
const FROZEN_MS = 1000

const minutes = Number(process.argv[2] ?? 10)

interface Sample {
  pageHeapMiB: number
  pageMiB: number
  mainMiB: number
}

/** What page and main process hold, after both have collected their garbage: `pageHeapMiB` is what JavaScript still refers to. */
async function sample({ app, page }: Strata): Promise<Sample> {
  const session = await page.context().newCDPSession(page)
  await session.send('HeapProfiler.collectGarbage')
  const { usedSize } = await session.send('Runtime.getHeapUsage')
  await session.detach()
  const kib = await app.evaluate(({ app: electron }) => {
    const memory: Record<string, number> = {}
    for (const { type, memory: { workingSetSize } } of electron.getAppMetrics()) memory[type] = (memory[type] ?? 0) + workingSetSize
    return memory
  })
  return { pageHeapMiB: usedSize / 2 ** 20, pageMiB: (kib['Tab'] ?? 0) / 1024, mainMiB: (kib['Browser'] ?? 0) / 1024 }
}

/** Notes, in the page, how late a timer of 50 ms comes: what a click would have had to wait. */
async function watchAnswers({ page }: Strata): Promise<void> {
  await page.evaluate(() => {
    const seen = { longestMs: 0 }
    Object.assign(window, { strataAnswers: seen })
    let dueMs = performance.now() + 50
    setInterval(() => {
      seen.longestMs = Math.max(seen.longestMs, performance.now() - dueMs)
      dueMs = performance.now() + 50
    }, 50)
  })
}
const longestWait = ({ page }: Strata): Promise<number> =>
  page.evaluate(() => {
    const seen = (window as unknown as { strataAnswers: { longestMs: number } }).strataAnswers
    const { longestMs } = seen
    seen.longestMs = 0
    return longestMs
  })

/** One flood, from its first byte to its last line drawn. Answers bytes a second. */
async function flood(strata: Strata, round: number): Promise<number> {
  const log = join(strata.home.library, 'machines', MACHINE, 'console.log')
  const block = Array.from({ length: 10_000 }, (_, index) => `the quick brown fox jumps over the lazy dog \x1b[3${index % 8}mcolour\x1b[0m ${round}.${index}\r\n`).join('')
  await armStopwatch(strata, `flood-${round}-ends`, performance.timeOrigin + performance.now())
  let bytes = 0
  for (; bytes < FLOOD_BYTES; bytes += block.length) appendFileSync(log, block)
  appendFileSync(log, `flood-${round}-ends\r\n`)
  return (bytes / (await readStopwatch(strata))) * 1000
}

function growthOf(samples: readonly Sample[], field: keyof Sample): number {
  const settled = samples.slice(WARM_UP_ROUNDS).map((one) => one[field])
  const part = Math.max(1, Math.floor(settled.length / 3))
  return median(settled.slice(-part)) - median(settled.slice(0, part))
}

async function run(strata: Strata): Promise<void> {
  const port = await openWindowConsole(strata, MACHINE)
  await watchAnswers(strata)
  const samples: Sample[] = []
  const waits: number[] = []
  const speeds: number[] = []
  const untilMs = Date.now() + minutes * 60_000
  for (let round = 1; Date.now() < untilMs || round <= WARM_UP_ROUNDS + 3; round++) {
    speeds.push(await flood(strata, round))
    await port.runUntil(`clear; seq ${PRINTED_LINES}; echo "an""swer-${round}"`, `answer-${round}`)
    waits.push(await longestWait(strata))
    await delay(500)
    samples.push(await sample(strata))
    const { pageHeapMiB, pageMiB, mainMiB } = samples.at(-1)!
    progress(`${round}: page ${pageHeapMiB.toFixed(1)} MiB heap, ${pageMiB.toFixed(0)} MiB; main ${mainMiB.toFixed(0)} MiB; longest wait ${waits.at(-1)!.toFixed(0)} ms; ${(speeds.at(-1)! / 2 ** 20).toFixed(1)} MiB/s`)
  }
  const growth = { pageHeapMiB: growthOf(samples, 'pageHeapMiB'), pageMiB: growthOf(samples, 'pageMiB'), mainMiB: growthOf(samples, 'mainMiB') }
  const longestMs = Math.max(...waits)
  const problems = Object.entries(growth).flatMap(([what, by]) => (by > GROWTH_LIMIT_MIB ? [`${what} grew by ${by.toFixed(0)}`] : []))
  if (longestMs > FROZEN_MS) problems.push(`the window did not answer for ${longestMs.toFixed(0)} ms`)
  if (strata.mistakes.length > 0) problems.push(...strata.mistakes)
  emit('soak-console', {
    rounds: samples.length,
    bytes: samples.length * FLOOD_BYTES,
    bytesPerSecond: rounded(median(speeds), 0),
    growth: Object.fromEntries(Object.entries(growth).map(([what, by]) => [what, rounded(by, 1)])),
    last: samples.at(-1),
    longestWaitMs: { median: rounded(median(waits), 0), p99: rounded(quantile(waits, 0.99), 0), longest: rounded(longestMs, 0) },
    problems
  })
  if (problems.length > 0) process.exitCode = 1
}

async function main(): Promise<void> {
  const home = makeHome()
  try {
    await command(home, 'machine', 'create', MACHINE)
    await command(home, 'machine', 'start', MACHINE, '--wait', 'agent')
    const strata = await Strata.launch(home)
    await run(strata).finally(() => strata.kill())
  } finally {
    await home.remove()
  }
}

void main()
