import { z } from 'zod'
import { failure, Failure, type ImageFormat } from '#contract'
import { exists, move, removeFile, syncFile } from '../host/files'
import { run, type RunOptions, type RunOutput } from '../host/process'
import type { Work } from '../task/work'
import type { Layer } from './chain'
import { asFilename, type NodeOptions } from './nodes'

/**
 * qemu-img(1), one function a subcommand. Paths are absolute. Images are named as JSON nodes, new files as `file:`, so that a
 * colon in a name is never read as a protocol; formats are always said, never probed; backing files are opened only where
 * they are wanted. Nothing is forced: an image that another process writes to is refused.
 */
export type Source = Layer | { path: string; format: ImageFormat }

const Info = z.object({ 'virtual-size': z.number(), 'actual-size': z.number().default(0) })
export interface ImageInfo {
  virtualSizeBytes: number
  /** What the file takes on disk. */
  fileSizeBytes: number
}

/** @throws bad-file (with qemu-img's words), in-use */
export async function imageInfo(image: Source): Promise<ImageInfo> {
  const { stdout } = await qemuImg(image.path, ['info', '--output=json', node(image, false)]).catch((error: unknown) => {
    throw asBadFile(error, image.path, `“${image.path}” cannot be read as ${image.format}.`, 'It may be damaged, or of another format than was said: get it again, or leave the format out.')
  })
  const info = Info.parse(JSON.parse(stdout))
  return { virtualSizeBytes: info['virtual-size'], fileSizeBytes: info['actual-size'] }
}

/**
 * Checks one image file, not what it stands on. Leaked clusters are no damage: they cost space only.
 * @throws bad-file (damaged; with qemu-img's words), in-use, cancelled
 */
export async function checkImage(image: Source, work: Pick<Work, 'signal' | 'log'>): Promise<void> {
  if (image.format === 'raw') return
  const next = 'Get it again, or try to repair a copy: qemu-img check -r all COPY'
  // 2: damaged; 3: leaked clusters only; 63: this format has no checks
  const { exitCode, stdout, stderr } = await qemuImg(image.path, ['check', node(image, false)], { acceptExitCodes: [2, 3, 63], signal: work.signal }).catch((error: unknown) => {
    throw asBadFile(error, image.path, `“${image.path}” is damaged.`, next)
  })
  if (exitCode === 3) work.log(`“${image.path}” has leaked clusters; they cost space only`)
  if (exitCode === 2) throw failure('bad-file', `“${image.path}” is damaged.`, { path: image.path, next, cause: (stderr + stdout).trim() })
}

/** A new empty qcow2 file. @throws already-exists, no-space */
export async function createDisk(path: string, sizeBytes: number): Promise<void> {
  await create(path, [], sizeBytes)
}

/**
 * Writes all that a layer holds, and what lies between, into one below it, which then alone reads as all did. The layers themselves stay as
 * they are: what is cut off can be done again.
 * @param nodes the layer as a node, with all that it stands on
 * @param into the file of the one below
 * @throws no-space, in-use, program-failed
 */
export async function commitImage(path: string, nodes: NodeOptions, into: string, work: Pick<Work, 'progress'>): Promise<void> {
  await qemuImg(path, ['commit', '-p', '-d', '-b', into, asFilename(nodes)], { writes: path, onStdout: (text) => tellProgress(text, work) })
}

/** Writes into a file's header what it stands on, and nothing else: what the guest reads has to be the same. */
export async function noteBacking(path: string, backing: { path: string; format: ImageFormat } | null): Promise<void> {
  await qemuImg(path, ['rebase', '-u', '-f', 'qcow2', '-b', backing?.path ?? '', ...(backing ? ['-F', backing.format] : []), `file:${path}`], { writes: path })
}

