/**
 * npm run -s bench -- renew [RUNS] [MIB...] [for-good | history]: a guest changes 64 MB and 512 MB of a disk, and the overlay is renewed while it writes 4 KiB blocks
 * one after the other; against `qemu-img commit` of a copy of the same overlay that nobody uses, which leaves it empty as renewing does
 * (`ratio`), and against `qemu-img commit -d`, which leaves it as it is (`ratioToKeeping`). Once merged for good, and once with history, or only as is said. Which
 * of the two comes first changes with every run. The longest write is told beside that of the same guest while nothing is renewed.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { DiskView } from '#contract'
import { asFilename, diskNodes } from '#core/disk/nodes'
import { writePattern } from '../support/pattern'
import { emit, median, progress, rounded } from './support/figures'
import { timed, withLab, type BenchLab } from './support/lab'

const MiB = 2 ** 20
const KiB = 2 ** 10
const DISK = { machine: 'lab1', disk: 'disk1' }
const DISK_BYTES = 1024 * MiB
/** So much of what was changed, its end, the guest writes to meanwhile: the overlay is as large as its copy. */
const BUSY_MIB = 16
/** So many writes have been carried out before the overlay is renewed. */
const WRITES_BEFORE = 200
const runs = Number(process.argv[2] ?? 5)
const WAYS = ['for-good', 'history']
const only = process.argv.find((word) => WAYS.includes(word))
const given = process.argv.slice(3).filter((word) => !WAYS.includes(word)).map(Number)
const sizes = given.length > 0 ? given : [64, 512]

interface Run {
  offlineMs: number
  /** With -d: the overlay is not emptied afterwards. */
  keepingMs: number
  renewMs: number
  longestWriteMs: number
  /** For as long, while nothing is renewed. */
  calmLongestWriteMs: number
  /** Of the new overlay, once more renewed when the guest writes nothing. */
  overlayKiB: number
}

const pathsIn = (folder: string) => (file: string) => join(folder, file)

async function guest(lab: BenchLab, line: string): Promise<string> {
  const { exitCode, stdout, stderr } = await lab.call('guest.exec', { machine: 'lab1', command: ['sh', '-c', line], timeoutSeconds: 120 })
  if (exitCode !== 0) throw new Error(`${line}: ${stderr}`)
  return stdout
}

/** Copies of a disk's files, written out as those of the machine are. */
function copyOf(lab: BenchLab, { disk, files }: DiskView): { image: string; remove: () => void } {
  const folder = join(lab.home, 'copy')
  mkdirSync(folder)
  for (const { path } of files) execFileSync('cp', ['--sparse=always', path, join(folder, path.slice(path.lastIndexOf('/') + 1))])
  execFileSync('sync')
  return { image: asFilename(diskNodes(disk, pathsIn(folder))), remove: () => rmSync(folder, { recursive: true }) }
}

/** The first merge keeps the overlay, and changes nothing for the second. */
async function commitOffline(image: string): Promise<Pick<Run, 'offlineMs' | 'keepingMs'>> {
  const commit = (...options: string[]) => timed(() => execFileSync('qemu-img', ['commit', '-q', ...options, image]))
  const keepingMs = await commit('-d')
  execFileSync('sync')
  return { keepingMs, offlineMs: await commit() }
}

/** Writes of the disk's device that QEMU has carried out. */
async function writesOf(lab: BenchLab): Promise<number> {
  const answer = await lab.call('qmp.run', { machine: 'lab1', command: 'query-blockstats' })
  const devices = answer.return as { qdev?: string; stats: { wr_operations: number } }[]
  return devices.find(({ qdev }) => qdev?.includes(`${DISK.disk}-device`))!.stats.wr_operations
}

