import { failure, type Disk, type DiskView, type OperationName, type ParsedInputOf, type TaskOperationName } from '#contract'
import { asTask, type Context, type Handlers } from '../context'
import { imageNodeName } from '../disk/nodes'
import { appliedCommits, firstCommitAfter, parseMoment, redoneTo, undoneTo, withoutActive, withoutUndone, activeLayer } from '../disk/stack'
import { cloneDisk } from '../machine/clone-disk'
import { listFiles, mapDisk, showDisk, viewDisk } from '../machine/disk-files'
import * as disks from '../machine/disk-operations'
import { diskTarget, reserved, type DiskTarget } from '../machine/disk-target'
import { findFile } from '../machine/find-file'
import { commitForGood, commitKeepingHistory, finishPending, isActiveEmpty, mergeInto, putOverlay, requireForgettable } from '../machine/overlays'
import { throwIfCancelled, type Work } from '../task/work'

type OnDisk = { machine: string; disk: string }
const subject = (input: { machine: string }, context: Context): string => context.machines.get(input.machine).name
/** A title such as `Commit disk0 of lab1`. */
const titled = (verb: string) => (input: { machine: string; disk?: string }, context: Context) => `${verb} ${input.disk === undefined ? '' : `${input.disk} of `}${subject(input, context)}`

/** A task on a disk that answers with the disk. What a crash cut off before is finished first. */
function onDisk<N extends TaskOperationName>(operation: N, verb: string, doing: string, act: (target: DiskTarget, input: ParsedInputOf<N> & OnDisk, work: Work, context: Context) => Promise<void>) {
  return asTask<N>(operation, titled(verb) as never, subject as never, (async (input: ParsedInputOf<N> & OnDisk, context: Context, work: Work): Promise<DiskView> => {
    const target = diskTarget(input, context)
    await reserved(target, doing, async () => {
      await finishPending(target, work)
      throwIfCancelled(work.signal)
      await act(target, input, work, context)
    })
    const [view] = await Promise.all([viewDisk(target, context), target.machine.measureDisks()])
    return view
  }) as never)
}

/** Answers with the disk that a function of disk-operations has made or changed. */
const thenShow =
  <I>(act: (input: I, context: Context, work: Work) => Promise<DiskTarget>) =>
  async (input: I, context: Context, work: Work): Promise<DiskView> =>
    viewDisk(await act(input, context, work), context)

export const diskHandlers: Handlers<Extract<OperationName, `disk.${string}`>> = {
  'disk.list': (input, context) => listFiles(context, input.machine === undefined ? undefined : context.machines.get(input.machine)),
  'disk.show': (input, context) => showDisk(input, context),
  'disk.map': (input, context) => mapDisk(diskTarget(input, context), input.most),
  'disk.create': asTask('disk.create', titled('Add a disk to'), subject, thenShow(disks.createDisk)),
  'disk.attach': asTask('disk.attach', titled('Add a disk to'), subject, thenShow(disks.attachDisk)),
  'disk.import': asTask('disk.import', titled('Import a disk into'), subject, thenShow(disks.importDisk)),
  'disk.detach': asTask('disk.detach', titled('Detach'), subject, disks.detachDisk),
  'disk.remove': asTask('disk.remove', titled('Remove'), subject, disks.removeDisk),
  'disk.resize': asTask('disk.resize', titled('Resize'), subject, thenShow(disks.resizeDisk)),
  'disk.check': asTask('disk.check', titled('Check'), subject, disks.checkDisk),
  'disk.repair': asTask('disk.repair', titled('Repair'), subject, disks.repairDisk),
  'disk.rebase': asTask('disk.rebase', titled('Rebase'), subject, thenShow(disks.rebaseDisk)),
  'disk.find': asTask('disk.find', titled('Find a file of'), subject, thenShow(findFile)),
  'disk.flatten': asTask('disk.flatten', titled('Flatten'), subject, thenShow(disks.flattenDisk)),
  'disk.clone': asTask('disk.clone', titled('Clone'), subject, thenShow(cloneDisk)),
  'disk.export': asTask('disk.export', titled('Export'), subject, disks.exportDisk),
  'disk.convert': asTask('disk.convert', (input) => `Convert ${input.image}`, (input) => input.image, disks.convertLibraryImage)
}

