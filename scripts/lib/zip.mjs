import { createWriteStream, mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { inTop } from './paths.mjs'

/**
 * Unpacks a zip archive that has been verified already.
 * @param {string} archive
 * @param {string} folder
 * @param {(name: string) => string | null} rename the name to unpack an entry as, or null to leave it out
 * @param {(share: number) => void} onShare how much of the archive has been gone through, 0 to 1
 */
export async function unzip(archive, folder, rename, onShare = () => {}) {
  // Comes with the electron package's own installer; there is no unzip on a bare Debian.
  const yauzl = createRequire(inTop('node_modules/extract-zip/package.json'))('yauzl')
  const zip = await promisify(yauzl.open)(archive, { lazyEntries: true })
  const openEntry = promisify(zip.openReadStream.bind(zip))
  await new Promise((resolve, reject) => {
    zip.once('error', reject).once('end', resolve)
    zip.on('entry', (entry) => {
      onShare(zip.entriesRead / zip.entryCount)
      unpack(entry).then(() => zip.readEntry(), reject)
    })
    zip.readEntry()
  })

  async function unpack(entry) {
    const name = entry.fileName.endsWith('/') ? null : rename(entry.fileName)
    if (name === null) return
    const file = path.join(folder, name)
    mkdirSync(path.dirname(file), { recursive: true })
    const mode = (entry.externalFileAttributes >>> 16) & 0o777
    await pipeline(await openEntry(entry), createWriteStream(file, { mode: mode || 0o644 }))
  }
}