/** Has the guest write while something is done. @returns its longest write, in milliseconds */
async function whileWriting(lab: BenchLab, mib: number, act: () => Promise<unknown>): Promise<number> {
  const where = `--offset=${mib - BUSY_MIB}M --size=${BUSY_MIB}M`
  const fio = `fio --name=w --filename=/dev/vdb --direct=1 --rw=randwrite --bs=4k --iodepth=1 --ioengine=psync ${where} --time_based --runtime=600 --output-format=json --output=/tmp/fio.json`
  const before = await writesOf(lab)
  await guest(lab, `${fio} > /dev/null 2>&1 & echo $! > /tmp/fio.pid`)
  while ((await writesOf(lab)) < before + WRITES_BEFORE) await delay(5)
  await act()
  await guest(lab, 'kill -INT $(cat /tmp/fio.pid); while kill -0 $(cat /tmp/fio.pid) 2>/dev/null; do sleep 0.1; done')
  const stdout = await guest(lab, 'cat /tmp/fio.json')
  const { write } = (JSON.parse(stdout.slice(stdout.indexOf('{\n'))) as { jobs: { write: { clat_ns: { max: number } } }[] }).jobs[0]!
  return write.clat_ns.max / 1e6
}

async function one(lab: BenchLab, mib: number, history: boolean, offlineFirst: boolean): Promise<Run> {
  const show = (): Promise<DiskView> => lab.call('disk.show', DISK)
  const renew = (): Promise<unknown> => lab.done('overlay.renew', { ...DISK, history })
  await guest(lab, `dd if=/dev/urandom of=/tmp/block bs=1M count=1 2>/dev/null; for n in $(seq 0 ${mib - 1}); do dd if=/tmp/block of=/dev/vdb bs=1M seek=$n oflag=direct conv=fsync 2>/dev/null || exit 1; done`)
  const copy = copyOf(lab, await show())
  const early = offlineFirst ? await commitOffline(copy.image) : null
  execFileSync('sync')
  let renewMs = 0
  const longestWriteMs = await whileWriting(lab, mib, async () => (renewMs = await timed(renew)))
  const offline = early ?? (execFileSync('sync'), await commitOffline(copy.image))
  copy.remove()
  const calmLongestWriteMs = await whileWriting(lab, mib, () => delay(renewMs))
  await renew()
  const overlayKiB = Math.round((statSync((await show()).files[0]!.path).blocks * 512) / KiB)
  return { ...offline, renewMs, longestWriteMs, calmLongestWriteMs, overlayKiB }
}

async function measure(mib: number, history: boolean): Promise<Record<string, number>> {
  return withLab(async (lab) => {
    await lab.done('machine.create', { name: 'lab1' })
    await lab.done('disk.create', { machine: 'lab1', size: DISK_BYTES })
    writePattern(await lab.call('disk.show', DISK), 'a', 0, mib * MiB)
    await lab.done('overlay.create', DISK)
    await lab.done('machine.start', { machine: 'lab1', wait: 'agent' })
    const all: Run[] = []
    for (let run = 1; run <= runs; run++) {
      const last = await one(lab, mib, history, run % 2 === 1)
      all.push(last)
      progress(`${mib} MB, ${history ? 'history' : 'for good'}, ${run}/${runs}: ${JSON.stringify(last)}`)
    }
    return summary(mib, all)
  })
}

function summary(mib: number, all: readonly Run[]): Record<string, number> {
  const of = (key: keyof Run): number => median(all.map((run) => run[key]))
  return {
    mib,
    offlineMs: rounded(of('offlineMs'), 0),
    keepingMs: rounded(of('keepingMs'), 0),
    renewMs: rounded(of('renewMs'), 0),
    ratio: rounded(median(all.map((run) => run.renewMs / run.offlineMs))),
    ratioToKeeping: rounded(median(all.map((run) => run.renewMs / run.keepingMs))),
    longestWriteMs: rounded(of('longestWriteMs'), 1),
    longestWriteOfAllMs: rounded(Math.max(...all.map((run) => run.longestWriteMs)), 1),
    calmLongestWriteMs: rounded(of('calmLongestWriteMs'), 1),
    overlayKiB: Math.max(...all.map((run) => run.overlayKiB))
  }
}

async function main(): Promise<void> {
  const forGood = []
  if (only !== 'history') for (const mib of sizes) forGood.push(await measure(mib, false))
  const withHistory = []
  if (only !== 'for-good') for (const mib of sizes) withHistory.push(await measure(mib, true))
  emit('renew', { runs, forGood, withHistory })
}
void main()
