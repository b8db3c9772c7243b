/**
 * npm run -s bench -- ring [ROUNDS]: the split-driver ring against fio on the same file, and against two processes that only pass
 * a word back and forth; all sides by turns.
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { copySources, make, RingLab } from '../support/ring'
import { emit, median, progress, rounded } from './support/figures'

const IMAGE_BYTES = 300 * 2 ** 20
const LOAD_MS = 2000
const CLIENT_SPIN_US = 10 // as bin/client
const rounds = Number(process.argv[2] ?? 5)

/** What `measure` prints: times in nanoseconds. */
interface Times {
  count: number
  seconds: number
  meanNs: number
  medianNs: number
  p99Ns: number
}

const programs = copySources()
// Not in /tmp: that may be memory, and this is about a disk.
const lab = new RingLab(programs, mkdtempSync(join(process.cwd(), 'node_modules/.ring-bench-')))

async function measure(...args: (string | number)[]): Promise<Times> {
  const { code, out, said } = await lab.run('measure', ...args)
  if (code !== 0) throw new Error(`measure ${args.join(' ')}: ${said}`)
  return JSON.parse(out) as Times
}

/** Random direct reads of 512 bytes, a second. */
async function fio(...options: string[]): Promise<number> {
  const common = ['--name=reads', '--filename=disk1.img', '--rw=randread', '--bs=512', '--direct=1', '--norandommap', '--time_based', `--runtime=${LOAD_MS}ms`]
  const { stdout } = await promisify(execFile)('fio', [...common, '--group_reporting', '--output-format=json', ...options], { cwd: lab.folder })
  const said = JSON.parse(stdout.slice(stdout.indexOf('{'))) as { jobs: { read: { iops: number } }[] }
  return said.jobs[0]!.read.iops
}

async function serving<T>(options: string[], act: () => Promise<T>): Promise<T> {
  const started = await lab.run('service', 'start', ...options)
  if (started.code !== 0) throw new Error(started.said)
  try {
    return await act()
  } finally {
    await lab.run('service', 'stop')
  }
}

const loads = (clients: number, threads: number): Promise<Times[]> =>
  Promise.all(Array.from({ length: clients }, () => measure('load', threads, LOAD_MS, CLIENT_SPIN_US)))
const rate = (times: Times[]): number => times.reduce((sum, one) => sum + one.count / one.seconds, 0)

/** 1: all have the same; 1/n: one has all. */
function jain(shares: number[]): number {
  const sum = shares.reduce((a, b) => a + b, 0)
  return (sum * sum) / (shares.length * shares.reduce((a, b) => a + b * b, 0))
}

/** Requests a second that bin/client reports, with its files written. */
async function clientRate(): Promise<number> {
  const { out, said, pid } = await lab.run('client', 4, 100_000)
  for (const kind of ['sectors', 'read']) rmSync(join(lab.folder, `${kind}.${pid}`))
  if (!out) throw new Error(said)
  return Number(out.trim().split('|')[4])
}

/** One client with one thread, alone and beside one with 64. */
async function besideHeavy(): Promise<{ alone: Times; beside: Times }> {
  const alone = await measure('load', 1, LOAD_MS, CLIENT_SPIN_US)
  const heavy = measure('load', 64, LOAD_MS + 500, CLIENT_SPIN_US)
  const beside = await measure('load', 1, LOAD_MS, CLIENT_SPIN_US)
  await heavy
  return { alone, beside }
}

async function round() {
  const [bareSpinning, bareSleeping] = [await measure('pingpong', 'spin', 200_000), await measure('pingpong', 'sleep', 20_000)]
  const sleeping = await serving(['--spin', '0'], () => measure('hit', 0, 20_000))
  const [fioDeep, fioSync] = [await fio('--ioengine=io_uring', '--iodepth=8', '--numjobs=4'), await fio('--ioengine=psync', '--numjobs=4', '--thread')]
  return await serving([], async () => ({
    bareSpinning,
    bareSleeping,
    sleeping,
    fioDeep,
    fioSync,
    spinning: await measure('hit', 1000, 200_000),
    sync: await clientRate(),
    deep: rate(await loads(4, 8)),
    fairness: jain((await loads(8, 8)).map((one) => one.count / one.seconds)),
    ...(await besideHeavy())
  }))
}

async function main(): Promise<void> {
  try {
    make(programs)
    make(programs, 'tools')
    lab.image(IMAGE_BYTES)
    const done: Awaited<ReturnType<typeof round>>[] = []
    for (let n = 1; n <= rounds; n++) {
      const one = await round()
      done.push(one)
      progress(
        `${n}/${rounds}: 4x8 threads ${one.deep.toFixed(0)}/s (fio ${one.fioDeep.toFixed(0)}), 4 threads ${one.sync.toFixed(0)}/s (fio ${one.fioSync.toFixed(0)}), ` +
          `hit ${one.spinning.medianNs} ns spinning, ${one.sleeping.medianNs} ns sleeping (bare ${one.bareSleeping.medianNs}), fairness ${one.fairness.toFixed(4)}, ` +
          `light ${one.alone.meanNs.toFixed(0)} -> ${one.beside.meanNs.toFixed(0)} ns`
      )
    }
    const mid = (pick: (one: (typeof done)[number]) => number): number => median(done.map(pick))
    emit('ring', {
      rounds,
      hitMicroseconds: {
        spinning: rounded(mid((one) => one.spinning.medianNs) / 1000),
        spinningP99: rounded(mid((one) => one.spinning.p99Ns) / 1000),
        bareSpinning: rounded(mid((one) => one.bareSpinning.medianNs) / 1000),
        sleeping: rounded(mid((one) => one.sleeping.medianNs) / 1000),
        sleepingP99: rounded(mid((one) => one.sleeping.p99Ns) / 1000),
        bareSleeping: rounded(mid((one) => one.bareSleeping.medianNs) / 1000),
        sleepingRatio: rounded(mid((one) => one.sleeping.medianNs / one.bareSleeping.medianNs))
      },
      fourClientsOfEightThreads: { perSecond: Math.round(mid((one) => one.deep)), fioPerSecond: Math.round(mid((one) => one.fioDeep)), ratio: rounded(mid((one) => one.deep / one.fioDeep)) },
      clientOfFourThreads: { perSecond: Math.round(mid((one) => one.sync)), fioPsyncPerSecond: Math.round(mid((one) => one.fioSync)), ratio: rounded(mid((one) => one.sync / one.fioSync)) },
      fairnessOfEight: rounded(mid((one) => one.fairness), 4),
      oneThreadBesideSixtyFour: {
        aloneMicroseconds: rounded(mid((one) => one.alone.meanNs) / 1000, 1),
        besideMicroseconds: rounded(mid((one) => one.beside.meanNs) / 1000, 1),
        ratio: rounded(mid((one) => one.beside.meanNs / one.alone.meanNs))
      }
    })
  } finally {
    lab.remove()
    rmSync(programs, { recursive: true, force: true })
  }
}
void main()
