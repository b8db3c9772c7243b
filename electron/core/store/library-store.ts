import { basename, dirname, extname, join } from 'node:path'
import { failure, ImageRecord, type ArchiveStats, type Image, type ParsedInputOf, type StoreExperiment } from '#contract'
import type { Context } from '../context'
import { diskSpace, ensurePrivateFolder, fileFacts, removeTree } from '../host/files'
import type { Work } from '../task/work'
import type { ArchiveHead } from './archive-format'
import { experiment } from './experiment'
import type { Source } from './save'
import { storeStats } from './stats'

/** What the images of the library have to do with the store. */

const KIND = 'image'
/** What an image needs beside its content, in the archive's details. */
const Details = ImageRecord.pick({ kind: true, format: true })

/** Saves an image's file. Nobody can remove or change the image meanwhile. */
export function archiveImage(input: ParsedInputOf<'store.archive'>, { images, store }: Context, work: Work): Promise<ArchiveStats> {
  return images.use(input.image, 'the store', async (image) => {
    if (image.kind === 'guest') {
      throw failure('unsupported', 'The built-in guest is not archived: it is made by set-up, and consists of several files.', { next: 'Archive an image that a disk of yours was exported to.' })
    }
    const name = input.name ?? image.name
    work.phase(`saving ${image.name}`)
    const files = [{ name: `disk.${image.format}`, path: image.path, sealed: true }]
    const details = { kind: image.kind, format: image.format }
    const head = await store.put(name, files, { signal: work.signal, progress: work.progress, kind: KIND, note: input.note, details })
    work.log(`${Math.round(head.addedBytes / 1024)} KiB were added to the store`)
    const { archives } = await storeStats(store)
    return archives.find((archive) => archive.name === name)!
  })
}

/** Makes an image of an archive of one. */
export async function restoreImage(input: ParsedInputOf<'store.restore'>, { images, store }: Context, work: Work): Promise<Image> {
  const { head } = await store.archives.read(input.archive)
  const details = Details.safeParse(head.details)
  const [file] = head.files
  if (head.kind !== KIND || !details.success || !file) {
    throw failure('unsupported', `“${input.archive}” is not an archive of an image, but of a ${head.kind}.`, {})
  }
  work.phase(`loading ${input.archive}`)
  const { kind, format } = details.data
  return images.keep(input.name ?? input.archive, input.name !== undefined, work, (path) => load(path, file.name), format, kind)

  async function load(path: string, name: string): Promise<void> {
    if (name !== basename(path)) throw failure('unsupported', `“${input.archive}” was saved in a way that this version does not know.`, {})
    await requireSpace(dirname(path), file!.dataBytes)
    await store.get(input.archive, dirname(path), { signal: work.signal, progress: work.progress })
  }
}

export async function removeArchive({ archive }: ParsedInputOf<'store.remove'>, { store, snapshots }: Context): Promise<{ removed: string }> {
  const user = snapshots.all().find((snapshot) => snapshot.archive?.name === archive)
  if (user) throw failure('in-use', `“${archive}” holds the memory of the snapshot “${user.name}” of ${user.machine}.`, { what: `archive ${archive}`, holder: user.name, next: 'Remove the snapshot: its archive goes with it.' })
  await store.remove(archive)
  return { removed: archive }
}

/** The files are taken where they are; archives are loaded first. */
export async function runExperiment(input: ParsedInputOf<'store.experiment'>, context: Context, work: Work): Promise<StoreExperiment> {
  const home = await context.library.unfinished()
  work.onUndo(() => removeTree(home))
  const archives = await Promise.all(input.archive.map(async (name) => (await context.store.archives.read(name)).head))
  const images = await chosenImages(input, context)
  if (archives.length + images.length === 0) {
    throw failure('not-found', 'There is nothing to measure with: no image, and no archive.', { what: 'image', name: '', next: 'Import an image first.' })
  }
  const dataBytes = sum(archives.map((head) => sum(head.files.map((file) => file.dataBytes)))) + sum(await Promise.all(images.map(async ({ path }) => (await fileFacts(path)).allocatedBytes)))
  // The archives' files, a store of them all, and all files loaded back.
  await requireSpace(home, dataBytes * (archives.length > 0 ? 3 : 2))
  const files = [...(await loadArchives(archives, home, context, work)), ...images.map((image, i) => ({ name: `image-${i}${extname(image.path)}`, path: image.path }))]
  work.phase('saving and loading with each chunk size')
  const watch = { signal: work.signal, progress: work.progress }
  const rows = await experiment(join(home, 'stores'), files, input.chunk, watch, (row) =>
    work.log(`chunks of ${row.chunkBytes / 1024} KiB: ${(row.storedBytes / 2 ** 20).toFixed(1)} MiB, saved in ${Math.round(row.saveMs)} ms, loaded in ${Math.round(row.loadMs)} ms`)
  )
  await removeTree(home)
  return { of: [...archives, ...images].map(({ name }) => name), dataBytes, rows }
}

async function chosenImages({ archive, image }: ParsedInputOf<'store.experiment'>, { images }: Context): Promise<{ name: string; path: string }[]> {
  if (image.length > 0) return Promise.all(image.map((reference) => images.get(reference)))
  if (archive.length > 0) return []
  return (await images.look()).filter((one) => one.problem === undefined)
}

async function loadArchives(archives: readonly ArchiveHead[], home: string, { store }: Context, work: Work): Promise<Source[]> {
  const files: Source[] = []
  for (const [i, { name }] of archives.entries()) {
    work.phase(`loading ${name}`)
    const folder = join(home, `archive-${i}`)
    await ensurePrivateFolder(folder)
    const paths = await store.get(name, folder, { signal: work.signal })
    files.push(...paths.map((path) => ({ name: `archive-${i}-${basename(path)}`, path })))
  }
  return files
}

const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0)

async function requireSpace(folder: string, bytes: number): Promise<void> {
  const { freeBytes } = await diskSpace(folder)
  if (freeBytes >= bytes) return
  throw failure('no-space', `This needs ${Math.ceil(bytes / 2 ** 20)} MiB of space, and ${Math.floor(freeBytes / 2 ** 20)} MiB are free.`, { path: folder, next: 'Free some space and try again.' })
}
