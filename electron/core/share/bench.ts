import { z } from 'zod'
import { failure, NO_LIMITS, ShareWorkload, type ShareBench, type ShareTransport } from '#contract'
import { WORKLOADS } from '#contract/format'
import { createDisk } from '../disk/qemu-img'
import { ensurePrivateFolder, makePrivate, removeTree } from '../host/files'
import type { Library } from '../library/library'
import type { ManagedMachine } from '../machine/machine'
import { freePort, unplugDevice } from '../machine/hot-plug'
import { throwIfCancelled, type Work } from '../task/work'
import { plugShare, unplugShare } from './client'
import { launchDaemon, type StorageDaemon } from './daemon'
import { inGuest } from './guest-disk'
import { addLimit } from './limit'
import { ensureNbdServer, nbdNode } from './nbd'
import { deviceId } from './plan'
import { Relay } from './relay'
import { seenInGuest } from './seat'

const TRANSPORTS: readonly ShareTransport[] = ['vhost-user-blk', 'nbd', 'local']
/** fio's words for each kind of load; all past the guest's page cache. */
const LOADS: Record<ShareWorkload, string> = {
  'read-4k-1': '--rw=randread --bs=4k --iodepth=1',
  'read-4k-32': '--rw=randread --bs=4k --iodepth=32',
  'write-4k-1': '--rw=randwrite --bs=4k --iodepth=1',
  'write-4k-32': '--rw=randwrite --bs=4k --iodepth=32',
  'read-1m': '--rw=read --bs=1M --iodepth=1',
  'write-1m': '--rw=write --bs=1M --iodepth=1'
}
const MIB = 128
/** Also what the runtime folder of the storage daemon is called: no share has such an id. */
const ID = 'bench'
const UNPLUG_SECONDS = 20
const FIO_MARGIN_MS = 60_000

const Side = z.object({ iops: z.number(), bw_bytes: z.number(), clat_ns: z.object({ mean: z.number(), percentile: z.record(z.string(), z.number()).default({}) }) })
const Fio = z.object({ jobs: z.array(z.object({ read: Side, write: Side })).min(1) })
interface Measuring {
  seconds: number
  rounds: number
  /** All of them, if none is named. */
  workloads?: readonly ShareWorkload[] | undefined
}
type Figure = Omit<ShareBench['figures'][number], 'workload' | 'transport'>

/**
 * Plugs three equal disks into a machine that runs, one by each transport, lets fio load them in turn, and takes them off again. Its own disks and
 * its shares are not touched. @throws wrong-state, no-agent, unsupported (memory, ports, no fio)
 */
export async function benchTransports(library: Library, machine: ManagedMachine, { seconds, rounds, workloads = ShareWorkload.options }: Measuring, work: Work): Promise<ShareBench> {
  await requireAble(machine)
  const release = machine.reserve('its disks are being measured')
  const rig = new Rig(library, machine)
  try {
    work.phase('making the disks')
    const devices = await rig.build(work.signal)
    for (const transport of TRANSPORTS) await fill(machine, devices[transport])
    const figures = await measureAll(machine, devices, { seconds, rounds, workloads }, work)
    return { machine: machine.name, atMs: Date.now(), rounds, seconds, figures }
  } finally {
    await rig.clear().finally(release)
  }
}

async function requireAble(machine: ManagedMachine): Promise<void> {
  machine.live('measured')
  if (!machine.running?.record.definition.sharedMemory) {
    throw failure('unsupported', `“${machine.name}” runs with memory that other processes cannot map.`, { next: 'Edit it (shared memory), and start it again.' })
  }
  await inGuest(machine, 'fio --version > /dev/null', []).catch((cause: unknown) => {
    throw failure('unsupported', `fio does not run in “${machine.name}”.`, { next: 'Install it in the guest. The built-in guest has it, and needs 256 MiB of memory for it.', cause })
  })
}

async function measureAll(machine: ManagedMachine, devices: Record<ShareTransport, string>, { seconds, rounds, workloads }: Required<Measuring>, work: Work): Promise<ShareBench['figures']> {
  const figures: ShareBench['figures'] = []
  let done = 0
  for (const workload of workloads) {
    work.phase(`measuring ${WORKLOADS[workload]}`)
    const runs: Record<ShareTransport, Figure[]> = { 'vhost-user-blk': [], nbd: [], local: [] }
    for (let round = 0; round < rounds; round++) {
      // In another order each time, so that none is always the first.
      for (const step of TRANSPORTS.keys()) {
        const transport = TRANSPORTS[(step + round) % TRANSPORTS.length]!
        throwIfCancelled(work.signal)
        runs[transport].push(await fio(machine, devices[transport], workload, seconds))
        work.progress(++done / (workloads.length * rounds * TRANSPORTS.length))
      }
    }
    for (const transport of TRANSPORTS) figures.push({ workload, transport, ...medianOf(runs[transport]) })
  }
  return figures
}

const medianOf = (runs: Figure[]): Figure => runs.toSorted((a, b) => a.perSecond - b.perSecond)[Math.floor(runs.length / 2)]!