export const overlayHandlers: Handlers<Extract<OperationName, `overlay.${string}`>> = {
  'overlay.create': onDisk('overlay.create', 'Put an overlay on', 'gets an overlay', async (target, input) => {
    await target.requireSound()
    await putOverlay(target, { note: input.note })
  }),
  'overlay.commit': onDisk('overlay.commit', 'Commit', 'is being committed', (target, input, work, context) => commit(target, input, false, work, context)),
  'overlay.renew': onDisk('overlay.renew', 'Renew', 'is being renewed', (target, input, work, context) => commit(target, input, true, work, context)),
  'overlay.undo': onDisk('overlay.undo', 'Undo a commit of', 'goes back', async (target, input) => {
    target.requireOff('going back')
    const sequence = input.to ?? (input.at === undefined ? lastApplied(target) : firstCommitAfter(target.disk, parseMoment(input.at, Date.now())))
    const after = undoneTo(target.disk, sequence)
    target.requireUnpublished(target.disk.layers.filter((layer) => !after.layers.includes(layer)))
    await requireDiscardable(target, input.discard)
    await disks.onFreshLayer(target, after)
  }),
  'overlay.redo': onDisk('overlay.redo', 'Redo a commit of', 'goes forward', async (target, input) => {
    target.requireOff('going forward')
    const after = redoneTo(target.disk, input.to)
    await requireDiscardable(target, input.discard)
    await disks.onFreshLayer(target, after)
  }),
  'overlay.history': async (input, context) => diskTarget(input, context).disk.history,
  'overlay.discard': onDisk('overlay.discard', 'Discard what was written to', 'is being reset', async (target) => {
    target.requireOff('throwing away what was written')
    const { disk } = target
    if (disk.layers.length === 1 && !disk.image) {
      throw failure('wrong-state', `${target.label} has one layer that stands on nothing: there is nothing to go back to.`, { name: disk.id, state: 'one layer', next: 'To delete all it holds, remove the disk and make a new one.' })
    }
    await disks.onFreshLayer(target, withoutActive(disk))
  }),
  'overlay.keep': onDisk('overlay.keep', 'Keep the overlay of', 'is being kept', async (target, input) => {
    const { disk } = target
    const active = activeLayer(disk)
    if (!active.temporary) throw failure('wrong-state', `The overlay of ${target.label} is not a temporary one: it stays anyway.`, { name: disk.id, state: 'kept' })
    await target.save({ ...disk, layers: disk.layers.map((layer) => (layer === active ? { ...layer, temporary: false, note: input.note || layer.note } : layer)) })
  })
}

async function commit(target: DiskTarget, input: ParsedInputOf<'overlay.commit'>, renew: boolean, work: Work, context: Context): Promise<void> {
  const { settings } = context
  const { disk } = target
  requireNotIntoImage(disk, input, context)
  const merges = input.into !== undefined || !input.history
  const lost = [...appliedCommits(disk.undone), ...(input.into === undefined ? [] : commitsAbove(target, input.into))]
  requireForgettable(target, lost, input.forget)
  await target.requireSound()
  // What was undone stands on a layer that a merge changes: it goes first, as was said. Where there is nothing to merge into, nothing goes.
  if (merges && disk.undone.length > 0 && disk.layers.length > 1) await target.save(withoutUndone(disk))
  if (input.into !== undefined) await mergeInto(target, input.into, { renew }, work)
  else if (merges) await commitForGood(target, { renew }, work)
  else await commitKeepingHistory(target, { note: input.note, renew, historyBudgetBytes: settings.value.historyBudgetBytes }, work)
}

/** An image of the library is never written to: whoever else stands on it would be damaged. @throws unsupported */
function requireNotIntoImage(disk: Disk, { into, history }: ParsedInputOf<'overlay.commit'>, { images, machines }: Context): void {
  if (!disk.image) return
  if (into === undefined ? history || disk.layers.length > 1 : into !== imageNodeName(disk)) return
  const { imageId } = disk.image
  const name = images.recorded().find((image) => image.id === imageId)?.name ?? imageId
  const users = machines.usersOfImage(imageId)
  throw failure('unsupported', `“${name}” is an image of the library, and never written to: ${users.join(', ')} ${users.length === 1 ? 'stands' : 'stand'} on it${users.length === 1 ? '' : ', and would be damaged'}.`, {
    next: 'A commit that keeps its history works; to have one file, flatten the disk; to have what it holds as a new image, clone the disk, and detach the clone.'
  })
}

/** Commits that a merge down into a layer makes final. @throws not-found, bad-input */
function commitsAbove(target: DiskTarget, nodeName: string): number[] {
  const { layers } = target.disk
  const at = layers.findIndex((layer) => layer.nodeName === nodeName)
  if (at < 0) throw failure('not-found', `${target.label} has no layer ${nodeName}.`, { what: 'layer', name: nodeName, next: `It has ${layers.map((layer) => layer.nodeName).join(', ')}.` })
  if (at === 0) throw failure('bad-input', `${nodeName} is the active layer: it cannot be merged into itself.`, { field: 'into' })
  return appliedCommits(layers.slice(0, at))
}

function lastApplied(target: DiskTarget): number {
  const last = target.disk.history.filter((entry) => entry.state === 'applied').at(-1)
  if (last) return last.sequence
  throw failure('wrong-state', `${target.label} has no commit that could be undone.`, { name: target.disk.id, state: 'no history' })
}

async function requireDiscardable(target: DiskTarget, discard: boolean): Promise<void> {
  const active = activeLayer(target.disk)
  if (discard || active.commit || (await isActiveEmpty(target))) return
  throw failure('wrong-state', `${target.label} holds changes that are not committed: going to another state would lose them.`, {
    name: target.disk.id,
    state: 'changed',
    next: 'Commit them first, and they can be had again; or discard them.'
  })
}
