/**
 * npm run -s bench -- undo [RUNS]: 20 commits of 16 MB each, which overwrite what a 2 GB disk holds. The last one undone, against writing 16 MB
 * plainly into a qcow2 file; all of them undone, against writing the 320 MB that differ; and what the history takes.
 */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { writePattern } from '../support/pattern'
import { emit, median, progress, rounded } from './support/figures'
import { timed, withLab } from './support/lab'

const MiB = 2 ** 20
const DISK = { machine: 'lab1', disk: 'disk0' }
const COMMITS = 20
const EACH_MIB = 16
const runs = Number(process.argv[2] ?? 3)

async function one(): Promise<{ lastMs: number; allMs: number; plainLastMs: number; plainAllMs: number; historyRatio: number }> {
  return withLab(async (lab) => {
    await lab.done('machine.create', { name: 'lab1', source: 'none', disk: '2G', memory: '64M', network: [] })
    writePattern(await lab.call('disk.show', DISK), 'a', 0, COMMITS * EACH_MIB * MiB)
    await lab.done('overlay.create', DISK)
    for (let n = 0; n < COMMITS; n++) {
      writePattern(await lab.call('disk.show', DISK), 'b', n * EACH_MIB * MiB, EACH_MIB * MiB)
      await lab.done('overlay.renew', DISK)
    }
    const { historyBytes } = await lab.call('disk.show', DISK)
    const plain = join(lab.home, 'plain.qcow2')
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', plain, '2G'])
    const write = (mib: number) => (): unknown => execFileSync('qemu-io', ['-f', 'qcow2', '-c', `write -q 0 ${mib}M`, '-c', 'flush', plain])
    write(COMMITS * EACH_MIB)() // its clusters are there, as the base's are
    const plainLastMs = await timed(write(EACH_MIB))
    const plainAllMs = await timed(write(COMMITS * EACH_MIB))
    const lastMs = await timed(() => lab.done('overlay.undo', DISK))
    await lab.done('overlay.redo', DISK)
    const allMs = await timed(() => lab.done('overlay.undo', { ...DISK, to: 1 }))
    return { lastMs, allMs, plainLastMs, plainAllMs, historyRatio: historyBytes / (COMMITS * EACH_MIB * MiB) }
  })
}

async function main(): Promise<void> {
  const all = []
  for (let run = 1; run <= runs; run++) {
    all.push(await one())
    progress(`${run}/${runs}: ${JSON.stringify(all.at(-1))}`)
  }
  emit('undo', {
    runs,
    commits: COMMITS,
    eachMib: EACH_MIB,
    lastMs: rounded(median(all.map((run) => run.lastMs)), 1),
    lastRatio: rounded(median(all.map((run) => run.lastMs / run.plainLastMs))),
    allMs: rounded(median(all.map((run) => run.allMs)), 1),
    allRatio: rounded(median(all.map((run) => run.allMs / run.plainAllMs))),
    historyRatio: rounded(median(all.map((run) => run.historyRatio)), 3)
  })
}
void main()