const MapEntries = z.array(z.object({ start: z.number(), length: z.number(), depth: z.number(), present: z.boolean().default(true), zero: z.boolean(), data: z.boolean() }))
/** Where a layer itself holds something, in bytes of the guest's disk. Also while QEMU has it open. */
export async function mapLayer(image: Source): Promise<{ startBytes: number; lengthBytes: number; zero: boolean }[]> {
  const { stdout } = await qemuImg(image.path, ['map', '-U', '--output=json', node(image, false)])
  const own = MapEntries.parse(JSON.parse(stdout)).filter((entry) => entry.present && (entry.data || image.format !== 'raw'))
  return own.map(({ start, length, data }) => ({ startBytes: start, lengthBytes: length, zero: !data }))
}

/** Reads a part of a disk into a new file; also while another process has the image open. @param source the disk as a node @param at a multiple of 512 */
export async function readPart(path: string, source: NodeOptions, { at, bytes, into }: { at: number; bytes: number; into: string }): Promise<void> {
  const where = ['bs=512', `skip=${at / 512}`, `count=${Math.ceil(bytes / 512)}`]
  await qemuImg(path, ['dd', '-U', '-O', 'raw', ...where, `if=${asFilename(source)}`, `of=${into}`], { writes: into })
}

/** Makes an image larger. @throws no-space, program-failed (with qemu-img's words) */
export async function resizeImage(image: Source, sizeBytes: number): Promise<void> {
  await qemuImg(image.path, ['resize', '-q', node(image, false), String(sizeBytes)], { writes: image.path })
}

/** A new overlay (qcow2) on a base that stays as it is. @throws already-exists, no-space, program-failed (with qemu-img's words) */
export async function createOverlay(path: string, base: { path: string; format: ImageFormat }, sizeBytes: number): Promise<void> {
  await create(path, ['-b', base.path, '-F', base.format], sizeBytes)
}

async function create(path: string, options: string[], sizeBytes: number): Promise<void> {
  if (await exists(path)) throw failure('already-exists', `“${path}” exists already.`, { what: 'file', name: path })
  try {
    await qemuImg(path, ['create', '-q', '-f', 'qcow2', ...options, `file:${path}`, String(sizeBytes)], { writes: path })
    await syncFile(path)
  } catch (error) {
    await removeFile(path)
    throw error
  }
}

/**
 * Copies an image, with all that it stands on, into a new one that stands alone. The new file appears when it is whole.
 * @param to `sizeBytes`: what the guest sees, if it is to be more than now
 * @throws no-space, in-use, cancelled, program-failed
 */
export async function convertImage(from: Source, to: { path: string; format: ImageFormat; sizeBytes?: number }, work: Work): Promise<void> {
  const partial = `${to.path}.part`
  work.onUndo(() => removeFile(partial))
  await qemuImg(from.path, ['convert', '-p', '-O', to.format, node(from, true), `file:${partial}`], {
    signal: work.signal,
    writes: to.path,
    onStdout: (text) => tellProgress(text, work)
  })
  if (to.sizeBytes !== undefined) await qemuImg(partial, ['resize', '-q', '-f', to.format, `file:${partial}`, String(to.sizeBytes)], { writes: to.path })
  await syncFile(partial)
  await move(partial, to.path)
}

/** qemu-img writes `(12.34/100%)` over and over. */
function tellProgress(text: string, work: Pick<Work, 'progress'>): void {
  const percent = /.*\((\d+\.\d+)\/100%\)/s.exec(text)?.[1]
  if (percent !== undefined) work.progress(Number(percent) / 100)
}

/** Copies what a chain of nodes holds into one new file; it appears when it is whole. @param path for errors: the active layer */
export async function convertNodes(path: string, source: string, to: { path: string; format: ImageFormat }, work: Work): Promise<void> {
  const partial = `${to.path}.part`
  work.onUndo(() => removeFile(partial))
  await qemuImg(path, ['convert', '-p', '-O', to.format, source, `file:${partial}`], { signal: work.signal, writes: to.path, onStdout: (text) => tellProgress(text, work) })
  await syncFile(partial)
  await move(partial, to.path)
}

