import { randomBytes } from 'node:crypto'
import { basename, join } from 'node:path'
import { failure, Failure, ImageRecord, toAppError, type AppError, type Image, type ParsedInputOf } from '#contract'
import { allocatedBytes, copyBig, fileFacts, listFolder, makeReadOnly, move, readJson, removeTree, writeJsonAtomic } from '../host/files'
import type { Library } from '../library/library'
import type { Work } from '../task/work'
import { bringGuest, guestId, readGuestManifest, type GuestManifest } from './builtin-guest'
import { compareWith, fingerprint, requireVeryFile } from './fingerprint'
import { imageInfo } from './qemu-img'
import { copyIn, examine, nameFrom, slug, targetOf } from './import'

const MANIFEST = 'image.json'
/** Words that stand for a source where an image could be named. */
const RESERVED: readonly string[] = ['none', 'builtin']

export interface ImagesOptions {
  /** The folder that the guest recipe made. */
  builtinGuest: string
  /** Names of the machines that stand on an image. */
  usedBy: (imageId: string) => string[]
  onDidChange: (image: Image) => void
  onDidRemove: (id: string) => void
}

/** The images of the library: `images/<id>/image.json`, beside it the file, if it is the library's own. None is ever written to. */
export class Images {
  private readonly images = new Map<string, ImageRecord>()
  /** Why an image that is recorded cannot be used. */
  private readonly problems = new Map<string, AppError>()
  /** What lies in `images/` and is no readable image, as it is listed. */
  private readonly unreadable = new Map<string, Image>()
  /** What is being made on an image right now: who does it, by image id. */
  private readonly holders = new Map<string, string[]>()
  /** Names of images that are on their way in. */
  private readonly claimed = new Set<string>()
  private bringing: Promise<ImageRecord> | null = null

  constructor(
    private readonly library: Pick<Library, 'paths' | 'unfinished'>,
    private readonly options: ImagesOptions
  ) {}

  /** Reads every image. One that cannot be read keeps the others from nothing. */
  async load(): Promise<void> {
    const ids = await listFolder(this.library.paths.images)
    this.images.clear()
    this.unreadable.clear()
    await Promise.all(ids.map((id) => this.loadOne(id)))
  }

  /** Every image, also those that cannot be used, with the reason as it was when they were last looked at. */
  list(): Image[] {
    return [...[...this.images.values()].map((image) => this.view(image)), ...this.unreadable.values()].sort(byName)
  }

  /** Those whose record can be read. */
  recorded(): ImageRecord[] {
    return [...this.images.values()].sort(byName)
  }

  /** Looks at every image's files: they may have been changed, taken away, or put back. */
  async look(): Promise<Image[]> {
    await Promise.all([...this.images.values()].map((image) => this.lookAt(image)))
    return this.list()
  }

  /**
   * By name or id; `builtin` is the built-in guest, brought into the library when first asked for.
   * @throws not-found (also when the built-in guest was not made)
   */
  async get(reference: string): Promise<ImageRecord> {
    return reference === 'builtin' ? this.builtinGuest() : this.find(reference)
  }

  /**
   * Does something that needs an image to stay, such as making a machine on it: until that has ended it cannot be removed.
   * @param holder who needs it, for the refusal: `lab1`
   * @throws not-found, bad-file, and what `act` throws
   */
  async use<T>(reference: string, holder: string, act: (image: ImageRecord) => Promise<T>): Promise<T> {
    const image = this.find((await this.get(reference)).id) // it may have been removed since it was got
    this.holders.set(image.id, [...(this.holders.get(image.id) ?? []), holder])
    try {
      await this.verify(image)
      return await act(image)
    } finally {
      const left = [...(this.holders.get(image.id) ?? [])]
      left.splice(left.indexOf(holder), 1)
      this.holders.set(image.id, left)
    }
  }

  private usersOf(imageId: string): string[] {
    const making = (this.holders.get(imageId) ?? []).map((holder) => `${holder} (being made)`)
    return [...this.options.usedBy(imageId), ...making]
  }

