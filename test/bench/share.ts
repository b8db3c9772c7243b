/**
 * npm run -s bench -- share [ROUNDS] [CLIENTS]: what a shared disk gives a guest, side by side with NBD and a disk of its own; how long it takes from
 * `share attach` until the guest sees the disk; how soon after the writer's flush a reader sees what was written; how fairly eight clients share, and
 * how much they read together, beside the same machines with a disk of their own each, and beside the same without SCHED_BATCH.
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { emit, median, progress, rounded } from './support/figures'
import { timed, withLab, type BenchLab } from './support/lab'

const rounds = Number(process.argv[2] ?? 3)
const MACHINE = { memory: '320M', cpus: 1, network: [], display: false, sharedMemory: true }

async function inGuest(lab: BenchLab, machine: string, line: string): Promise<string> {
  const { exitCode, stdout, stderr } = await lab.call('guest.exec', { machine, command: ['sh', '-c', line], timeoutSeconds: 60 })
  if (exitCode !== 0) throw new Error(`${machine}: ${line}: ${stderr}`)
  return stdout.trim()
}

/** The guest looks for the disk all the time, so that its seeing it costs no question. */
async function attachMs(lab: BenchLab): Promise<number> {
  const seen = inGuest(lab, 'lab2', 'while [ ! -e /sys/block/vdb ]; do usleep 5000; done')
  const took = await timed(() => Promise.all([lab.done('share.attach', { share: 'lab1', machine: 'lab2' }), seen]))
  await lab.done('share.detach', { share: 'lab1', machine: 'lab2' })
  return took
}

/** From the end of the writer's flush until the reader has what it wrote in hand. */
async function refreshMs(lab: BenchLab, text: string): Promise<number> {
  await inGuest(lab, 'lab1', `echo ${text} > /data/file`)
  const startedAt = performance.now()
  const { flushMs } = await lab.call('share.refresh', { share: 'lab1' })
  if ((await inGuest(lab, 'lab2', 'cat /data/file')) !== text) throw new Error('the reader does not see what was written')
  return performance.now() - startedAt - flushMs
}

const CLIENTS = Number(process.argv[3] ?? 8)
const FIO = 'fio --name=fair --direct=1 --readonly --ioengine=libaio --rw=randread --bs=4k --iodepth=8 --time_based --runtime=600'
/** What a client calls its own disk, which it is started with, and the shared one, which is plugged in then. */
const DISKS = { own: 'vdb', shared: 'vdc' }
const ALONE_SECONDS = 4
const WINDOW_SECONDS = 30
const OTHER_SECONDS = 8
/** Reads are to find data. */
const FILL = 'dd if=/dev/zero of=/dev/vdb bs=1M count=64 oflag=direct 2> /dev/null; sync'

/** While all of these machines read as fast as they can: `act`, which is given their reads a second over so many seconds. */
async function whileReading<T>(lab: BenchLab, machines: readonly string[], disk: string, act: (rates: (seconds: number) => Promise<number[]>) => Promise<T>): Promise<T> {
  const each = <R>(line: (machine: string) => Promise<R>): Promise<R[]> => Promise.all(machines.map(line))
  const stat = `/sys/block/${disk}/stat`
  // By each guest's own count and clock: what each fio tells of its own run would flatter those who began before the others, or ended after them.
  const count = async (machine: string): Promise<{ at: number; reads: number }> => {
    const [at, reads] = (await inGuest(lab, machine, `echo $(cut -d ' ' -f 1 /proc/uptime) $(cat ${stat})`)).split(' ').map(Number)
    return { at: at!, reads: reads! }
  }
  await each((machine) => inGuest(lab, machine, `${FIO} --filename=/dev/${disk} > /dev/null 2>&1 & echo $! > /run/fair.pid; n=$(cat ${stat}); while [ "$n" = "$(cat ${stat})" ]; do usleep 50000; done`))
  const result = await act(async (seconds) => {
    const before = await each(count)
    await delay(seconds * 1000)
    const after = await each(count)
    return after.map(({ at, reads }, index) => (reads - before[index]!.reads) / (at - before[index]!.at))
  })
  await each((machine) => inGuest(lab, machine, 'kill $(cat /run/fair.pid); while pidof fio > /dev/null; do usleep 50000; done'))
  return result
}

/** How the threads of all that runs for the lab are scheduled from now on. */
function schedule(lab: BenchLab, policy: '--batch' | '--other'): void {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
  for (const pid of pids) {
    if (commandLine(pid).includes(lab.home)) execFileSync('chrt', ['--all-tasks', policy, '--pid', '0', pid])
  }
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return '' // it has ended
  }
}

const sum = (rates: readonly number[]): number => rates.reduce((total, rate) => total + rate, 0)
/** Jain's index: 1 where all get the same, 1/n where one gets it all. */
const jain = (rates: readonly number[]): number => sum(rates) ** 2 / (rates.length * sum(rates.map((rate) => rate ** 2)))
const hundredths = (ratio: number): number => Math.round(100 * ratio) / 100

