import type { CommitRecord, DiskView, ImageFile, ResultOf } from '#contract'
import type { Paint } from './paint'
import { formatSize, shellQuote, table } from './text'

/** A disk, for people: its stack as it lies, the active layer on top, then what was undone, then its history. */
function diskBlock(view: DiskView, paint: Paint): string {
  const { machine, disk, files, undone, inUse } = view
  const all = [...files, ...undone]
  // Who else has a layer is said where somebody does.
  const others = all.some((file) => file.of.kind === 'layer' && usersOf(file).length > 1)
  const rows = all.map((file) => [nameOf(file, disk.id), roleOf(file), formatSize(file.fileSizeBytes), ...(others ? [usersOf(file).join(', ') || '-'] : []), file.path])
  const history = disk.history.length === 0 ? '' : `\nCommits (${budgetOf(view)}):\n${historyTable(disk.history, paint)}`
  const head = `${disk.id} of ${machine}: ${formatSize(disk.sizeBytes)}${inUse ? ', open in its QEMU' : ''}${disk.pending ? ', with a merge that is not finished' : ''}\n`
  return head + table(['LAYER', 'IS', 'ON DISK', ...(others ? ['USED BY'] : []), 'FILE'], rows, paint.dim) + problemsOf([...files, ...undone], paint) + history
}

/** What the history takes. The lowest layer is what the disk stands on, and is never merged away: what lies in it does not count. */
function budgetOf({ disk, historyBytes, historyBudgetBytes }: DiskView): string {
  const lowest = disk.layers.at(-1)!.commit
  return `${formatSize(historyBytes)} of at most ${formatSize(historyBudgetBytes)}${lowest ? `, not counting commit ${lowest.sequence}, the lowest layer` : ''}`
}

/** Machines, snapshots, and machines that have it over a share. */
const usersOf = ({ users, snapshots, sharedWith }: ImageFile): string[] => [...users, ...snapshots.map(({ name }) => `snapshot ${name}`), ...sharedWith.map((name) => `${name} (shared)`)]

const nameOf = ({ of }: ImageFile, disk: string): string => (of.kind === 'layer' ? of.layer.nodeName : `${disk}-image`)

function roleOf({ of }: ImageFile): string {
  if (of.kind === 'image') return `image ${of.name}`
  const { place, layer } = of
  const note = oneLine(layer.commit?.note ?? layer.note)
  const what = layer.commit ? `commit ${layer.commit.sequence}` : place === 'active' ? 'active' : 'overlay'
  return what + (layer.commit && place === 'active' ? ', on top' : '') + (layer.temporary ? ', temporary' : '') + (place === 'undone' ? ', undone' : '') + (note === '' ? '' : `: ${note}`)
}

/** Below the table: the files that are not as they should be. */
const problemsOf = (files: readonly ImageFile[], paint: Paint): string =>
  files.map((file) => (file.health.kind === 'ok' ? '' : `${paint.red(`${file.path} is ${file.health.kind}:`)} ${file.health.message}\n${wayBack(file)}`)).join('')

/** A layer that is missing, and that a linked clone or a snapshot still has. */
function wayBack({ health, of }: ImageFile): string {
  if (health.kind === 'ok' || health.foundAt === undefined || of.kind !== 'layer') return ''
  return `It is still there under another name. Put it back: strata disk find ${shellQuote(of.machine)} ${of.disk} ${shellQuote(health.foundAt)}\n`
}

/** What the state of a commit lets one do. */
const STATES: { [K in CommitRecord['state']]: string } = { applied: 'can be undone', undone: 'undone; can be redone', merged: 'final', forgotten: 'undone, and given up' }

function historyTable(history: readonly CommitRecord[], paint: Paint): string {
  const rows = history.map(({ sequence, atMs, bytes, state, note }) => [String(sequence), localTime(atMs), formatSize(bytes), STATES[state], oneLine(note)])
  return table(['COMMIT', 'WHEN', 'SIZE', 'STATE', 'NOTE'], rows, paint.dim)
}

/** As `overlay undo --at` takes it. */
function localTime(atMs: number): string {
  const at = new Date(atMs)
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`
}

/** What somebody typed, in a row of a table: without new lines, and without what a terminal would obey. */
const oneLine = (text: string): string => text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim()

function filesTable(files: readonly ImageFile[], paint: Paint): string {
  const rows = files.map((file) => {
    const what = file.of.kind === 'layer' ? `${file.of.machine} ${file.of.layer.nodeName}` : 'image'
    return [what, roleOf(file), formatSize(file.virtualSizeBytes), formatSize(file.fileSizeBytes), usersOf(file).join(', ') || '-', file.path]
  })
  return table(['LAYER', 'IS', 'SIZE', 'ON DISK', 'USED BY', 'FILE'], rows, paint.dim) + problemsOf(files, paint)
}

function checkedLines({ files }: ResultOf<'disk.check'>, paint: Paint): string {
  const leaks = files.some(({ leakedClusters }) => leakedClusters > 0)
  return (
    files
      .map(({ path, leakedClusters, problems }) => {
        const lost = leakedClusters > 0 ? `; ${leakedClusters} leaked clusters, which cost space only` : ''
        return `${path}: ${problems === null ? paint.green('sound') : paint.red(problems.trim())}${lost}\n`
      })
      .join('') + (leaks ? 'Give that space back: strata disk repair --leaks-only\n' : '')
  )
}

function repairedLines({ repaired, copies }: ResultOf<'disk.repair'>): string {
  if (repaired.length === 0) return 'There was nothing to repair.\n'
  return repaired.map((path) => `Repaired ${path}.\n`).join('') + copies.map((path) => `It was before: ${path}\n`).join('')
}

const keptLine = ({ name }: ResultOf<'disk.detach'>): string => `It is the image ${name} now. Use it: strata disk attach MACHINE ${shellQuote(name)}\n`

/** Whatever changes a disk answers with the disk as it is now. */
export const DISK_VIEWS = {
  'disk.list': filesTable,
  'disk.show': diskBlock,
  'disk.create': diskBlock,
  'disk.attach': diskBlock,
  'disk.import': diskBlock,
  'disk.resize': diskBlock,
  'disk.rebase': diskBlock,
  'disk.find': diskBlock,
  'disk.flatten': diskBlock,
  'disk.clone': diskBlock,
  'overlay.create': diskBlock,
  'overlay.commit': diskBlock,
  'overlay.renew': diskBlock,
  'overlay.undo': diskBlock,
  'overlay.redo': diskBlock,
  'overlay.discard': diskBlock,
  'overlay.keep': diskBlock,
  'overlay.history': historyTable,
  'disk.check': checkedLines,
  'disk.repair': repairedLines,
  'disk.detach': keptLine,
  'disk.convert': keptLine,
  'disk.remove': ({ removed, freedBytes }: ResultOf<'disk.remove'>) => `Removed ${removed}; ${formatSize(freedBytes)} are free again.\n`,
  'disk.export': ({ file, fileSizeBytes }: ResultOf<'disk.export'>) => `Wrote ${file} (${formatSize(fileSizeBytes)}).\n`
}