  /** Throws when the file of an image is gone, or was changed since it was recorded. @throws not-found, bad-file */
  async verify(image: ImageRecord): Promise<void> {
    for (const path of filesOf(image)) if (path !== image.path) await fileFacts(path)
    const { sizeBytes, modifiedAtMs } = await fileFacts(image.path)
    if (!image.recorded || (sizeBytes === image.recorded.sizeBytes && modifiedAtMs === image.recorded.modifiedAtMs)) return
    throw failure('bad-file', `“${image.path}” was changed since it was imported; machines that stand on it would be damaged.`, {
      path: image.path,
      next: 'Put the old file back, or import it anew under another name.'
    })
  }

  /** The same by id; an image that is not listed any more cannot be told. */
  async verifyById(id: string): Promise<void> {
    const image = this.images.get(id)
    if (image) await this.verify(image)
  }

  /**
   * Brings a file in: copied, or referenced where it is. Refused when it is damaged. A copy of an image that needs other
   * files is one file. The original is never written to.
   */
  async import(input: ParsedInputOf<'image.import'>, work: Work): Promise<ImageRecord> {
    const name = this.freeName(input.name ?? nameFrom(input.path), input.name !== undefined)
    this.claimed.add(keyOf(name))
    try {
      const examined = await examine(input, work)
      const folder = await this.library.unfinished()
      work.onUndo(() => removeTree(folder))
      const id = `${slug(name)}-${randomBytes(3).toString('hex')}`
      const target = targetOf(examined)
      const referenced = examined.how === 'reference'
      const info = referenced ? examined.info : await copyIn(examined, join(folder, target.file), work)
      const path = referenced ? examined.path : join(this.homeOf(id), target.file)
      const image: ImageRecord = {
        schemaVersion: 1,
        id,
        name,
        kind: examined.kind,
        path,
        referenced,
        format: target.format,
        ...info,
        ...(referenced ? { recorded: { sizeBytes: examined.facts.sizeBytes, modifiedAtMs: examined.facts.modifiedAtMs } } : {}),
        identity: await fingerprint(referenced ? examined.path : join(folder, target.file)),
        addedAtMs: Date.now(),
        note: ''
      }
      await writeJsonAtomic(join(folder, MANIFEST), image)
      work.pointOfNoReturn()
      await move(folder, this.homeOf(id))
      return this.added(image)
    } finally {
      this.claimed.delete(keyOf(name))
    }
  }

  /**
   * Takes in an image that is made here: of a disk, or of another image.
   * @param chosen the user chose the name: then it has to be free
   * @param make writes the file
   */
  async keep(wanted: string, chosen: boolean, work: Work, make: (path: string) => Promise<void>, format: ImageRecord['format'] = 'qcow2', kind: ImageRecord['kind'] = 'disk'): Promise<ImageRecord> {
    const name = this.freeName(wanted, chosen)
    this.claimed.add(keyOf(name))
    try {
      const folder = await this.library.unfinished()
      work.onUndo(() => removeTree(folder))
      const id = `${slug(name)}-${randomBytes(3).toString('hex')}`
      const file = `disk.${format}`
      await make(join(folder, file))
      const info = await imageInfo({ path: join(folder, file), format })
      await makeReadOnly(join(folder, file))
      const image: ImageRecord = { schemaVersion: 1, id, name, kind, path: join(this.homeOf(id), file), referenced: false, format, ...info, identity: await fingerprint(join(folder, file)), addedAtMs: Date.now(), note: '' }
      await writeJsonAtomic(join(folder, MANIFEST), image)
      work.pointOfNoReturn()
      await move(folder, this.homeOf(id))
      return this.added(image)
    } finally {
      this.claimed.delete(keyOf(name))
    }
  }

  /**
   * The file of an image is not where it was, and somebody says where it is now. A referenced one is used there; the library's own is copied back.
   * @param unchecked take it though nothing is recorded that it could be compared with
   * @throws bad-file (it is another file), wrong-state (nothing is recorded)
   */
  async relink(id: string, path: string, unchecked: boolean, work: Work): Promise<void> {
    const image = this.find(id)
    await this.requireSame(image, path, unchecked)
    if (image.referenced) {
      const { sizeBytes, modifiedAtMs } = await fileFacts(path)
      await this.record({ ...image, path, recorded: { sizeBytes, modifiedAtMs } })
    } else {
      const unfinished = join(await this.library.unfinished(), 'found')
      work.onUndo(() => removeTree(unfinished))
      work.phase('copying it back')
      await copyBig(path, unfinished, { signal: work.signal, onProgress: work.progress })
      await makeReadOnly(unfinished)
      work.pointOfNoReturn()
      await move(unfinished, image.path)
    }
    await this.lookAt(this.find(id))
  }

