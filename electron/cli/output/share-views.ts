import type { Share, ShareBench, SharePublication, ShareRefresh, ShareWorkload } from '#contract'
import { WORKLOADS } from '#contract/format'
import type { Paint } from './paint'
import { ago, block, formatSize, none, table } from './text'

const SERVED_BY: { [K in Share['server']['kind']]: string } = {
  idle: '-',
  machine: 'its machine',
  daemon: 'the storage daemon',
  moving: 'moving',
  hung: 'does not answer',
  failed: 'nobody',
  broken: 'nobody'
}

/** A shared disk as a line of a table. */
export const shareRow = (share: Share): string[] => [
  share.server.kind === 'broken' ? share.id : `${share.machine}:${share.disk}`,
  share.server.kind === 'broken' ? '-' : share.mode,
  SERVED_BY[share.server.kind],
  share.server.kind === 'broken' ? share.server.message : none(share.clients.map((client) => `${client.machine} (${client.state})`))
]

/** How fast a shared disk is beside NBD and a disk of one’s own. */
export function benchTable({ figures }: ShareBench, paint: Paint): string {
  const rateOf = (workload: ShareWorkload, transport: ShareBench['figures'][number]['transport']): number =>
    figures.find((figure) => figure.workload === workload && figure.transport === transport)?.perSecond ?? 0
  const rows = [...new Set(figures.map(({ workload }) => workload))].map((workload) => {
    const [vhost, nbd, local] = [rateOf(workload, 'vhost-user-blk'), rateOf(workload, 'nbd'), rateOf(workload, 'local')]
    const times = (of: number): string => (of > 0 ? `${(vhost / of).toFixed(2)} x` : '-')
    return [WORKLOADS[workload], ...[vhost, nbd, local].map((rate) => `${Math.round(rate)}/s`), times(nbd), times(local)]
  })
  return table(['', 'VHOST-USER-BLK', 'NBD', 'LOCAL', 'TO NBD', 'TO LOCAL'], rows, paint.dim)
}

const REFRESHED: { [K in ShareRefresh['readers'][number]['state']]: string } = {
  fresh: 'sees all of it',
  busy: 'a program keeps it mounted: sees it in part',
  unmounted: 'has not mounted it',
  unasked: 'could not be asked'
}

/** What each reader sees after a refresh. */
export function refreshedBlock({ writer, flushMs, readers }: ShareRefresh, paint: Paint): string {
  const head = writer === null ? 'Nobody who writes runs: nothing was to be written out.\n' : `${writer} wrote out all it held back (${Math.round(flushMs)} ms).\n`
  const rows = readers.map(({ machine, state, folders, afterMs, reason }) => [machine, REFRESHED[state], none(folders), `${Math.round(afterMs)} ms`, reason ?? ''])
  return head + (rows.length === 0 ? 'No machine that runs reads it.\n' : table(['READER', '', 'ON', 'AFTER', ''], rows, paint.dim))
}

const PUBLISHED: Record<SharePublication['readers'][number]['state'], string> = { fresh: 'has it, mounted', unmounted: 'has it', busy: 'keeps what it had', unasked: 'was left as it was' }

/** What each reader has after a version was published. */
export function publishedBlock({ version, writer, settled, readers }: SharePublication, paint: Paint): string {
  const how = settled ? '' : ` ${writer ?? 'Its writer'} could not hold still for it: it is as a disk is after a power cut.`
  const head = version === null ? 'Readers have the disk itself again.\n' : `Version ${version} is published.${how}\n`
  const rows = readers.map(({ machine, state, folders, reason }) => [machine, PUBLISHED[state], none(folders), reason ?? ''])
  return head + (rows.length === 0 ? 'No machine that runs reads it: each gets it when it starts.\n' : table(['READER', '', 'ON', ''], rows, paint.dim))
}

function limitsOf({ limits: { requestsPerSecond, bytesPerSecond } }: Share['clients'][number]): string {
  return none([...(requestsPerSecond === null ? [] : [`${requestsPerSecond} requests/s`]), ...(bytesPerSecond === null ? [] : [`${formatSize(bytesPerSecond)}/s`])])
}

function serverLine({ server, machine, disk }: Share, paint: Paint): string {
  if (server.kind === 'failed') return paint.red(server.message)
  if (server.kind !== 'hung') return SERVED_BY[server.kind]
  const why = server.because === null ? '' : BECAUSE[server.because]
  const next = server.because === 'storage' ? 'it goes on when that answers' : server.machine === null ? `strata share restart ${machine}:${disk}` : `strata machine stop ${server.machine} --force`
  return `${paint.red(`${server.machine === null ? 'the storage daemon' : 'its machine'} (pid ${server.pid}) has not answered for ${ago(server.sinceMs)}${why}`)}: ${next}`
}
const BECAUSE = { stopped: ', as it is stopped by a signal or a debugger', storage: ', as its storage does not' }

/** One shared disk: who serves it, and a line for each machine that has it. */
export function shareBlock(share: Share, paint: Paint): string {
  const server = serverLine(share, paint)
  const rows = share.clients.map((client) => [client.machine, client.state, client.writes ? 'writes' : client.version === null ? 'reads' : `reads version ${client.version}`, client.transport, limitsOf(client), client.reason ?? client.transportReason ?? ''])
  const head = block([
    ['Disk', `${share.machine}:${share.disk}`],
    ['Size', formatSize(share.sizeBytes)],
    ['Mode', share.mode],
    ['Its machine', share.ownerWrites ? 'writes' : 'reads'],
    ['Served by', server],
    ['If nobody can', share.holdSeconds === null ? 'guests wait' : `guests wait for ${share.holdSeconds} s, then get I/O errors`],
    ['Writes', share.writeThrough ? 'on the host’s disk before they are answered' : 'on the host’s disk when the guest syncs']
  ], paint.dim)
  if (share.cluster) {
    const reasonOf = (id: string): string => share.clients.find(({ machineId }) => machineId === id)?.reason ?? ''
    const members = share.cluster.members.map(({ machineId, machine, state, node, reason }) => [machine, state, String(node), reason ?? reasonOf(machineId)])
    return `${head}All write, on ${share.cluster.folder} in each guest:\n${table(['MACHINE', 'STATE', 'NODE', ''], members, paint.dim)}`
  }
  return head + (rows.length === 0 ? 'No machine has it. Give it to one: strata share attach DISK MACHINE\n' : table(['MACHINE', 'STATE', 'ACCESS', 'OVER', 'AT MOST', ''], rows, paint.dim))
}
