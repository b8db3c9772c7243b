import type { Availability, Image, Lab, Machine, OperationName, ResultOf, Share, Task, Renewal, Snapshot, SnapshotPlan, SharePublication, ShareRefresh, ShareBench, ShareWorkload } from '#contract'
import { formatForward, formatNetwork } from '#contract/format'
import type { Paint } from './paint'
import { block, formatDuration, formatSize, shellQuote, table } from './text'
import { describe } from './describe'
import { traceBlock } from './trace-views'
import { comparisonTable, loadTable, ringBlock, sectorDump } from './ring-views'

/** A result for people; what a program reads is the JSON. */
type View<N extends OperationName> = (result: ResultOf<N>, paint: Paint, input: Record<string, unknown>) => string
type Views = { [N in OperationName]?: View<N> }

const ago = (atMs: number): string => formatDuration(Date.now() - atMs)
const none = (values: readonly string[]): string => (values.length > 0 ? values.join(', ') : '-')

/** Results without a view of their own are shown by `describe`. */
const VIEWS: Views = {
  'machine.list': (machines, paint) =>
    table(['NAME', 'STATE', 'CPUS', 'MEMORY', 'DISK', 'NETWORK', 'TAGS'], [...machines].sort(byName).map((machine) => machineRow(machine, paint)), paint.dim),
  'machine.show': (machine, paint) => machineBlock(machine, paint),
  'machine.create': (machine) => `Created ${machine.name}. Start it: strata machine start ${shellQuote(machine.name)}\n`,
  'machine.clone': ({ machine, renewal }, paint) => `${machine.name} is ${stateWord(machine, paint)}.\n${renewal ? renewalLines(renewal) : ''}`,
  'machine.edit': (machine, paint) => `Changed ${machine.name}.\n` + pendingLine(machine, paint),
  'machine.rename': (machine) => `It is called ${machine.name} now.\n`,
  'machine.start': (machine, paint) => `${machine.name} is ${stateWord(machine, paint)}.\n`,
  'machine.stop': (machine, paint) => `${machine.name} is ${stateWord(machine, paint)}.\n`,
  'machine.pause': (machine, paint) => `${machine.name} is ${stateWord(machine, paint)}.\n`,
  'machine.resume': (machine, paint) => `${machine.name} is ${stateWord(machine, paint)}.\n`,
  'machine.reset': (machine) => `${machine.name} was reset.\n`,
  'machine.remove': ({ name, trashId }) => `Removed ${name}. Bring it back: strata machine restore-removed ${shellQuote(trashId)}\n`,
  'machine.restore-removed': (machine) => `${machine.name} is back.\n`,
  'machine.list-removed': (removed, paint) =>
    table(['TRASH ID', 'NAME', 'REMOVED', 'SIZE'], removed.map((one) => [one.trashId, one.name, `${ago(one.removedAtMs)} ago`, formatSize(one.diskBytes)]), paint.dim),
  'machine.empty-trash': ({ freedBytes }) => `Freed ${formatSize(freedBytes)}.\n`,
  'machine.command-line': (line) => [line.program, ...line.arguments].map(shellQuote).join(' ') + '\n',
  'ring.show': ringBlock,
  'ring.start': ringBlock,
  'ring.stop': ({ said }) => said + '\n',
  'ring.load': loadTable,
  'ring.read': sectorDump,
  'ring.compare': comparisonTable,
  'trace.show': traceBlock,
  'trace.start': ({ machine }) => `${machine} is being looked into. See: strata trace show ${shellQuote(machine)}\n`,
  'trace.stop': ({ machine, ended }) => (ended ? `${machine} is no longer being looked into.\n` : `Others still look into ${machine}.\n`),
  'guest.ping': ({ roundTripMs }) => `The guest agent answers (${roundTripMs.toFixed(1)} ms).\n`,
  'guest.info': (info, paint) => guestBlock(info, paint),
  'console.log': ({ text }) => text,
  'monitor.run': ({ output }) => (output === '' || output.endsWith('\n') ? output : output + '\n'),
  'qmp.run': (answer) => JSON.stringify(answer.return, null, 2) + '\n',
  'image.list': (images, paint) => table(['NAME', 'KIND', 'FORMAT', 'SIZE', 'ON DISK', 'FILE'], images.map(imageRow), paint.dim) + imageProblems(images, paint),
  'image.import': (image) => `Imported ${image.name}. Use it: strata machine create NAME --source ${shellQuote(image.name)}\n`,
  'image.find': (image) => `${image.name} is there again: ${image.path}\n`,
  'image.remove': ({ removed }) => `Removed ${removed}.\n`,
  'store.stats': (stats, paint) => storeBlock(stats, paint),
  'store.archive': (archive) => `Archived ${archive.name}: ${formatSize(archive.dataBytes)} of data, of which ${formatSize(archive.ownBytes)} are its own.\n`,
  'store.restore': (image) => `${image.name} is an image again.\n`,
  'store.remove': ({ removed }) => `Removed ${removed}. Give its space back: strata store gc\n`,
  'store.verify': (verified, paint) => verifiedBlock(verified, paint),
  'store.gc': ({ freedBytes, damagedPacks }) => `Freed ${formatSize(freedBytes)}.\n` + (damagedPacks.length > 0 ? `${damagedPacks.length} damaged packs were left alone: strata store verify\n` : ''),
  'store.experiment': ({ rows }, paint) =>
    table(['CHUNK', 'STORED', 'INDEX', 'SAVED IN', 'LOADED IN'], rows.map((row) => [formatSize(row.chunkBytes), formatSize(row.storedBytes), formatSize(row.indexBytes), `${Math.round(row.saveMs)} ms`, `${Math.round(row.loadMs)} ms`]), paint.dim),
  'share.list': (shares, paint) => table(['DISK', 'MODE', 'SERVED BY', 'HAS IT'], shares.map(shareRow), paint.dim),
  'share.show': (share, paint) => shareBlock(share, paint),
  'share.create': (share, paint) => shareBlock(share, paint),
  'share.attach': (share, paint) => shareBlock(share, paint),
  'share.detach': (share, paint) => shareBlock(share, paint),
  'share.hand-over': (share, paint) => shareBlock(share, paint),
  'share.mount': ({ machine, device, folder, writes }) => `In ${machine} it is ${device} on ${folder}, to ${writes ? 'write' : 'read'}.\n`,
  'share.refresh': refreshedBlock,
  'share.publish': publishedBlock,
  'share.bench': benchTable,
  'share.contents': (contents, paint) =>
    table(['PARTITION', 'HOLDS', 'SEVERAL WRITERS'], contents.map(({ partition, kind, cluster }) => [partition === null ? '-' : String(partition), kind, cluster ? 'yes' : 'no']), paint.dim),
  'share.remove': ({ removed }) => `${removed} is no longer shared.\n`,
  'snapshot.list': (snapshots, paint) => table(['ID', 'NAME', 'MACHINE', 'TAKEN', 'GUEST', 'OWN', 'SHARED', 'HERE'], snapshots.map(snapshotRow), paint.dim),
  'snapshot.take': (snapshot) => takenLine(snapshot),
  'snapshot.plan': (plan) => planLine(plan),
  'snapshot.prepare': ({ reason }) => (reason === null ? 'A QEMU stands by, as long as the library is open.\n' : `No QEMU stands by: ${reason}.\n`),
  'snapshot.restore': ({ machine, kept, renewal }, paint) =>
    `${machine.name} is ${stateWord(machine, paint)}.\n${kept ? `What it was before is kept: ${kept.id}\n` : ''}${renewal ? renewalLines(renewal) : ''}`,
  'snapshot.fork': ({ machines, renewals }, paint) =>
    machines.map((machine) => `${machine.name} is ${stateWord(machine, paint)}.\n`).join('') + renewals.map(renewalLines).join(''),
  'snapshot.remove': ({ removed, freedBytes }) => `Removed ${removed}; ${formatSize(freedBytes)} are free again.\n`,
  'snapshot.archive': (snapshot) => `The memory of ${snapshot.name} is in the store${snapshot.ready ? '' : ', and no longer beside it'}.\n`,
  'snapshot.verify': ({ name, problems }, paint) =>
    problems.length === 0 ? `${name} ${paint.green('is as it was taken')}.\n` : problems.map(({ file, problem }) => `${paint.red(`${file}:`)} ${problem}\n`).join(''),
  'snapshot.export': ({ file, memory, sizeBytes }) => `Wrote ${file} (${formatSize(sizeBytes)})${memory === null ? '' : `, and its memory to ${memory}`}.\n`,
  'snapshot.import': (snapshot) => `${snapshot.name} is here. Make a machine from it: strata snapshot restore ${snapshot.id} --as NAME\n`,
  'lab.list': (labs, paint) => table(['LAB', 'MACHINES', 'RUNNING', 'FROM', 'MADE'], labs.map(labRow), paint.dim),
  'lab.deploy': ({ lab, renewals }) => labLine(lab) + renewals.filter(({ left }) => left.length > 0).map(renewalLines).join(''),
  'lab.recreate': ({ lab, renewals }) => labLine(lab) + renewals.filter(({ left }) => left.length > 0).map(renewalLines).join(''),
  'lab.start': (lab) => labLine(lab),
  'lab.stop': (lab) => labLine(lab),
  'lab.remove': ({ removed, machines }) => `Removed ${removed}; its ${machines} machines are in the trash.\n`,
  'task.list': (tasks, paint) => table(['ID', 'STATE', 'DONE', 'STARTED', 'TASK'], tasks.map((task) => taskRow(task, paint)), paint.dim),
  'task.show': (task, paint) => taskBlock(task, paint),
  'task.wait': (task, paint) => taskBlock(task, paint),
  'task.cancel': (task) => (task.state.kind === 'running' ? `“${task.title}” is being cancelled.\n` : `“${task.title}” is cancelled.\n`),
  'host.show': (host, paint) => hostBlock(host, paint)
}

