import { execFileSync, spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { sha256 } from '../lib/files.mjs'
import { run, StepError } from '../lib/run.mjs'

/**
 * What Strata needs of the system: the Debian package, or packages of which any will do (newer releases renamed some), and
 * what proves on another system that it is there: a program on the PATH, a library, or a file.
 */
const NEEDED = [
  // Machines.
  { packages: ['qemu-system-x86'], program: 'qemu-system-x86_64' },
  { packages: ['qemu-utils'], program: 'qemu-img' },
  { packages: ['ovmf'], file: '/usr/share/OVMF' },
  { packages: ['swtpm'], program: 'swtpm' },
  { packages: ['swtpm-tools'], program: 'swtpm_setup' },
  { packages: ['vde2'], program: 'vde_switch' },
  // Building: the native modules, and the built-in guest.
  { packages: ['build-essential'], program: 'c++' },
  { packages: ['libzstd-dev'], file: '/usr/include/zstd.h' },
  { packages: ['python3'], program: 'python3' },
  { packages: ['e2fsprogs'], program: 'mke2fs' },
  // The other side of the ring's benchmark.
  { packages: ['fio'], program: 'fio' },
  // A display of our own, for the tour and the tests.
  { packages: ['xvfb'], program: 'Xvfb' },
  { packages: ['xauth'], program: 'xauth' },
  { packages: ['fonts-dejavu-core'], file: '/usr/share/fonts' },
  // Electron.
  { packages: ['libnss3'], library: 'libnss3.so' },
  { packages: ['libgtk-3-0', 'libgtk-3-0t64'], library: 'libgtk-3.so.0' },
  { packages: ['libasound2', 'libasound2t64'], library: 'libasound.so.2' },
  { packages: ['libgbm1'], library: 'libgbm.so.1' },
  { packages: ['libxss1'], library: 'libXss.so.1' },
  { packages: ['libatk-bridge2.0-0', 'libatk-bridge2.0-0t64'], library: 'libatk-bridge-2.0.so.0' },
  { packages: ['libcups2', 'libcups2t64'], library: 'libcups.so.2' },
  { packages: ['libdrm2'], library: 'libdrm.so.2' },
  { packages: ['libxkbcommon0'], library: 'libxkbcommon.so.0' },
  { packages: ['libxcomposite1'], library: 'libXcomposite.so.1' },
  { packages: ['libxdamage1'], library: 'libXdamage.so.1' },
  { packages: ['libxrandr2'], library: 'libXrandr.so.2' }
]

const DATABASE = '/var/lib/dpkg/status'
const isDebian = () => existsSync(DATABASE) && existsSync('/usr/bin/apt-get')

/** The system's packages. Not having them all keeps nobody from opening the app: it says itself what it misses. */
export const debian = {
  name: 'System packages',

  /** dpkg writes its database anew whenever a package comes or goes. */
  isDone: (stamp) => Boolean(stamp) && stamp.state === state(),

  async install(progress) {
    const missing = isDebian() ? missingPackages() : missingElsewhere()
    if (missing.length > 0) {
      if (!isDebian())
        throw new StepError(`Not found on this system: ${missing.join(', ')}.`, {
          next: 'Install them; Strata cannot do it on this system.'
        })
      try {
        await installPackages(missing, progress)
      } catch (error) {
        // apt-get also fails when another package of the system is broken. What counts is whether ours are there.
        if (missingPackages().length > 0) throw error
      }
    }
    return { state: state() }
  }
}

function state() {
  const needed = sha256(JSON.stringify(NEEDED))
  if (!isDebian()) return `${needed} ${missingElsewhere().join(' ')}`
  const { size, mtimeMs } = statSync(DATABASE)
  return `${needed} ${size} ${mtimeMs}`
}

function missingPackages() {
  const names = NEEDED.flatMap(({ packages }) => packages)
  // Ends with 1 when it does not know one of them; its list is right all the same.
  const { stdout } = spawnSync('dpkg-query', ['-W', '-f', '${Package} ${db:Status-Status}\n', ...names], { encoding: 'utf8' })
  const installed = new Set(
    stdout
      .split('\n')
      .filter((line) => line.endsWith(' installed'))
      .map((line) => line.split(' ')[0])
  )
  return NEEDED.map(({ packages }) => packages).filter((packages) => !packages.some((name) => installed.has(name)))
}

function missingElsewhere() {
  const libraries = spawnSync('/sbin/ldconfig', ['-p'], { encoding: 'utf8' }).stdout ?? ''
  const there = ({ program, library, file }) => (program ? onPath(program) : library ? libraries.includes(library) : existsSync(file))
  return NEEDED.filter((need) => !there(need)).map((need) => need.program ?? need.library ?? need.packages[0])
}

function onPath(program) {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin']
  return folders.some((folder) => {
    try {
      accessSync(path.join(folder, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** @param {string[][]} missing of each entry one name will do */
async function installPackages(missing, progress) {
  const root = becomeRoot()
  const quick = hasLists()
  if (root && !quick) await update(root, progress)
  // The newer name where there is one: the older may be provided by several packages, among which apt does not choose.
  const known = new Set(execFileSync('apt-cache', ['pkgnames'], { encoding: 'utf8', maxBuffer: 2 ** 26 }).split('\n'))
  const names = missing.map((packages) => packages.findLast((name) => known.has(name)) ?? packages[0])
  const byHand = `sudo apt-get install -y --no-install-recommends ${names.join(' ')}`
  if (!root) throw new StepError(`Missing Debian packages: ${names.join(' ')}.`, { next: `Type: ${byHand}` })
  try {
    await aptGet(root, ['install', '-y', '--no-install-recommends', ...names], progress)
  } catch (error) {
    // Lists that are too old name versions that are gone.
    if (!quick) throw withNext(error, byHand)
    await update(root, progress)
    await aptGet(root, ['install', '-y', '--no-install-recommends', ...names], progress).catch((again) => {
      throw withNext(again, byHand)
    })
  }
}

const withNext = (error, byHand) =>
  new StepError('apt-get could not install what is missing.', {
    output: error.output,
    next: `Look at its words above; then type: ${byHand}`
  })

const update = (root, progress) => aptGet(root, ['update'], (text) => progress(`reading the package lists ${text}`))

/** The words that make a command run as root without a question, or null. */
function becomeRoot() {
  if (process.getuid() === 0) return []
  return spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0 ? ['sudo', '-n'] : null
}

const hasLists = () => existsSync('/var/lib/apt/lists') && readdirSync('/var/lib/apt/lists').some((name) => name.includes('_Packages'))

async function aptGet(root, args, progress) {
  const environment = ['env', 'DEBIAN_FRONTEND=noninteractive', 'LC_ALL=C.UTF-8']
  const options = ['-q', '-o', 'Dpkg::Use-Pty=0', '-o', 'DPkg::Lock::Timeout=120', '-o', 'Acquire::Retries=3', '-o', 'APT::Status-Fd=3']
  // sudo closes all but the first three descriptors: no percentages then.
  const statusFd = root.length === 0
  const command = [...root, ...environment, 'apt-get', ...(statusFd ? options : options.slice(0, -2)), ...args]
  await run(command[0], command.slice(1), { statusFd, onLine: (line) => showStatus(line, progress) })
}

/** apt's machine-readable progress: `dlstatus:item:percent:text` while it downloads, `pmstatus:package:percent:text` while it installs. */
function showStatus(line, progress) {
  const [, kind, share] = /^(dl|pm)status:[^:]*:([\d.]+):/.exec(line) ?? []
  if (kind) progress(`${kind === 'dl' ? 'downloading' : 'installing'} ${Math.round(Number(share))} %`)
}
