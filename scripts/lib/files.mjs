import { createHash } from 'node:crypto'
import {
  constants,
  createReadStream,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { onExit } from './run.mjs'

/** Every file below the folder, as sorted relative paths. Nothing if the folder is not there. */
export function filesBelow(folder) {
  return entries(folder)
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(folder, path.join(entry.parentPath ?? entry.path, entry.name)))
    .sort()
}

function entries(folder) {
  try {
    return readdirSync(folder, { withFileTypes: true, recursive: true })
  } catch (error) {
    if (error.code === 'ENOENT') return []
    throw error
  }
}

/** Changes when a file is added, removed or written. Reads no content: a quick test whether something may have changed. */
export function fingerprint(paths) {
  const hash = createHash('sha256')
  for (const file of paths.flatMap(filesAt)) {
    const { size, mtimeMs } = statSync(file)
    hash.update(`${file}\0${size}\0${mtimeMs}\n`)
  }
  return hash.digest('hex')
}

function filesAt(file) {
  const found = statSync(file, { throwIfNoEntry: false })
  if (!found) return []
  return found.isDirectory() ? filesBelow(file).map((name) => path.join(file, name)) : [file]
}

export const sha256 = (data) => createHash('sha256').update(data).digest('hex')

/** The sha256 of a file of any size. */
export async function sha256OfFile(file) {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  return hash.digest('hex')
}

/** A JSON file's value, or `fallback` when there is none or it is damaged. For stamps and caches, which can be made again. */
export function readJson(file, fallback = {}) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return fallback
  }
}

/** Writes a file so that it is there in full or not at all. */
export function writeWhole(file, data) {
  mkdirSync(path.dirname(file), { recursive: true })
  const temporary = `${file}.${process.pid}.new`
  writeFileSync(temporary, data)
  renameSync(temporary, file)
}

/** Puts a copy of a folder in place of `to`, in full or not at all. Shares blocks where the file system can. */
export function replaceFolder(from, to) {
  mkdirSync(path.dirname(to), { recursive: true })
  const temporary = mkdtempSync(`${to}.new-`)
  const forget = onExit(() => rmSync(temporary, { recursive: true, force: true }))
  cpSync(from, path.join(temporary, 'x'), {
    recursive: true,
    verbatimSymlinks: true,
    preserveTimestamps: true,
    mode: constants.COPYFILE_FICLONE
  })
  rmSync(to, { recursive: true, force: true })
  renameSync(path.join(temporary, 'x'), to)
  rmSync(temporary, { recursive: true, force: true })
  forget()
}

/** Does something with a temporary folder that is gone afterwards. */
export async function withTemporaryFolder(use) {
  const folder = mkdtempSync(path.join(tmpdir(), 'strata-setup-'))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  const forget = onExit(remove)
  try {
    return await use(folder)
  } finally {
    remove()
    forget()
  }
}

/** Bytes used by the files below a folder, also while others write there. */
export function bytesBelow(folder) {
  return filesBelow(folder).reduce((sum, name) => sum + (statSync(path.join(folder, name), { throwIfNoEntry: false })?.size ?? 0), 0)
}