interface Together {
  rates: number[]
  /** What the best gets that is alone. */
  bestAlone: number
  /** What all get together where who wakes takes the processor from who runs. */
  otherTotal: number
}

/** Machines that all read as fast as they can, from a disk of their own each or from the shared one. */
async function together(lab: BenchLab, machines: readonly string[], kind: keyof typeof DISKS): Promise<Together> {
  const alone: number[] = []
  for (const name of machines.slice(0, 3)) alone.push(...(await whileReading(lab, [name], DISKS[kind], (rates) => rates(ALONE_SECONDS))))
  const found = await whileReading(lab, machines, DISKS[kind], async (measure) => {
    const other: number[] = []
    const asOther = async (): Promise<void> => {
      schedule(lab, '--other')
      other.push(sum(await measure(OTHER_SECONDS)))
      schedule(lab, '--batch')
    }
    await asOther()
    const rates = await measure(WINDOW_SECONDS)
    await asOther()
    return { rates, other }
  })
  progress(`${machines.length} at once, ${kind}: ${found.rates.map(Math.round).join(', ')} reads a second; alone ${alone.map(Math.round).join(', ')}; all together without SCHED_BATCH ${found.other.map(Math.round).join(', ')}`)
  return { rates: found.rates, bestAlone: Math.max(...alone), otherTotal: sum(found.other) / found.other.length }
}

/** How alike the clients' shares are; what they get together against what one gets alone, against the same with local disks, and against what they got if they were not scheduled as Strata does. */
async function fairness(lab: BenchLab): Promise<object> {
  await lab.done('share.create', { disk: 'lab1:disk1', to: [] })
  const names = Array.from({ length: CLIENTS }, (_, index) => `client${index + 1}`)
  for (const name of names) {
    await lab.done('machine.create', { name, ...MACHINE })
    await lab.done('disk.create', { machine: name, size: '64M' })
    await lab.done('share.attach', { share: 'lab1', machine: name })
    await lab.done('machine.start', { machine: name, wait: 'agent' })
    await inGuest(lab, name, FILL)
  }
  const shared = await together(lab, names, 'shared')
  const own = await together(lab, names, 'own')
  return {
    clients: CLIENTS,
    jain: Math.round(jain(shared.rates) * 1000) / 1000,
    totalToBestAlone: hundredths(sum(shared.rates) / shared.bestAlone),
    totalToBestAloneLocal: hundredths(sum(own.rates) / own.bestAlone),
    totalToLocal: hundredths(sum(shared.rates) / sum(own.rates)),
    totalToWithoutBatch: hundredths(sum(shared.rates) / shared.otherTotal),
    totalToWithoutBatchLocal: hundredths(sum(own.rates) / own.otherTotal)
  }
}

const main = (): Promise<void> => withLab(async (lab) => {
  for (const name of ['lab1', 'lab2']) await lab.done('machine.create', { name, ...MACHINE })
  await lab.done('disk.create', { machine: 'lab1', size: '64M' })
  for (const machine of ['lab1', 'lab2']) await lab.done('machine.start', { machine, wait: 'agent' })
  await lab.done('share.create', { disk: 'lab1:disk1', mode: 'rw', to: [] })
  const attached: number[] = []
  for (let round = 0; round < rounds + 2; round++) attached.push(await attachMs(lab))
  progress(`attached in ${attached.map(Math.round).join(', ')} ms`)

  await inGuest(lab, 'lab1', `${FILL} && mkfs.ext4 -q -E nodiscard /dev/vdb && mkdir /data && mount /dev/vdb /data && sync`)
  await lab.done('share.attach', { share: 'lab1', machine: 'lab2' })
  await inGuest(lab, 'lab2', 'mkdir /data && mount -o ro,noload /dev/vdb /data')
  const refreshed: number[] = []
  for (let round = 0; round < rounds + 2; round++) refreshed.push(await refreshMs(lab, `round${round}`))
  progress(`a reader sees it after ${refreshed.map(Math.round).join(', ')} ms`)
  await lab.done('machine.stop', { machine: 'lab1', force: true })
  await lab.done('share.remove', { share: 'lab1' })

  const { figures } = await lab.done('share.bench', { machine: 'lab2', seconds: 1.5, rounds })
  const perSecond = Object.fromEntries(figures.map(({ workload, transport, perSecond: rate }) => [`${workload} ${transport}`, rounded(rate)]))
  const ratio = (workload: string, to: string): number => hundredths(perSecond[`${workload} vhost-user-blk`]! / perSecond[`${workload} ${to}`]!)
  const kinds = [...new Set(figures.map(({ workload }) => workload))]
  const ratios = Object.fromEntries(kinds.map((kind) => [kind, { toNbd: ratio(kind, 'nbd'), toLocal: ratio(kind, 'local') }]))
  await lab.done('machine.stop', { machine: 'lab2', force: true })
  const fair = await fairness(lab)
  emit('share', { rounds, attachMs: rounded(median(attached)), fair, refreshMs: rounded(median(refreshed)), ratios, perSecond })
})
void main()
