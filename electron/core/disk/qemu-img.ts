import { z } from 'zod'
import { failure, type ImageFormat } from '#contract'
import { move, removeFile, syncFile } from '../host/files'
import { run } from '../host/process'
import type { Work } from '../task/work'

/**
 * qemu-img(1), one function a subcommand. Files are named as `file:` or JSON nodes, so that a name with a colon is never
 * read as a protocol; formats are always said, never probed.
 */
const Info = z.object({
  format: z.string(),
  'virtual-size': z.number(),
  'actual-size': z.number().optional(),
  'backing-filename': z.string().optional(),
  'full-backing-filename': z.string().optional(),
  'backing-filename-format': z.string().optional(),
  encrypted: z.boolean().optional(),
  'format-specific': z.object({ data: z.record(z.string(), z.unknown()) }).optional()
})
export interface ImageInfo {
  virtualSizeBytes: number
  fileSizeBytes: number
  backingFile: string | null
  /** qcow2 whose clusters lie in another file. */
  dataFile: string | null
  encrypted: boolean
}

/** A file as a node of the given format, in the words of `-blockdev`. */
const node = (path: string, format: ImageFormat): string => 'json:' + JSON.stringify({ driver: format, file: { driver: 'file', filename: path } })

/** What qemu-img tells of an image. Works on an image that a running QEMU uses too. */
export async function imageInfo(path: string, format: ImageFormat): Promise<ImageInfo> {
  const { stdout } = await run('qemu-img', ['info', '--output=json', '--force-share', '-f', format, `file:${path}`])
  const info = Info.parse(JSON.parse(stdout))
  const dataFile = info['format-specific']?.data['data-file']
  return {
    virtualSizeBytes: info['virtual-size'],
    fileSizeBytes: info['actual-size'] ?? 0,
    backingFile: info['full-backing-filename'] ?? info['backing-filename'] ?? null,
    dataFile: typeof dataFile === 'string' ? dataFile : null,
    encrypted: info.encrypted ?? false
  }
}

/** Formats that `qemu-img check` knows. */
const CHECKABLE: readonly ImageFormat[] = ['qcow2', 'vdi', 'vhdx', 'vmdk']

/** Throws `bad-file` with qemu-img's words when the image is damaged. Leaked clusters are no damage. */
export async function checkImage(path: string, format: ImageFormat, signal?: AbortSignal): Promise<void> {
  if (!CHECKABLE.includes(format)) return
  // 3: leaked clusters only; 63: this format has no checks (some vmdk)
  const { exitCode, stdout, stderr } = await run('qemu-img', ['check', '--force-share', '-f', format, `file:${path}`], {
    acceptExitCodes: [1, 2, 3, 63],
    ...(signal ? { signal } : {})
  })
  if (exitCode === 1 || exitCode === 2) {
    throw failure('bad-file', `“${path}” is damaged.`, { path, next: 'Repair it with qemu-img check -r all, or get it again.', cause: (stderr || stdout).trim() })
  }
}

/** A new empty qcow2 file. */
export async function createDisk(path: string, sizeBytes: number): Promise<void> {
  await run('qemu-img', ['create', '-q', '-f', 'qcow2', `file:${path}`, String(sizeBytes)])
}

/** A new overlay (qcow2) on a base that stays as it is. */
export async function createOverlay(path: string, base: { path: string; format: ImageFormat }, sizeBytes: number): Promise<void> {
  await run('qemu-img', ['create', '-q', '-f', 'qcow2', '-b', base.path, '-F', base.format, `file:${path}`, String(sizeBytes)])
}

/** Copies an image into a new one of another format, or the same. The target appears when it is whole. */
export async function convertImage(
  from: { path: string; format: ImageFormat },
  to: { path: string; format: ImageFormat; sizeBytes?: number },
  work: Work
): Promise<void> {
  const partial = `${to.path}.part`
  work.onUndo(() => removeFile(partial))
  await run('qemu-img', ['convert', '-p', '-O', to.format, node(from.path, from.format), `file:${partial}`], {
    signal: work.signal,
    onStdout: (text) => {
      const percent = /\((\d+\.\d+)\/100%\)\s*$/.exec(text)?.[1]
      if (percent) work.progress(Number(percent) / 100)
    }
  })
  if (to.sizeBytes !== undefined) await run('qemu-img', ['resize', '-q', '-f', to.format, `file:${partial}`, String(to.sizeBytes)])
  await syncFile(partial)
  await move(partial, to.path)
}
