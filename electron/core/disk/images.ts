import { randomBytes } from 'node:crypto'
import { basename, extname, join, resolve } from 'node:path'
import { z } from 'zod'
import { failure, Failure, Image, Name, type ParsedInputOf } from '#contract'
import { copyBig, exists, fileFacts, linkOrCopy, listFolder, makeReadOnly, move, readJson, removeTree, writeJsonAtomic } from '../host/files'
import type { Library } from '../library/library'
import type { Work } from '../task/work'
import { checkImage, convertImage, imageInfo } from './qemu-img'
import { recognise } from './recognise'

/** What the recipe of the built-in guest says of what it made. */
const GuestManifest = z.object({
  version: z.literal(1),
  recipeHash: z.string().min(8),
  kernel: z.string(),
  initrd: z.string(),
  base: z.string(),
  baseFormat: z.enum(['qcow2', 'raw']),
  virtualSizeBytes: z.number(),
  commandLine: z.string()
})
const MANIFEST = 'image.json'

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

  constructor(
    private readonly library: Library,
    private readonly options: ImagesOptions
  ) {}

  async load(): Promise<void> {
    await Promise.all(
      (await listFolder(this.library.paths.images)).map(async (id) => {
        try {
          const image = await readJson(join(this.library.paths.images, id, MANIFEST), Image)
          this.images.set(image.id, image)
        } catch (error) {
          if (!(error instanceof Failure)) throw error // else not one of ours, or damaged: it is not listed, and machines on it say so
        }
      })
    )
  }

  list(): Image[] {
    return [...this.images.values()].sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }))
  }

  /**
   * By name or id; `builtin` is the built-in guest, brought into the library when first asked for.
   * @throws not-found, missing-program (the built-in guest was not made)
   */
  async get(reference: string): Promise<Image> {
    if (reference === 'builtin') return this.builtinGuest()
    const name = reference.normalize('NFC')
    const found = this.images.get(reference) ?? this.list().find((image) => image.name === name)
    if (!found) throw failure('not-found', `There is no image “${reference}”.`, { what: 'image', name: reference, next: 'Import it first, or see the list of images.' })
    return found
  }

  /** Throws when the file of an image is gone or was changed since it was recorded. */
  async verify(image: Image): Promise<void> {
    if (!image.referenced) return
    const { sizeBytes, modifiedAtMs } = await fileFacts(image.path)
    if (image.recorded && (sizeBytes !== image.recorded.sizeBytes || modifiedAtMs !== image.recorded.modifiedAtMs)) {
      throw failure('bad-file', `“${image.path}” was changed since it was imported; machines that stand on it would be damaged.`, {
        path: image.path,
        next: 'Put the old file back, or import it anew under another name.'
      })
    }
  }

  /**
   * Brings a file in: copied, or referenced where it is. Refused when it is damaged. A copy of an image that stands on
   * another one is made whole.
   */
  async import(input: ParsedInputOf<'image.import'>, work: Work): Promise<Image> {
    const path = resolve(input.path)
    work.phase('looking at the file')
    const recognised = await recognise(path, basename(path))
    const format = input.format ?? recognised.format
    const kind = input.kind ?? (format === 'raw' ? recognised.kind : recognised.kind === 'iso' ? 'disk' : recognised.kind)
    const name = this.freeName(input.name ?? nameFrom(path), input.name !== undefined)
    work.phase('checking the image')
    const info = await imageInfo(path, format)
    if (info.encrypted) throw failure('unsupported', `“${path}” is encrypted; such images cannot be used.`, {})
    if (info.dataFile) throw failure('unsupported', `“${path}” keeps its data in another file (${info.dataFile}).`, { next: 'Convert it to a single file with qemu-img convert first.' })
    await checkImage(path, format, work.signal)
    if (input.reference && info.backingFile) {
      throw failure('unsupported', `“${path}” stands on another image (${info.backingFile}) and cannot be referenced.`, { next: 'Import it as a copy: the copy is whole.' })
    }
    const folder = await this.library.unfinished()
    work.onUndo(() => removeTree(folder))
    const id = `${slug(name)}-${randomBytes(3).toString('hex')}`
    const home = join(this.library.paths.images, id)
    const file = `image${format === 'qcow2' ? '.qcow2' : kind === 'iso' ? '.iso' : '.' + format}`
    if (!input.reference) {
      work.phase('copying the image')
      await this.copy({ path, format }, join(folder, file), info.backingFile !== null, work)
    }
    const image: Image = {
      schemaVersion: 1,
      id,
      name,
      kind,
      path: input.reference ? path : join(home, file),
      referenced: input.reference,
      format,
      virtualSizeBytes: info.virtualSizeBytes,
      fileSizeBytes: info.fileSizeBytes,
      ...(input.reference ? { recorded: await fileFacts(path) } : {}),
      addedAtMs: Date.now(),
      note: ''
    }
    await writeJsonAtomic(join(folder, MANIFEST), image)
    work.pointOfNoReturn()
    await move(folder, home)
    return this.added(image)
  }

  /** @throws in-use, naming the machines that stand on it */
  async remove(reference: string): Promise<Image> {
    const image = await this.get(reference)
    const users = this.options.usedBy(image.id)
    if (users.length > 0) {
      throw failure('in-use', `“${image.name}” is used by ${users.join(', ')}.`, { what: `image ${image.name}`, holder: users.join(', '), next: 'Delete those machines first, and empty the trash.' })
    }
    await removeTree(join(this.library.paths.images, image.id))
    this.images.delete(image.id)
    this.options.onDidRemove(image.id)
    return image
  }

  private async copy(from: { path: string; format: Image['format'] }, to: string, flatten: boolean, work: Work): Promise<void> {
    if (flatten) await convertImage(from, { path: to, format: from.format }, work)
    else await copyBig(from.path, to, { signal: work.signal, onProgress: (ratio) => work.progress(ratio) })
    await makeReadOnly(to)
  }

  private async builtinGuest(): Promise<Image> {
    const from = this.options.builtinGuest
    const made = await exists(join(from, 'guest.json'))
    if (!made) {
      const [latest] = this.list().filter((image) => image.kind === 'guest').sort((a, b) => b.addedAtMs - a.addedAtMs)
      if (latest) return latest
      throw failure('not-found', 'The built-in guest has not been made yet.', { what: 'image', name: 'builtin', next: 'Run “npm run setup”, or choose another source.' })
    }
    const manifest = await readJson(join(from, 'guest.json'), GuestManifest)
    const id = `builtin-${manifest.recipeHash.slice(0, 8)}`
    return this.images.get(id) ?? this.adoptGuest(id, from, manifest)
  }

  private async adoptGuest(id: string, from: string, manifest: z.output<typeof GuestManifest>): Promise<Image> {
    const folder = await this.library.unfinished()
    const home = join(this.library.paths.images, id)
    for (const file of [manifest.kernel, manifest.initrd, manifest.base]) await linkOrCopy(join(from, basename(file)), join(folder, basename(file)))
    const { sizeBytes } = await fileFacts(join(folder, manifest.base))
    const image: Image = {
      schemaVersion: 1,
      id,
      name: [...this.images.values()].some((other) => other.name === 'builtin') ? id : 'builtin',
      kind: 'guest',
      path: join(home, manifest.base),
      referenced: false,
      format: manifest.baseFormat,
      virtualSizeBytes: manifest.virtualSizeBytes,
      fileSizeBytes: sizeBytes,
      boot: { kernel: join(home, manifest.kernel), initrd: join(home, manifest.initrd), commandLine: manifest.commandLine },
      addedAtMs: Date.now(),
      note: 'A small Debian guest that comes with Strata.'
    }
    await writeJsonAtomic(join(folder, MANIFEST), image)
    await move(folder, home)
    return this.added(image)
  }

  private added(image: Image): Image {
    this.images.set(image.id, image)
    this.options.onDidChange(image)
    return image
  }

  /** @param chosen the user chose it: then it has to be free; else a number is added */
  private freeName(wanted: string, chosen: boolean): string {
    const taken = (name: string): boolean => name === 'none' || name === 'builtin' || this.list().some((image) => image.name === name)
    if (!taken(wanted)) return wanted
    if (chosen) throw failure('already-exists', `There is already an image “${wanted}”.`, { what: 'image', name: wanted, next: 'Choose another name.' })
    for (let n = 2; ; n++) if (!taken(`${wanted} ${n}`)) return `${wanted} ${n}`
  }
}

/** The file's name without its ending, as a name. */
function nameFrom(path: string): string {
  const plain = basename(path, extname(path)).normalize('NFC').replace(/[^\p{L}\p{M}\p{N} ._-]/gu, ' ').replace(/^[^\p{L}\p{N}]+|[ .]+$/gu, '')
  const parsed = Name.safeParse(plain.slice(0, 60).replace(/[ .]+$/, ''))
  return parsed.success ? parsed.data : 'image'
}

const slug = (name: string): string => name.normalize('NFKD').toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '').slice(0, 32) || 'image'