const SERVED_BY: { [K in Share['server']['kind']]: string } = {
  idle: '-',
  machine: 'its machine',
  daemon: 'the storage daemon',
  moving: 'moving',
  failed: 'nobody',
  broken: 'nobody'
}
const shareRow = (share: Share): string[] => [
  share.server.kind === 'broken' ? share.id : `${share.machine}:${share.disk}`,
  share.server.kind === 'broken' ? '-' : share.mode,
  SERVED_BY[share.server.kind],
  share.server.kind === 'broken' ? share.server.message : none(share.clients.map((client) => `${client.machine} (${client.state})`))
]

const WORKLOADS: { [K in ShareWorkload]: string } = {
  'read-4k-1': '4 KiB random reads, one at a time',
  'read-4k-32': '4 KiB random reads, 32 at a time',
  'write-4k-1': '4 KiB random writes, one at a time',
  'write-4k-32': '4 KiB random writes, 32 at a time',
  'read-1m': '1 MiB reads in order',
  'write-1m': '1 MiB writes in order'
}
function benchTable({ figures }: ShareBench, paint: Paint): string {
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
function refreshedBlock({ writer, flushMs, readers }: ShareRefresh, paint: Paint): string {
  const head = writer === null ? 'Nobody who writes runs: nothing was to be written out.\n' : `${writer} wrote out all it held back (${Math.round(flushMs)} ms).\n`
  const rows = readers.map(({ machine, state, folders, afterMs, reason }) => [machine, REFRESHED[state], none(folders), `${Math.round(afterMs)} ms`, reason ?? ''])
  return head + (rows.length === 0 ? 'No machine that runs reads it.\n' : table(['READER', '', 'ON', 'AFTER', ''], rows, paint.dim))
}

const PUBLISHED: Record<SharePublication['readers'][number]['state'], string> = { fresh: 'has it, mounted', unmounted: 'has it', busy: 'keeps what it had', unasked: 'was left as it was' }
function publishedBlock({ version, writer, settled, readers }: SharePublication, paint: Paint): string {
  const how = settled ? '' : ` ${writer ?? 'Its writer'} could not hold still for it: it is as a disk is after a power cut.`
  const head = version === null ? 'Readers have the disk itself again.\n' : `Version ${version} is published.${how}\n`
  const rows = readers.map(({ machine, state, folders, reason }) => [machine, PUBLISHED[state], none(folders), reason ?? ''])
  return head + (rows.length === 0 ? 'No machine that runs reads it: each gets it when it starts.\n' : table(['READER', '', 'ON', ''], rows, paint.dim))
}

/** One shared disk: who serves it, and a line for each machine that has it. */
function shareBlock(share: Share, paint: Paint): string {
  const server = share.server.kind === 'failed' ? paint.red(share.server.message) : SERVED_BY[share.server.kind]
  const rows = share.clients.map((client) => [client.machine, client.state, client.writes ? 'writes' : client.version === null ? 'reads' : `reads version ${client.version}`, client.transport, client.reason ?? ''])
  const head = block([
    ['Disk', `${share.machine}:${share.disk}`],
    ['Size', formatSize(share.sizeBytes)],
    ['Mode', share.mode],
    ['Its machine', share.ownerWrites ? 'writes' : 'reads'],
    ['Served by', server]
  ], paint.dim)
  if (share.cluster) {
    const members = share.cluster.members.map(({ machine, state, node, reason }) => [machine, state, String(node), reason ?? ''])
    return `${head}All write, on ${share.cluster.folder} in each guest:\n${table(['MACHINE', 'STATE', 'NODE', ''], members, paint.dim)}`
  }
  return head + (rows.length === 0 ? 'No machine has it. Give it to one: strata share attach DISK MACHINE\n' : table(['MACHINE', 'STATE', 'ACCESS', 'OVER', ''], rows, paint.dim))
}

const imageRow = (image: Image): string[] => [
  image.name,
  image.kind,
  image.format ?? '-',
  image.kind === 'unknown' ? '-' : formatSize(image.virtualSizeBytes),
  formatSize(image.fileSizeBytes),
  image.referenced ? image.path : 'in the library'
]

const snapshotRow = (snapshot: Snapshot): string[] => [
  snapshot.id,
  snapshot.name,
  snapshot.machine,
  `${ago(snapshot.takenAtMs)} ago`,
  snapshot.was,
  formatSize(snapshot.ownBytes),
  formatSize(snapshot.sharedBytes),
  none(snapshot.here)
]

const runningIn = (lab: Lab): number => lab.machines.filter(({ state }) => state === 'running').length
const labRow = (lab: Lab): string[] => [lab.name, String(lab.machines.length), String(runningIn(lab)), lab.snapshot ? `${lab.snapshot.machine}: ${lab.snapshot.name}` : 'its snapshot is gone', `${ago(lab.createdAtMs)} ago`]
const labLine = (lab: Lab): string => `${lab.name} has ${lab.machines.length} machines, ${runningIn(lab)} of them running: ${lab.machines.map(({ name }) => name).join(', ')}.\n`

function takenLine(snapshot: Snapshot): string {
  const stall = snapshot.was === 'running' && snapshot.stallMs !== null ? ` The guest stood still for ${Math.round(snapshot.stallMs)} ms.` : ''
  return `Took ${snapshot.name}.${stall} Go back to it: strata snapshot restore ${snapshot.id}\n`
}

function planLine(plan: SnapshotPlan): string {
  if (plan.problem !== null) return `None can be taken now: ${plan.problem}.\n`
  if (plan.method === 'off') return 'Its disks would be held; it is off.\n'
  return `The guest would stand still for about ${plan.expectedStallMs} ms${plan.reason === null ? '' : `: ${plan.reason}`}.\n`
}

const renewalLines = ({ machine, renewed, left }: Renewal): string =>
  `Renewed in ${machine}: ${renewed.join(', ')}.\n${left.length > 0 ? `Not renewed in ${machine}: ${left.join(', ')}.\n` : ''}`

const wayOut = ({ name, missing }: Image): string =>
  missing ? `Say where it is now: strata image find ${shellQuote(name)} FILE` : `Put that right, or remove it: strata image remove ${shellQuote(name)}`

/** Below the table: the images that cannot be used, and why. */
const imageProblems = (images: readonly Image[], paint: Paint): string =>
  images
    .filter((image) => image.problem !== undefined)
    .map((image) => `${paint.red(`${image.name} cannot be used:`)} ${image.problem} ${wayOut(image)}\n`)
    .join('')

/** What is worth saying beside an empty table. */
export const EMPTY: { [N in OperationName]?: string } = {
  'machine.list': 'There are no machines. Create one: strata machine create lab1',
  'machine.list-removed': 'There are no removed machines.',
  'image.list': 'There are no images. Bring one in: strata image import FILE',
  'share.list': 'No disk is shared. Share one: strata share create lab1:disk1 --to lab2',
  'lab.list': 'There are no class labs. Make one: strata lab deploy ws --from SNAPSHOT --count 20',
  'snapshot.list': 'There are no snapshots. Take one: strata snapshot take MACHINE',
  'task.list': 'There are no tasks.'
}

export function showResult(operation: string, result: unknown, paint: Paint, input: Record<string, unknown>): string {
  const view = VIEWS[operation as OperationName] as ((result: unknown, paint: Paint, input: Record<string, unknown>) => string) | undefined
  return view ? view(result, paint, input) : describe(result, paint)
}

const byName = (a: Machine, b: Machine): number => a.name.localeCompare(b.name, 'en', { numeric: true })

function machineRow(machine: Machine, paint: Paint): string[] {
  const { definition } = machine
  const state = stateWord(machine, paint)
  if (!definition) return [machine.name, state, '-', '-', formatSize(machine.diskBytes), '-', '-']
  const networks = definition.nics.map((nic) => [formatNetwork(nic.network), ...nic.forwards.map(formatForward)].join(' '))
  return [machine.name, state, String(definition.cpus), formatSize(definition.memoryBytes), formatSize(machine.diskBytes), none(networks), none(definition.tags)]
}

export function stateWord(machine: Pick<Machine, 'state'>, paint: Paint): string {
  const { kind } = machine.state
  switch (kind) {
    case 'running':
      return paint.green(kind)
    case 'paused':
      return paint.yellow(kind)
    case 'starting':
    case 'stopping':
      return paint.blue(kind)
    case 'crashed':
    case 'unreachable':
    case 'broken':
      return paint.red(kind)
    case 'created':
    case 'stopped':
      return kind
  }
}

function stateDetail({ state }: Machine): string {
  switch (state.kind) {
    case 'created':
      return ''
    case 'starting':
      return ` for ${ago(state.sinceMs)}`
    case 'running':
      return ` for ${ago(state.sinceMs)}, process ${state.pid}`
    case 'paused':
      return ` for ${ago(state.sinceMs)}, process ${state.pid}: ${state.reason}`
    case 'stopping':
      return state.overdue ? ', and the guest takes longer than asked: --force ends it' : `, asked ${ago(state.sinceMs)} ago`
    case 'stopped':
    case 'crashed':
      return ` ${ago(state.exit.atMs)} ago: ${state.exit.reason}`
    case 'unreachable':
      return `, process ${state.pid}: ${state.message}`
    case 'broken':
      return `: ${state.message}`
  }
}

function machineBlock(machine: Machine, paint: Paint): string {
  const { definition } = machine
  const head: [string, string][] = [
    ['Name', paint.bold(machine.name)],
    ['State', stateWord(machine, paint) + stateDetail(machine)]
  ]
  if (machine.agent !== null) head.push(['Guest agent', machine.agent ? 'answers' : 'has not answered yet'])
  if (!definition) return block([...head, ['Id', machine.id]], paint.dim)
  const media = [
    ...definition.disks.map((disk) => `${disk.id}: ${formatSize(disk.sizeBytes)}, ${disk.layers.length === 1 ? 'one layer' : `${disk.layers.length} layers`}${disk.image ? ` on ${disk.image.path}` : ''}`),
    ...definition.cdroms.map((cdrom) => `CD: ${cdrom.path}`)
  ]
  const extras = [definition.firmware.toUpperCase(), definition.tpm ? 'TPM' : '', definition.display ? 'screen' : 'no screen', definition.sharedMemory ? 'shared memory' : '', definition.cloudInit ? 'cloud-init' : '']
  return (
    block(
      [
        ...head,
        ['Processors', `${definition.cpus}, ${machine.accelerator.toUpperCase()}${definition.accelerator === 'auto' ? ' (chosen by itself)' : ''}`],
        ['Memory', formatSize(definition.memoryBytes)],
        ['Disks', media.join('\n') || '-'],
        ['Takes', `${formatSize(machine.diskBytes)} of the host`],
        ['Networks', definition.nics.map((nic) => [formatNetwork(nic.network), nic.mac, ...nic.forwards.map(formatForward)].join('  ')).join('\n') || '-'],
        ['Devices', extras.filter(Boolean).join(', ')],
        ['Tags', none(definition.tags)],
        ...(definition.notes === '' ? [] : [['Notes', definition.notes] as const]),
        ['Id', machine.id]
      ],
      paint.dim
    ) + pendingLine(machine, paint)
  )
}

const pendingLine = (machine: Machine, paint: Paint): string => (machine.pending.length > 0 ? paint.yellow(`Waits for its next start: ${machine.pending.join(', ')}.`) + '\n' : '')

function guestBlock(info: ResultOf<'guest.info'>, paint: Paint): string {
  const interfaces = info.interfaces.map((one) => [one.name, one.mac ?? '', ...one.addresses].filter(Boolean).join('  '))
  const fileSystems = info.fileSystems.map((one) => {
    const size = one.totalBytes === null ? '' : `  ${formatSize(one.usedBytes ?? 0)} of ${formatSize(one.totalBytes)} used`
    return `${one.mountpoint}  ${one.type}${size}`
  })
  return block(
    [
      ['Host name', info.hostname ?? '-'],
      ['System', info.system ?? '-'],
      ['Kernel', info.kernel ?? '-'],
      ['Agent', info.agentVersion],
      ['Interfaces', interfaces.join('\n') || '-'],
      ['File systems', fileSystems.join('\n') || '-']
    ],
    paint.dim
  )
}

function storeBlock(stats: ResultOf<'store.stats'>, paint: Paint): string {
  const saved = stats.dataBytes > 0 ? ` (${Math.round((1 - stats.storedBytes / stats.dataBytes) * 100)} % saved)` : ''
  const head = block(
    [
      ['Archived', `${formatSize(stats.logicalBytes)}, of which ${formatSize(stats.dataBytes)} are data`],
      ['Stored', formatSize(stats.storedBytes) + saved],
      ['  shared', formatSize(stats.sharedBytes)],
      ['  index', formatSize(stats.indexBytes)],
      ['  unused', formatSize(stats.unusedBytes) + (stats.unusedBytes > 0 ? ', to be freed by: strata store gc' : '')],
      ['Chunks', `${stats.chunks} in ${stats.packs} packs; new ones of ${formatSize(stats.chunkBytes)}`]
    ],
    paint.dim
  )
  const rows = stats.archives.map((one) => [one.name, one.kind, formatSize(one.logicalBytes), formatSize(one.dataBytes), formatSize(one.ownBytes), `${ago(one.savedAtMs)} ago`])
  const problems = stats.unreadable.map(({ problem }) => `${paint.red('Cannot be read:')} ${problem}\n`).join('')
  return head + (rows.length > 0 ? '\n' + table(['ARCHIVE', 'KIND', 'SIZE', 'DATA', 'OWN', 'SAVED'], rows, paint.dim) : '') + problems
}

function verifiedBlock(verified: ResultOf<'store.verify'>, paint: Paint): string {
  const checked = `Checked ${verified.checkedChunks} chunks and ${verified.archives} archives (${formatSize(verified.checkedBytes)}).\n`
  const unreadable = verified.unreadable.map(({ problem }) => `${paint.red('Cannot be read:')} ${problem}\n`).join('')
  const damaged = verified.damaged.map(({ chunk, touches }) => `${paint.red('Damaged:')} chunk ${chunk || '?'}, needed by ${touches.map((touch) => `${touch.archive} (${touch.file} at ${touch.offset})`).join(', ')}\n`).join('')
  const touched = verified.touchedArchives.length > 0 ? `Archives that cannot be loaded as a whole: ${verified.touchedArchives.join(', ')}. All others can.\n` : ''
  return checked + (unreadable + damaged + touched || `${paint.green('All is as it was saved.')}\n`)
}

const percentOf = (task: Task): string => (task.state.kind === 'running' ? (task.ratio === null ? '?' : `${Math.round(task.ratio * 100)} %`) : '')

function taskWord(task: Task, paint: Paint): string {
  const { kind } = task.state
  return kind === 'done' ? paint.green(kind) : kind === 'failed' ? paint.red(kind) : kind === 'running' ? paint.blue(kind) : paint.yellow(kind)
}

const taskRow = (task: Task, paint: Paint): string[] => [task.id, taskWord(task, paint), percentOf(task), `${ago(task.startedAtMs)} ago`, task.title]

function taskBlock(task: Task, paint: Paint): string {
  const took = task.endedAtMs === null ? '' : `, took ${formatDuration(task.endedAtMs - task.startedAtMs)}`
  return block(
    [
      ['Task', `${task.title} (${task.id})`],
      ['State', [taskWord(task, paint), percentOf(task), task.state.kind === 'running' ? task.phase : ''].filter(Boolean).join('  ')],
      ['Started', `${ago(task.startedAtMs)} ago${took}`],
      ...(task.state.kind === 'failed' ? [['Error', [task.state.error.message, task.state.error.next].filter(Boolean).join('\n')] as const] : []),
      ['Log', task.log.map(({ atMs, line }) => `${new Date(atMs).toISOString().slice(11, 19)} ${line}`).join('\n') || '-']
    ],
    paint.dim
  )
}

function hostBlock(host: ResultOf<'host.show'>, paint: Paint): string {
  const availability = (given: Availability): string =>
    given.available ? `${paint.green('yes')}${given.detail === '' ? '' : `, ${given.detail}`}` : [`${paint.yellow('no')}: ${given.reason}`, given.install ?? ''].filter(Boolean).join('\n')
  const qemu = host.qemu ? `${host.qemu.version}, ${host.qemu.target}, ${host.qemu.path}` : `${paint.red('missing')}: ${host.qemuMissing?.message ?? ''}\n${host.qemuMissing?.install ?? ''}`
  return block(
    [
      ['Computer', `${host.hostname}, ${host.system}, ${host.architecture}`],
      ['Processors', `${host.cpu.count} x ${host.cpu.model}, ${Math.round(host.cpuLoad * 100)} % busy`],
      ['Memory', `${formatSize(host.memory.availableBytes)} of ${formatSize(host.memory.totalBytes)} available`],
      ['Library', `${host.library.path}, ${formatSize(host.library.freeBytes)} of ${formatSize(host.library.totalBytes)} free`],
      ['QEMU', qemu],
      ['Accelerator', host.accelerator.toUpperCase()],
      ...Object.entries(host.accelerators).map(([name, given]) => [`  ${name.toUpperCase()}`, availability(given)] as const),
      ['UEFI', availability(host.uefi)],
      ['TPM', availability(host.tpm)],
      ['Bridges', availability(host.bridge)],
      ['Built-in guest', availability(host.builtinGuest)]
    ],
    paint.dim
  )
}
