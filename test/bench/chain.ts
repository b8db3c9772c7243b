/**
 * npm run -s bench -- chain [RUNS | graph]: 4 KiB reads all over a disk whose data lies in the lowest of 1, 4 and 16 layers, as nodes like those that a
 * machine's QEMU is given; and in layers that hold an equal share each. Then the drawing of a library of 200 image files, in the app;
 * with `graph` only that.
 */
import { execFileSync } from 'node:child_process'
import { activeLayer } from '#core/disk/stack'
import { asFilename, diskNodes } from '#core/disk/nodes'
import type { Disk } from '#contract'
import { writePattern } from '../support/pattern'
import { emit, median, progress, rounded } from './support/figures'
import { measureGraph } from './support/graph'
import { timed, withLab } from './support/lab'

const MiB = 2 ** 20
const DISK = { machine: 'lab1', disk: 'disk0' }
const DATA_MIB = 256
const READS = 60_000
/** Visits every 4 KiB block once before the first comes again, far from the last one each time. */
const STEP = 37 * MiB + 4096
/** So many are opened to see the drawing. */
const WINDOWS = 3
const runs = Number(process.argv[2] ?? 5)

/** Reads a second. */
async function reads(disk: Disk, folder: string): Promise<number> {
  const nodes = { driver: 'raw', size: DATA_MIB * MiB, file: diskNodes(disk, (file) => `${folder}/${file}`) }
  const args = ['bench', '-q', '-c', String(READS), '-d', '1', '-s', '4096', '-S', String(STEP % (DATA_MIB * MiB)), asFilename(nodes)]
  return (READS / (await timed(() => execFileSync('qemu-img', args)))) * 1000
}

async function chainOf(layers: number, spread: boolean): Promise<number[]> {
  return withLab(async (lab) => {
    await lab.done('machine.create', { name: 'lab1', source: 'none', disk: `${DATA_MIB}M`, memory: '64M', network: [] })
    const share = (DATA_MIB * MiB) / layers
    for (let n = 0; n < layers; n++) {
      if (n > 0) await lab.done('overlay.create', DISK)
      const view = await lab.call('disk.show', DISK)
      if (spread) writePattern(view, 'a', n * share, share)
      else if (n === 0) writePattern(view, 'a', 0, DATA_MIB * MiB)
    }
    const { disk, files } = await lab.call('disk.show', DISK)
    const folder = files[0]!.path.slice(0, -activeLayer(disk).file.length - 1)
    await reads(disk, folder)
    const rates: number[] = []
    for (let run = 0; run < runs; run++) rates.push(await reads(disk, folder))
    return rates
  })
}

async function main(): Promise<void> {
  if (process.argv[2] === 'graph') return emit('chain', { graph: await measureGraph(WINDOWS) })
  const figures: Record<string, Record<number, number>> = { lowest: {}, spread: {} }
  for (const layers of [1, 4, 16]) {
    for (const spread of [false, true]) {
      const rate = rounded(median(await chainOf(layers, spread)), 0)
      figures[spread ? 'spread' : 'lowest']![layers] = rate
      progress(`${layers} layers, data ${spread ? 'in each' : 'in the lowest'}: ${rate} reads/s`)
    }
  }
  emit('chain', { runs, readsPerSecond: figures, ratioOf16To1: rounded(figures.lowest![16]! / figures.lowest![1]!), graph: await measureGraph(WINDOWS) })
}
void main()