  private async requireSame(image: ImageRecord, path: string, unchecked: boolean): Promise<void> {
    const { recorded, identity } = image
    const { sizeBytes, modifiedAtMs } = await fileFacts(path)
    const moved = recorded && sizeBytes === recorded.sizeBytes && modifiedAtMs === recorded.modifiedAtMs
    const compared = identity ? await compareWith(path, identity) : moved ? 'same' : 'unsure'
    if (compared === 'other') requireVeryFile(compared, path, `“${image.name}”`, unchecked) // before QEMU says that it cannot be read as this format
    const { virtualSizeBytes } = await imageInfo({ path, format: image.format })
    requireVeryFile(virtualSizeBytes === image.virtualSizeBytes ? compared : 'other', path, `“${image.name}”`, unchecked)
  }

  private async record(image: ImageRecord): Promise<void> {
    await writeJsonAtomic(join(this.homeOf(image.id), MANIFEST), image)
    this.added(image)
  }

  /**
   * Takes in an image that came with something else, by the id that it has there, which must be new here.
   * @param folder holds its files; it becomes the image's
   * @throws already-exists
   */
  async adopt(given: ImageRecord, folder: string): Promise<ImageRecord> {
    const at = (path: string): string => join(this.homeOf(given.id), basename(path))
    const { recorded: _elsewhere, identity: _there, boot, ...rest } = given
    const here = boot && { ...boot, kernel: at(boot.kernel), ...(boot.initrd ? { initrd: at(boot.initrd) } : {}), ...(boot.efiKernel ? { efiKernel: at(boot.efiKernel) } : {}) }
    const image: ImageRecord = { ...rest, name: this.freeName(given.name, false), path: at(given.path), referenced: false, ...(here ? { boot: here } : {}), identity: await fingerprint(join(folder, basename(given.path))), addedAtMs: Date.now() }
    for (const path of filesOf(given)) await makeReadOnly(join(folder, basename(path)))
    await writeJsonAtomic(join(folder, MANIFEST), image)
    await move(folder, this.homeOf(image.id))
    return this.added(image)
  }

  /** A referenced file itself is left alone. @throws not-found, in-use (naming the machines that stand on it) */
  async remove(reference: string): Promise<{ name: string }> {
    const image = this.unreadable.get(reference) ?? this.find(reference)
    const users = this.usersOf(image.id)
    if (users.length > 0) {
      throw failure('in-use', `“${image.name}” is used by ${users.join(', ')}.`, { what: `image ${image.name}`, holder: users.join(', '), next: 'Delete those machines first, and empty the trash.' })
    }
    await this.drop(image)
    return image
  }

  private find(reference: string): ImageRecord {
    const name = reference.normalize('NFC')
    const found = this.images.get(reference) ?? [...this.images.values()].find((image) => image.name === name)
    const unreadable = this.unreadable.get(reference)
    if (!found && unreadable) throw failure('bad-file', unreadable.problem ?? '', { path: unreadable.path, next: 'Remove it from the images.' })
    if (!found) throw failure('not-found', `There is no image “${reference}”.`, { what: 'image', name: reference, next: 'Import it first, or see the list of images.' })
    return found
  }

  private homeOf(id: string): string {
    return join(this.library.paths.images, id)
  }

  private async loadOne(id: string): Promise<void> {
    const path = this.homeOf(id)
    try {
      const image = await readJson(join(path, MANIFEST), ImageRecord)
      if (image.id !== id) throw failure('bad-file', `“${path}” holds another image, ${image.id}.`, { path })
      this.images.set(id, image)
      await this.lookAt(image)
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      this.unreadable.set(id, await unreadableImage(id, path, error))
    }
  }

  private async lookAt(image: ImageRecord): Promise<void> {
    const before = this.problems.get(image.id)?.message
    const problem = await this.verify(image).then(
      () => null,
      (error: unknown) => toAppError(error)
    )
    if (problem) this.problems.set(image.id, problem)
    else this.problems.delete(image.id)
    if (problem?.message !== before && this.images.has(image.id)) this.options.onDidChange(this.view(image))
  }

