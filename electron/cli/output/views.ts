import type { OperationName, ResultOf } from '#contract'
import { describe } from './describe'
import { DISK_VIEWS } from './disk-views'
import { hostBlock } from './host-views'
import { imageProblems, imageRow } from './image-views'
import { byName, guestBlock, machineBlock, machineRow, pendingLine, stateWord } from './machine-views'
import type { Paint } from './paint'
import { comparisonTable, loadTable, ringBlock, sectorDump } from './ring-views'
import { benchTable, publishedBlock, refreshedBlock, shareBlock, shareRow } from './share-views'
import { labLine, labRow, planLine, renewalLines, snapshotRow, takenLine } from './snapshot-views'
import { storeBlock, verifiedBlock } from './store-views'
import { taskBlock, taskRow } from './task-views'
import { ago, formatSize, shellQuote, table } from './text'
import { traceBlock } from './trace-views'

/** A result for people; what a program reads is the JSON. */
type View<N extends OperationName> = (result: ResultOf<N>, paint: Paint, input: Record<string, unknown>) => string
type Views = { [N in OperationName]?: View<N> }

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
  ...DISK_VIEWS,
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
  'share.edit': (share, paint) => shareBlock(share, paint),
  'share.limit': (share, paint) => shareBlock(share, paint),
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

/** What is worth saying beside an empty table. */
export const EMPTY: { [N in OperationName]?: string } = {
  'machine.list': 'There are no machines. Create one: strata machine create lab1',
  'machine.list-removed': 'There are no removed machines.',
  'image.list': 'There are no images. Bring one in: strata image import FILE',
  'disk.list': 'There are no disks. Create a machine: strata machine create lab1',
  'overlay.history': 'Nothing was committed yet. Commit what was written: strata overlay commit MACHINE --note NOTE',
  'share.list': 'No disk is shared. Share one: strata share create lab1:disk1 --to lab2',
  'lab.list': 'There are no class labs. Make one: strata lab deploy ws --from SNAPSHOT --count 20',
  'snapshot.list': 'There are no snapshots. Take one: strata snapshot take MACHINE',
  'task.list': 'There are no tasks.'
}

export function showResult(operation: string, result: unknown, paint: Paint, input: Record<string, unknown>): string {
  const view = VIEWS[operation as OperationName] as ((result: unknown, paint: Paint, input: Record<string, unknown>) => string) | undefined
  return view ? view(result, paint, input) : describe(result, paint)
}
