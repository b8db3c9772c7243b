import { failure, type Image, type ImageRecord, type Layer, type ParsedInputOf } from '#contract'
import type { Context } from '../context'
import { compareWith, fingerprint, requireVeryFile } from '../disk/fingerprint'
import { imageInfo } from '../disk/qemu-img'
import { copyBig, exists, fileFacts, linkOrCopyBig, move, removeFile } from '../host/files'
import type { Work } from '../task/work'
import { groundOf } from './definition'
import { DiskTarget, diskTarget, reserved } from './disk-target'
import type { ManagedMachine } from './machine'
import { whereElse } from './same-file'

/**
 * A file that a disk stands on was moved or lost, and somebody says where it is. It is taken only if it is the very file: a disk on another
 * one would show its guest damage. An image that is kept where the user has it is used where it is now, by everybody who stands on it;
 * what belongs into the library or the machine's folder is copied back there. A layer that is where it belongs and has another time, such as of
 * a backup that was put back, is taken if somebody says that it is as it was.
 * @throws wrong-state (nothing is missing), not-found, bad-file (another file)
 */
export async function findFile(input: ParsedInputOf<'disk.find'>, context: Context, work: Work): Promise<DiskTarget> {
  const target = diskTarget(input, context)
  return reserved(target, 'is being put together again', async () => {
    work.phase('comparing')
    await fileFacts(input.path) // it has to be there, and to be readable
    const { layer, image } = await missing(target, context)
    if (layer) await putBack(target, layer, input, await whereElse(target.machine, layer, context), work)
    else if (image) await putToUse(image, input, context, work)
    else if (!(await takenAsItIs(target, input))) throw failure('wrong-state', `Every file of ${target.label} is where it belongs.`, { name: target.disk.id, state: 'complete' })
    await target.machine.measureDisks()
    return target
  })
}

/** The same for the file of an image, whether or not anything stands on it. @throws not-found, wrong-state (it is not missing), bad-file (another file) */
export async function findImage(input: ParsedInputOf<'image.find'>, context: Context, work: Work): Promise<Image> {
  const { images } = context
  work.phase('comparing')
  const image = await images.get(input.image)
  await fileFacts(input.path)
  if (await exists(image.path)) throw failure('wrong-state', `The file of “${image.name}” is where it belongs.`, { name: image.name, state: 'complete' })
  await putToUse(image, input, context, work)
  return images.list().find(({ id }) => id === image.id)!
}

async function putToUse(image: ImageRecord, { path, unchecked }: { path: string; unchecked: boolean }, context: Context, work: Work): Promise<void> {
  await context.images.relink(image.id, path, unchecked, work)
  for (const machine of context.machines.all()) await followImages(machine, context)
}

/** The topmost that is missing. */
async function missing(target: DiskTarget, context: Context): Promise<{ layer?: Layer; image?: ImageRecord }> {
  const { disk } = target
  for (const layer of [...disk.layers, ...disk.undone]) if (!(await exists(target.pathOf(layer.file)))) return { layer }
  const { image } = disk
  const record = image && context.images.recorded().find(({ id }) => id === image.imageId)
  return record && !(await exists(record.path)) ? { image: record } : {}
}

/** @returns whether it is a layer of the disk. @throws bad-file, wrong-state (nobody said that it is sure) */
async function takenAsItIs(target: DiskTarget, { path, unchecked }: { path: string; unchecked: boolean }): Promise<boolean> {
  const layer = [...target.disk.layers, ...target.disk.undone].find(({ file, frozen }) => frozen && target.pathOf(file) === path)
  if (!layer) return false
  target.requireOff('taking a layer as it is')
  requireVeryFile(await compareWith(path, layer.frozen!), path, layer.nodeName, unchecked)
  await noteAsItIs(target, layer)
  return true
}

/** From now on the layer is known as it is now. */
async function noteAsItIs(target: DiskTarget, { nodeName, file }: Layer): Promise<void> {
  const frozen = await fingerprint(target.pathOf(file))
  const noted = (layers: Layer[]): Layer[] => layers.map((layer) => (layer.nodeName === nodeName && layer.frozen ? { ...layer, frozen } : layer))
  await target.save({ ...target.disk, layers: noted(target.disk.layers), undone: noted(target.disk.undone) })
}

/** @param known where a linked clone or a snapshot has it: then it is one file for both again, as it was */
async function putBack(target: DiskTarget, layer: Layer, { path, unchecked }: { path: string; unchecked: boolean }, known: string | null, work: Work): Promise<void> {
  target.requireOff('putting a layer back')
  const compared = path === known ? 'same' : layer.frozen ? await compareWith(path, layer.frozen) : 'unsure'
  if (compared === 'other') requireVeryFile(compared, path, layer.nodeName, unchecked)
  const { virtualSizeBytes } = await imageInfo({ path, format: layer.format })
  requireVeryFile(virtualSizeBytes === target.disk.sizeBytes ? compared : 'other', path, layer.nodeName, unchecked)
  const to = target.pathOf(layer.file)
  const unfinished = `${to}.unfinished`
  work.onUndo(() => removeFile(unfinished))
  work.phase('copying it back')
  await removeFile(unfinished)
  if (path === known) await linkOrCopyBig(path, unfinished, work.signal)
  else await copyBig(path, unfinished, { signal: work.signal, onProgress: work.progress })
  work.pointOfNoReturn()
  await move(unfinished, to)
  await noteAsItIs(target, layer)
}

/** Machines go by where the library has its images: one that came back from the trash or a snapshot may know an old place. */
export async function followImages(machine: ManagedMachine, { images, machines }: Context): Promise<void> {
  const records = new Map(images.recorded().map((image) => [image.id, image]))
  const { definition } = machine
  const disks = definition.disks.map((disk) => {
    const record = disk.image && records.get(disk.image.imageId)
    return record && record.path !== disk.image!.path ? { ...disk, image: groundOf(record) } : disk
  })
  if (disks.some((disk, index) => disk !== definition.disks[index])) await machines.redefine(machine, { ...definition, disks })
}
