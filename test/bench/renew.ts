/**
 * npm run -s bench -- renew [RUNS]: an overlay with 64 MB and with 512 MB of changes is renewed while its guest writes 4 KiB blocks one
 * after the other; against `qemu-img commit` of a copy of the same overlay that nobody uses, which leaves it empty as renewing does
 * (`ratio`), and against `qemu-img commit -d`, which leaves it as it is (`ratioToKeeping`). Once merged for good, and once with history.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { DiskView } from '#contract'
import { asFilename, diskNodes } from '#core/disk/nodes'
import { writePattern } from '../support/pattern'
import { emit, median, progress, rounded } from './support/figures'
import { timed, withLab, type BenchLab } from './support/lab'

const MiB = 2 ** 20
const DISK = { machine: 'lab1', disk: 'disk1' }
const DISK_BYTES = 1024 * MiB
/** Where the guest writes meanwhile. */
const BUSY = { at: 960, mib: 16 }
const runs = Number(process.argv[2] ?? 3)

interface Run {
  offlineMs: number
  /** With -d: the overlay is not emptied afterwards. */
  keepingMs: number
  renewMs: number
  longestWriteMs: number
  writes: number
  overlayKiB: number
}

const pathsIn = (folder: string) => (file: string) => join(folder, file)

/** `qemu-img commit` of copies of the files, written out before as those of the machine are. */
async function commitCopy(lab: BenchLab, { disk, files }: DiskView, ...options: string[]): Promise<number> {
  const folder = join(lab.home, 'copy')
  mkdirSync(folder)
  for (const file of files) execFileSync('cp', ['--sparse=always', file.path, join(folder, file.path.slice(file.path.lastIndexOf('/') + 1))])
  execFileSync('sync')
  const args = ['commit', '-q', ...options, asFilename(diskNodes(disk, pathsIn(folder)))]
  const took = await timed(() => execFileSync('qemu-img', args))
  rmSync(folder, { recursive: true })
  return took
}

async function one(mib: number, history: boolean): Promise<Run> {
  return withLab(async (lab) => {
    await lab.done('machine.create', { name: 'lab1' })
    await lab.done('disk.create', { machine: 'lab1', size: DISK_BYTES })
    writePattern(await lab.call('disk.show', DISK), 'a', 0, mib * MiB)
    await lab.done('overlay.create', DISK)
    const view = await lab.call('disk.show', DISK)
    writePattern(view, 'b', 0, mib * MiB)
    const keepingMs = await commitCopy(lab, view, '-d')
    const offlineMs = await commitCopy(lab, view)
    await lab.done('machine.start', { machine: 'lab1', wait: 'agent' })
    const fio = `fio --name=w --filename=/dev/vdb --direct=1 --rw=randwrite --bs=4k --iodepth=1 --ioengine=psync --offset=${BUSY.at}M --size=${BUSY.mib}M --time_based --runtime=600 --output-format=json --output=/tmp/fio.json`
    await lab.call('guest.exec', { machine: 'lab1', command: ['sh', '-c', `${fio} > /dev/null 2>&1 & echo $! > /tmp/fio.pid; sleep 3`] })
    const renewMs = await timed(() => lab.done('overlay.renew', { ...DISK, history }))
    const overlayKiB = Math.round((statSync((await lab.call('disk.show', DISK)).files[0]!.path).blocks * 512) / 1024)
    await lab.call('guest.exec', { machine: 'lab1', command: ['sh', '-c', 'kill -INT $(cat /tmp/fio.pid); while kill -0 $(cat /tmp/fio.pid) 2>/dev/null; do sleep 0.1; done'] })
    const { stdout } = await lab.call('guest.exec', { machine: 'lab1', command: ['cat', '/tmp/fio.json'] })
    const { write } = (JSON.parse(stdout.slice(stdout.indexOf('{\n'))) as { jobs: { write: { total_ios: number; clat_ns: { max: number } } }[] }).jobs[0]!
    return { offlineMs, keepingMs, renewMs, longestWriteMs: write.clat_ns.max / 1e6, writes: write.total_ios, overlayKiB }
  })
}

async function measure(mib: number, history: boolean): Promise<Record<string, number>> {
  const all: Run[] = []
  for (let run = 1; run <= runs; run++) {
    const last = await one(mib, history)
    all.push(last)
    progress(`${mib} MB, ${history ? 'history' : 'for good'}, ${run}/${runs}: ${JSON.stringify(last)}`)
  }
  const of = (key: keyof Run): number => median(all.map((run) => run[key]))
  return {
    mib,
    offlineMs: rounded(of('offlineMs'), 0),
    keepingMs: rounded(of('keepingMs'), 0),
    renewMs: rounded(of('renewMs'), 0),
    ratio: rounded(median(all.map((run) => run.renewMs / run.offlineMs))),
    ratioToKeeping: rounded(median(all.map((run) => run.renewMs / run.keepingMs))),
    longestWriteMs: rounded(of('longestWriteMs'), 1),
    overlayKiB: of('overlayKiB')
  }
}

async function main(): Promise<void> {
  const forGood = [await measure(64, false), await measure(512, false)]
  const withHistory = [await measure(64, true), await measure(512, true)]
  emit('renew', { runs, forGood, withHistory })
}
void main()
