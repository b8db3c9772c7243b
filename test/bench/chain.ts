/**
 * npm run -s bench -- chain [RUNS [reads] | graph]: 4 KiB reads all over a disk whose data lies in the lowest of 1, 4 and 16 layers, as nodes like those that a
 * machine's QEMU is given; and in layers that hold an equal share each. Then the drawing of a library of 200 image files, in the app;
 * with `graph` only that, with `reads` without it.
 */
import { execFileSync } from 'node:child_process'
import { activeLayer } from '#core/disk/stack'
import { asFilename, diskNodes } from '#core/disk/nodes'
import type { Disk } from '#contract'
import { writePattern } from '../support/pattern'
import { emit, median, progress, rounded } from './support/figures'
import { measureGraph } from './support/graph'
import { timed, withLab, type BenchLab } from './support/lab'

const MiB = 2 ** 20
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

interface Chain {
  layers: number
  spread: boolean
  read: () => Promise<number>
  rates: number[]
}

/** A machine whose disk has so many layers. @param spread each layer holds a share; else the lowest holds all */
async function chainOf(lab: BenchLab, layers: number, spread: boolean): Promise<Chain> {
  const at = { machine: `lab-${layers}-${spread ? 'spread' : 'lowest'}`, disk: 'disk0' }
  await lab.done('machine.create', { name: at.machine, source: 'none', disk: `${DATA_MIB}M`, memory: '64M', network: [] })
  const share = (DATA_MIB * MiB) / layers
  for (let n = 0; n < layers; n++) {
    if (n > 0) await lab.done('overlay.create', at)
    const view = await lab.call('disk.show', at)
    if (spread) writePattern(view, 'a', n * share, share)
    else if (n === 0) writePattern(view, 'a', 0, DATA_MIB * MiB)
  }
  const { disk, files } = await lab.call('disk.show', at)
  const folder = files[0]!.path.slice(0, -activeLayer(disk).file.length - 1)
  return { layers, spread, read: () => reads(disk, folder), rates: [] }
}

/** All chains are read in turn: what the computer does beside falls on all alike. */
async function measureChains(): Promise<Chain[]> {
  return withLab(async (lab) => {
    const chains: Chain[] = []
    for (const layers of [1, 4, 16]) for (const spread of [false, true]) chains.push(await chainOf(lab, layers, spread))
    for (const chain of chains) await chain.read()
    for (let run = 1; run <= runs; run++) {
      for (const chain of chains) chain.rates.push(await chain.read())
      progress(`${run}/${runs}: ${chains.map(({ layers, spread, rates }) => `${layers}${spread ? ' spread' : ''} ${Math.round(rates.at(-1)!)}/s`).join(', ')}`)
    }
    return chains
  })
}

async function main(): Promise<void> {
  if (process.argv[2] === 'graph') return emit('chain', { graph: await measureGraph(WINDOWS) })
  const chains = await measureChains()
  const of = (spread: boolean): Record<number, number> => Object.fromEntries(chains.filter((chain) => chain.spread === spread).map(({ layers, rates }) => [layers, rounded(median(rates), 0)]))
  /** Beside the chain of one layer, run by run. */
  const beside = (layers: number, spread: boolean): number => {
    const one = chains.find((chain) => chain.layers === 1 && chain.spread === spread)!.rates
    return rounded(median(chains.find((chain) => chain.layers === layers && chain.spread === spread)!.rates.map((rate, run) => rate / one[run]!)))
  }
  emit('chain', {
    runs,
    readsPerSecond: { lowest: of(false), spread: of(true) },
    besideOneLayer: { lowest: { 4: beside(4, false), 16: beside(16, false) }, spread: { 4: beside(4, true), 16: beside(16, true) } },
    graph: process.argv[3] === 'reads' ? null : await measureGraph(WINDOWS)
  })
}
void main()