const CheckReport = z.object({ leaks: z.number().default(0), corruptions: z.number().default(0), 'check-errors': z.number().default(0) })
/** Checks one file, and tells what it found. @throws in-use, cancelled */
export async function checkLayer(image: { path: string; format: ImageFormat }, signal: AbortSignal): Promise<{ path: string; leakedClusters: number; problems: string | null }> {
  if (image.format === 'raw') return { path: image.path, leakedClusters: 0, problems: null }
  try {
    const { stdout } = await qemuImg(image.path, ['check', '--output=json', node(image, false)], { acceptExitCodes: [2, 3], signal })
    const { leaks, corruptions, 'check-errors': errors } = CheckReport.parse(JSON.parse(stdout))
    const problems = corruptions + errors > 0 ? `${corruptions} damaged clusters, ${errors} errors` : null
    return { path: image.path, leakedClusters: leaks, problems }
  } catch (error) {
    if (!(error instanceof Failure) || error.error.code !== 'program-failed') throw error
    return { path: image.path, leakedClusters: 0, problems: withoutNodes(error.error.causes.join('\n')) }
  }
}

/** @throws bad-file (not everything could be mended) */
export async function repairLayer(image: { path: string; format: ImageFormat }, what: 'leaks' | 'all'): Promise<void> {
  await qemuImg(image.path, ['check', '-q', '-r', what, node(image, false)], { writes: image.path }).catch((error: unknown) => {
    throw asBadFile(error, image.path, `“${image.path}” could not be repaired.`, 'A copy of it lies beside it. Restore a backup.')
  })
}

/** Lets a layer stand on another base; what reads differently there is copied in. @param source the layer as a node, on its old base */
export async function rebaseLayer(path: string, source: string, base: { path: string; format: ImageFormat }, work: Work): Promise<void> {
  await qemuImg(path, ['rebase', '-p', '-b', base.path, '-F', base.format, source], { signal: work.signal, writes: path, onStdout: (text) => tellProgress(text, work) })
}

/** An image as a node in the words of `-blockdev`. @param whole with what it stands on, else alone */
const node = (image: Source, whole: boolean): string => `json:${JSON.stringify(nodeOptions(image, whole))}`
function nodeOptions(image: Source, whole: boolean): Record<string, unknown> {
  const dataFile = 'dataFile' in image ? image.dataFile : null
  const backing = 'backing' in image && whole ? image.backing : null
  return {
    driver: image.format,
    file: { driver: 'file', filename: image.path },
    ...(dataFile === null ? {} : { 'data-file': { driver: 'file', filename: dataFile } }),
    backing: backing && nodeOptions(backing, whole)
  }
}

async function qemuImg(path: string, args: string[], options: RunOptions = {}): Promise<RunOutput> {
  try {
    return await run('qemu-img', args, options)
  } catch (error) {
    if (!(error instanceof Failure) || error.error.code !== 'program-failed') throw error
    if (!/Failed to get (shared )?"[a-z ]+" lock/.test(error.error.causes.join('\n'))) throw named(error, path)
    throw failure('in-use', `“${path}” is in use: another process has it open.`, { what: path, next: 'End the program that has it open, such as a QEMU or qemu-img started by hand, and try again.', cause: error.error.causes })
  }
}

/** Images are named as whole nodes: in a sentence there is no room for that. */
const withoutNodes = (words: string): string => words.replace(/^qemu-img: /gm, '').replace(/'json:\{.*?\}'(?=:)/g, 'it')

/** The same, with the file that it is about. */
function named(error: Failure, path: string): Failure {
  if (error.error.code !== 'program-failed' || error.error.exitCode === null) return error
  const { program, exitCode, causes } = error.error
  const words = withoutNodes(causes.join('\n').trim().split('\n').at(-1) ?? '')
  return failure('program-failed', `qemu-img could not do that with “${path}”: ${words}.`, { program, exitCode, cause: causes })
}

/** qemu-img could not make sense of a file: that is the file's fault. */
function asBadFile(error: unknown, path: string, message: string, next: string): unknown {
  const failed = error instanceof Failure && error.error.code === 'program-failed'
  return failed ? failure('bad-file', message, { path, next, cause: error.error.causes }) : error
}
