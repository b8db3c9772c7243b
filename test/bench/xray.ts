/**
 * npm run -s bench -- xray [ROUNDS]: 4 KiB random reads of a guest with the X-ray off and on in turn, of a disk whose data lies in the lowest
 * of 1 and of 4 layers; one after the other, and 16 at once.
 */
import { writePattern } from '../support/pattern'
import { emit, median, progress, rounded } from './support/figures'
import { withLab, type BenchLab } from './support/lab'

const MiB = 2 ** 20
const DISK = { machine: 'lab1', disk: 'disk1' }
const DATA_MIB = 64
const SECONDS = 3
const rounds = Number(process.argv[2] ?? 5)

/** Reads a second, as the guest's own fio counts them. */
async function reads(lab: BenchLab, depth: number): Promise<number> {
  const engine = depth === 1 ? 'psync' : 'libaio'
  const fio = `fio --name=r --filename=/dev/vdb --direct=1 --rw=randread --bs=4k --iodepth=${depth} --ioengine=${engine} --size=${DATA_MIB}M --time_based --runtime=${SECONDS} --output-format=json`
  const { stdout } = await lab.call('guest.exec', { machine: 'lab1', command: ['sh', '-c', fio] })
  return (JSON.parse(stdout.slice(stdout.indexOf('{\n'))) as { jobs: { read: { iops: number } }[] }).jobs[0]!.read.iops
}

async function measure(layers: number, depth: number): Promise<Record<string, number>> {
  return withLab(async (lab) => {
    await lab.done('machine.create', { name: 'lab1', source: 'builtin', memory: '256M', cpus: 1, network: [] })
    await lab.done('disk.create', { machine: 'lab1', size: `${DATA_MIB}M` })
    writePattern(await lab.call('disk.show', DISK), 'a', 0, DATA_MIB * MiB)
    for (let n = 1; n < layers; n++) await lab.done('overlay.create', DISK)
    await lab.done('machine.start', { machine: 'lab1', wait: 'agent' })
    await reads(lab, depth)
    const off: number[] = []
    const on: number[] = []
    for (let round = 1; round <= rounds; round++) {
      off.push(await reads(lab, depth))
      await lab.call('trace.start', { machine: 'lab1' })
      on.push(await reads(lab, depth))
      const sampled = (await lab.call('trace.show', { machine: 'lab1' })).samples.some(({ estimated }) => estimated)
      await lab.call('trace.stop', { machine: 'lab1' })
      progress(`${layers} layers, depth ${depth}, ${round}/${rounds}: off ${Math.round(off.at(-1)!)}/s, on ${Math.round(on.at(-1)!)}/s${sampled ? ', watched in part' : ''}`)
    }
    return { layers, depth, offPerSecond: rounded(median(off), 0), onPerSecond: rounded(median(on), 0), cost: rounded(1 - median(on.map((rate, index) => rate / off[index]!)), 3) }
  })
}

async function main(): Promise<void> {
  const cases = []
  for (const layers of [1, 4]) for (const depth of [1, 16]) cases.push(await measure(layers, depth))
  emit('xray', { rounds, cases, worstCost: Math.max(...cases.map(({ cost }) => cost!)) })
}
void main()
