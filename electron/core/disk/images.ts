import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { failure, Failure, Image, type AppError, type ParsedInputOf } from '#contract'
import { fileFacts, listFolder, makeReadOnly, move, readJson, removeTree, writeJsonAtomic } from '../host/files'
import type { Library } from '../library/library'
import type { Work } from '../task/work'
import { bringGuest, guestId, readGuestManifest, type GuestManifest } from './builtin-guest'
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
  private readonly images = new Map<string, Image>()
  /** Names of images that are on their way in. */
  private readonly claimed = new Set<string>()
  private bringing: Promise<Image> | null = null
  private unreadable: AppError[] = []

  constructor(
    private readonly library: Pick<Library, 'paths' | 'unfinished'>,
    private readonly options: ImagesOptions
  ) {}

  /** Reads every image. One that cannot be read keeps the others from nothing. */
  async load(): Promise<void> {
    const ids = await listFolder(this.library.paths.images)
    const loaded = await Promise.all(ids.map((id) => this.loadOne(id)))
    this.images.clear()
    this.unreadable = []
    for (const result of loaded) {
      if (result instanceof Failure) this.unreadable.push(result.error)
      else this.images.set(result.id, result)
    }
  }

  list(): Image[] {
    return [...this.images.values()].sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }))
  }

  /** Why folders of `images/` could not be read at the last `load`. */
  get damaged(): readonly AppError[] {
    return this.unreadable
  }

  /**
   * By name or id; `builtin` is the built-in guest, brought into the library when first asked for.
   * @throws not-found (also when the built-in guest was not made)
   */
  async get(reference: string): Promise<Image> {
    return reference === 'builtin' ? this.builtinGuest() : this.find(reference)
  }

  /** Throws when the file of an image is gone, or was changed since it was recorded. @throws not-found, bad-file */
  async verify(image: Image): Promise<void> {
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
  async import(input: ParsedInputOf<'image.import'>, work: Work): Promise<Image> {
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
      const image: Image = {
        schemaVersion: 1,
        id,
        name,
        kind: examined.kind,
        path,
        referenced,
        format: target.format,
        ...info,
        ...(referenced ? { recorded: { sizeBytes: examined.facts.sizeBytes, modifiedAtMs: examined.facts.modifiedAtMs } } : {}),
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
  async keep(wanted: string, chosen: boolean, work: Work, make: (path: string) => Promise<void>, format: Image['format'] = 'qcow2', kind: Image['kind'] = 'disk'): Promise<Image> {
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
      const image: Image = { schemaVersion: 1, id, name, kind, path: join(this.homeOf(id), file), referenced: false, format, ...info, addedAtMs: Date.now(), note: '' }
      await writeJsonAtomic(join(folder, MANIFEST), image)
      work.pointOfNoReturn()
      await move(folder, this.homeOf(id))
      return this.added(image)
    } finally {
      this.claimed.delete(keyOf(name))
    }
  }

  /** A referenced file itself is left alone. @throws not-found, in-use (naming the machines that stand on it) */
  async remove(reference: string): Promise<Image> {
    const image = this.find(reference)
    const users = this.options.usedBy(image.id)
    if (users.length > 0) {
      throw failure('in-use', `“${image.name}” is used by ${users.join(', ')}.`, { what: `image ${image.name}`, holder: users.join(', '), next: 'Delete those machines first, and empty the trash.' })
    }
    await this.drop(image)
    return image
  }

  private find(reference: string): Image {
    const name = reference.normalize('NFC')
    const found = this.images.get(reference) ?? this.list().find((image) => image.name === name)
    if (!found) throw failure('not-found', `There is no image “${reference}”.`, { what: 'image', name: reference, next: 'Import it first, or see the list of images.' })
    return found
  }

  private homeOf(id: string): string {
    return join(this.library.paths.images, id)
  }

  private async loadOne(id: string): Promise<Image | Failure> {
    try {
      return await readJson(join(this.homeOf(id), MANIFEST), Image)
    } catch (error) {
      if (error instanceof Failure) return error
      throw error
    }
  }

  /** In one step for whoever looks: what is left after a crash lies among the unfinished. */
  private async drop(image: Image): Promise<void> {
    const folder = await this.library.unfinished()
    await move(this.homeOf(image.id), join(folder, image.id))
    this.images.delete(image.id)
    this.options.onDidRemove(image.id)
    await removeTree(folder)
  }

  private async builtinGuest(): Promise<Image> {
    const manifest = await readGuestManifest(this.options.builtinGuest)
    if (!manifest) {
      const before = this.list().find((image) => image.name === 'builtin')
      if (before) return before
      throw failure('not-found', 'The built-in guest has not been made yet.', { what: 'image', name: 'builtin', next: 'Run “npm run setup”, or choose another source.' })
    }
    const found = this.images.get(guestId(manifest))
    if (found) return found
    this.bringing ??= this.bring(manifest).finally(() => (this.bringing = null))
    return this.bringing
  }

  private async bring(manifest: GuestManifest): Promise<Image> {
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
    for (const image of this.list().filter((one) => one.kind === 'guest')) {
      if (this.options.usedBy(image.id).length === 0) await this.drop(image)
      else if (image.name !== image.id) {
        const renamed = { ...image, name: image.id }
        await writeJsonAtomic(join(this.homeOf(image.id), MANIFEST), renamed)
        this.added(renamed)
      }
    }
  }

  private added(image: Image): Image {
    this.images.set(image.id, image)
    this.options.onDidChange(image)
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

/** Names that differ in case only look alike. */
const keyOf = (name: string): string => name.toLocaleLowerCase()