async function fio(machine: ManagedMachine, device: string, workload: ShareWorkload, seconds: number): Promise<Figure> {
  const line = `exec fio --name=bench --filename=${device} --direct=1 --ioengine=libaio ${LOADS[workload]} --time_based --runtime=${Math.round(seconds * 1000)}ms --output-format=json`
  const out = await inGuest(machine, line, [], seconds * 1000 + FIO_MARGIN_MS)
  const job = Fio.parse(JSON.parse(out.slice(out.indexOf('{')))).jobs[0]!
  const side = workload.startsWith('read') ? job.read : job.write
  return { perSecond: side.iops, bytesPerSecond: side.bw_bytes, meanNs: side.clat_ns.mean, p99Ns: side.clat_ns.percentile['99.000000'] ?? 0 }
}

/** So that reads find data, and writes find room that is there already. */
async function fill(machine: ManagedMachine, device: string): Promise<void> {
  await inGuest(machine, 'dd if=/dev/zero of="$1" bs=1M oflag=direct count="$2" 2>/dev/null; sync', [device, String(MIB)], 120_000)
}

/** A client of a share is served through a filter, so what is measured is. @returns the filter's name */
async function limited({ qmp }: StorageDaemon, transport: ShareTransport): Promise<string> {
  const name = `lim-${transport}`
  await addLimit(qmp, name, { nodeName: `bench-${transport}`, limits: NO_LIMITS })
  return name
}

/** The three disks, and all that stands behind them. */
class Rig {
  private daemon: StorageDaemon | null = null
  private relay: Relay | null = null

  constructor(
    private readonly library: Library,
    private readonly machine: ManagedMachine
  ) {}

  private get runtime() {
    return this.library.runtime.share(ID)
  }
  private readonly file = (transport: ShareTransport): string => this.library.paths.shareBench(`${transport}.qcow2`)
  private readonly node = (transport: ShareTransport) => ({
    driver: 'qcow2' as const,
    'node-name': `bench-${transport}`,
    file: { driver: 'file' as const, filename: this.file(transport) }
  })

  /** @returns what the guest calls each */
  async build(signal: AbortSignal): Promise<Record<ShareTransport, string>> {
    const { qmp } = this.machine.live('measured')
    await removeTree(this.library.paths.shareBench()) // of one that was cut off
    await ensurePrivateFolder(this.library.paths.shareBench())
    for (const transport of TRANSPORTS) await createDisk(this.file(transport), MIB * 2 ** 20)

    const daemon = (this.daemon = await launchDaemon(this.runtime, this.node('vhost-user-blk')))
    const paths = this.runtime.relay(this.machine.definition.id)
    const relay = (this.relay = await Relay.launch(paths, () => {}))
    const addr = { type: 'unix' as const, path: paths.exporter }
    await daemon.qmp.execute('block-export-add', { type: 'vhost-user-blk', id: 'vhost', 'node-name': await limited(daemon, 'vhost-user-blk'), writable: true, addr, 'num-queues': 1 })
    await makePrivate(paths.exporter)
    await relay.ready(signal)
    await plugShare(qmp, { shareId: ID, machineId: this.machine.definition.id, socketPath: paths.client, transport: 'vhost-user-blk', writes: true }, signal)

    await daemon.open(this.node('nbd'))
    await ensureNbdServer(daemon.qmp, this.runtime.daemonNbd)
    await daemon.qmp.execute('block-export-add', { type: 'nbd', id: 'nbd', 'node-name': await limited(daemon, 'nbd'), name: 'nbd', writable: true })
    await qmp.execute('blockdev-add', { ...nbdNode(this.runtime.daemonNbd, 'nbd'), 'node-name': 'bench-nbd' })
    await qmp.execute('blockdev-add', this.node('local'))
    for (const transport of ['nbd', 'local'] as const) await qmp.execute('device_add', { driver: 'virtio-blk-pci', id: `bench-${transport}-device`, drive: `bench-${transport}`, bus: await freePort(qmp) })
    return {
      'vhost-user-blk': await seenInGuest(this.machine, deviceId(ID), signal),
      nbd: await seenInGuest(this.machine, 'bench-nbd-device', signal),
      local: await seenInGuest(this.machine, 'bench-local-device', signal)
    }
  }

  /** All that `build` has made, however far it came. A machine that has ended has nothing left. */
  async clear(): Promise<void> {
    const { signal } = new AbortController()
    const qmp = this.machine.running?.qmp ?? null
    if (qmp) {
      await unplugShare(qmp, ID, 'the scratch disk', UNPLUG_SECONDS, signal)
      const nodes = await qmp.execute('query-named-block-nodes', { flat: true })
      for (const transport of ['nbd', 'local'] as const) {
        if (!nodes.some((node) => node['node-name'] === `bench-${transport}`)) continue
        const there = (await qmp.execute('qom-list', { path: '/machine/peripheral' })).some(({ name }) => name === `bench-${transport}-device`)
        if (there) await unplugDevice(qmp, { device: `bench-${transport}-device`, label: 'the scratch disk', timeoutSeconds: UNPLUG_SECONDS, signal })
        await qmp.execute('blockdev-del', { 'node-name': `bench-${transport}` })
      }
    }
    await this.relay?.end()
    await this.daemon?.quit()
    await removeTree(this.runtime.root)
    await removeTree(this.library.paths.shareBench())
  }
}
