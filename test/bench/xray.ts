/**
 * npm run -s bench -- xray [ROUNDS]: 4 KiB random reads of a guest with the X-ray off and on, of disks whose data lies in the lowest of 1 and of 4
 * layers; one after the other, and 16 at once. The guest reads all the while, and the X-ray is off, on, on, off in slices of a second: what
 * drifts meanwhile falls on both alike. Each round's cost is that of its two slices beside the two around them, and the median is told.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { writePattern } from '../support/pattern'
import { emit, median, progress, quantile, rounded } from './support/figures'
import { withLab, type BenchLab } from './support/lab'

const MiB = 2 ** 20
const MACHINE = 'lab1'
const VIEWER = { machine: MACHINE, viewer: 'bench' }
const DATA_MIB = 64
/** Between a switch and what is counted: the X-ray sees first how busy the guest is. */
const SETTLE_MS = 300
const SLICE_MS = 1000
/** As often as the window asks. */
const LOOK_MS = 500
/** Off, on, on, off. */
const SLICES = 4
const rounds = Number(process.argv[2] ?? 10)

interface Case {
  layers: number
  depth: number
  offPerSecond: number
  onPerSecond: number
  /** The share of reads that is lost: of the rounds the median, and the quartiles. */
  cost: number
  quartiles: [number, number]
}

/** Reads of a disk that QEMU has counted: exact, and without a part of the guest. */
async function readsOf(lab: BenchLab, disk: string): Promise<{ reads: number; atMs: number }> {
  const answer = await lab.call('qmp.run', { machine: MACHINE, command: 'query-blockstats' })
  const devices = answer.return as { qdev?: string; stats: { rd_operations: number } }[]
  return { reads: devices.find(({ qdev }) => qdev?.includes(`/${disk}-device`))!.stats.rd_operations, atMs: performance.now() }
}

/** Reads a second in one slice. */
async function slice(lab: BenchLab, disk: string, on: boolean): Promise<number> {
  if (on) await lab.call('trace.start', VIEWER)
  await delay(SETTLE_MS)
  const before = await readsOf(lab, disk)
  for (let left = SLICE_MS; left > 0; left -= LOOK_MS) {
    await delay(LOOK_MS)
    if (on) await lab.call('trace.show', VIEWER)
  }
  const after = await readsOf(lab, disk)
  if (on) await lab.call('trace.stop', VIEWER)
  return ((after.reads - before.reads) / (after.atMs - before.atMs)) * 1000
}

async function measure(lab: BenchLab, disk: string, device: string, layers: number, depth: number): Promise<Case> {
  const seconds = Math.ceil((rounds * SLICES * (SETTLE_MS + SLICE_MS)) / 1000) + 4
  const engine = depth === 1 ? 'psync' : 'libaio'
  const fio = `fio --name=r --filename=${device} --direct=1 --rw=randread --bs=4k --iodepth=${depth} --ioengine=${engine} --size=${DATA_MIB}M --time_based --runtime=${seconds}`
  const done = lab.call('guest.exec', { machine: MACHINE, command: ['sh', '-c', fio], timeoutSeconds: seconds + 60 })
  await delay(2000) // its start
  const rates: Record<'off' | 'on', number[]> = { off: [], on: [] }
  const costs: number[] = []
  for (let round = 1; round <= rounds; round++) {
    const before = await slice(lab, disk, false)
    const on = [await slice(lab, disk, true), await slice(lab, disk, true)] as const
    const after = await slice(lab, disk, false)
    rates.off.push(before, after)
    rates.on.push(...on)
    costs.push(1 - (on[0] + on[1]) / (before + after))
  }
  await done
  progress(`${layers} layers, depth ${depth}: cost ${costs.map((cost) => (cost * 100).toFixed(1)).join(' ')} %`)
  return {
    layers,
    depth,
    offPerSecond: rounded(median(rates.off), 0),
    onPerSecond: rounded(median(rates.on), 0),
    cost: rounded(median(costs), 3),
    quartiles: [rounded(quantile(costs, 0.25), 3), rounded(quantile(costs, 0.75), 3)]
  }
}

async function main(): Promise<void> {
  const cases = await withLab(async (lab) => {
    await lab.done('machine.create', { name: MACHINE, source: 'builtin', memory: '256M', cpus: 1, network: [] })
    const disks = [
      { disk: 'disk1', device: '/dev/vdb', layers: 1 },
      { disk: 'disk2', device: '/dev/vdc', layers: 4 }
    ]
    for (const { disk, layers } of disks) {
      await lab.done('disk.create', { machine: MACHINE, size: `${DATA_MIB}M` })
      writePattern(await lab.call('disk.show', { machine: MACHINE, disk }), 'a', 0, DATA_MIB * MiB)
      for (let n = 1; n < layers; n++) await lab.done('overlay.create', { machine: MACHINE, disk })
    }
    await lab.done('machine.start', { machine: MACHINE, wait: 'agent' })
    const found: Case[] = []
    for (const { disk, device, layers } of disks) for (const depth of [1, 16]) found.push(await measure(lab, disk, device, layers, depth))
    return found
  })
  emit('xray', { rounds, cases, worstCost: Math.max(...cases.map(({ cost }) => cost)) })
}
void main()