  private view(image: ImageRecord): Image {
    const problem = this.problems.get(image.id)
    if (!problem) return image
    const missing = problem.code === 'not-found' && problem.name === image.path
    return { ...image, problem: problem.message, ...(missing ? { missing } : {}) }
  }

  /** In one step for whoever looks: what is left after a crash lies among the unfinished. */
  private async drop({ id }: { id: string }): Promise<void> {
    const image = this.images.get(id)
    this.images.delete(id) // at once: from here on nobody gets it
    const folder = await this.library.unfinished()
    try {
      await move(this.homeOf(id), join(folder, id))
    } catch (error) {
      if (image) this.images.set(id, image)
      throw error
    }
    this.problems.delete(id)
    this.unreadable.delete(id)
    this.options.onDidRemove(id)
    await removeTree(folder)
  }

  private async builtinGuest(): Promise<ImageRecord> {
    const manifest = await readGuestManifest(this.options.builtinGuest)
    if (!manifest) {
      const before = [...this.images.values()].find((image) => image.name === 'builtin')
      if (before) return before
      throw failure('not-found', 'The built-in guest has not been made yet.', { what: 'image', name: 'builtin', next: 'Run “npm run setup”, or choose another source.' })
    }
    const id = guestId(manifest)
    const found = this.images.get(id)
    if (found) return found
    if (this.unreadable.has(id)) return this.find(id)
    this.bringing ??= this.bring(manifest).finally(() => (this.bringing = null))
    return this.bringing
  }

  private async bring(manifest: GuestManifest): Promise<ImageRecord> {
    const folder = await this.library.unfinished()
    try {
      const image = await bringGuest(manifest, this.options.builtinGuest, folder, this.homeOf(guestId(manifest)))
      await writeJsonAtomic(join(folder, MANIFEST), image)
      await this.retireGuests()
      await move(folder, this.homeOf(image.id))
      return this.added(image)
    } catch (error) {
      await removeTree(folder)
      throw error
    }
  }

  /** Earlier versions of the built-in guest go, unless a machine stands on them: then they are called by their id. */
  private async retireGuests(): Promise<void> {
    for (const image of [...this.images.values()].filter((one) => one.kind === 'guest')) {
      if (this.usersOf(image.id).length === 0) await this.drop(image)
      else if (image.name !== image.id) {
        const renamed = { ...image, name: image.id }
        await writeJsonAtomic(join(this.homeOf(image.id), MANIFEST), renamed)
        this.added(renamed)
      }
    }
  }

  private added(image: ImageRecord): ImageRecord {
    this.images.set(image.id, image)
    this.options.onDidChange(this.view(image))
    return image
  }

  /** @param chosen the user chose it: then it has to be free; else a number is added */
  private freeName(wanted: string, chosen: boolean): string {
    const names = new Set([...RESERVED, ...this.claimed, ...this.list().map((image) => keyOf(image.name))])
    if (!names.has(keyOf(wanted))) return wanted
    if (chosen) throw failure('already-exists', `There is already an image “${wanted}”.`, { what: 'image', name: wanted, next: 'Choose another name.' })
    for (let n = 2; ; n++) if (!names.has(keyOf(`${wanted} ${n}`))) return `${wanted} ${n}`
  }
}

/** All files that an image consists of. */
export const filesOf = ({ path, boot }: Pick<ImageRecord, 'path' | 'boot'>): string[] => [...new Set([path, boot?.kernel, boot?.initrd, boot?.efiKernel].filter((file) => file !== undefined))]

async function unreadableImage(id: string, path: string, { error }: Failure): Promise<Image> {
  // It may be anything: a file, a link to nothing, a folder that may not be read.
  const { modifiedAtMs } = await fileFacts(path).catch(() => ({ modifiedAtMs: 0 }))
  const fileSizeBytes = await allocatedBytes(path).catch(() => 0)
  const unknown = { schemaVersion: 1, kind: 'unknown', format: null, referenced: false, virtualSizeBytes: 0, note: '' } as const
  return { ...unknown, id, name: id, path, fileSizeBytes, addedAtMs: modifiedAtMs, problem: error.message }
}

const byName = (a: Image, b: Image): number => a.name.localeCompare(b.name, undefined, { numeric: true })
/** Names that differ in case only look alike. */
const keyOf = (name: string): string => name.toLocaleLowerCase()
