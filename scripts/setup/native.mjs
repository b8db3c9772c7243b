import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs'
import path from 'node:path'
import { filesBelow, fingerprint, readJson } from '../lib/files.mjs'
import { inTop } from '../lib/paths.mjs'
import { run, StepError } from '../lib/run.mjs'
import { nodeHeaders } from './node-headers.mjs'

const MODULE = inTop('node_modules/node-pty')
const BUILT = path.join(MODULE, 'build/Release/pty.node')
const STORE_SOURCES = inTop('native/store')
const STORE = inTop('out/native/store.node')
const STORE_FLAGS = ['-std=gnu11', '-O3', '-Wall', '-Wextra', '-Werror', '-Wno-psabi', '-fPIC', '-shared', '-fvisibility=hidden']
/** Programs, and what each is made of: those that take a guest's memory, and what stands between a shared disk and its client. */
const PROGRAMS = {
  receive: { folder: inTop('native/snapshot'), sources: ['receive.c', 'stream.c'] },
  copy: { folder: inTop('native/snapshot'), sources: ['copy.c'] },
  relay: { folder: inTop('native/share'), sources: ['relay.c', 'client.c', 'export.c', 'account.c', 'link.c', 'message.c', 'memory.c', 'ring.c'] }
}
const PROGRAM_FLAGS = ['-std=c11', '-D_GNU_SOURCE', '-O2', '-Wall', '-Wextra', '-Werror', '-Wshadow', '-Wconversion', '-Wstrict-prototypes', '-Wmissing-prototypes', '-pthread']

/** Native modules. They use Node-API only, so that the same build loads in Node and in Electron. */
export const native = {
  name: 'Native modules',

  isDone: (stamp) => Boolean(stamp) && (!existsSync(MODULE) || stamp.built === built()) && stamp.store === store() && stamp.programs === programs(),

  async install(progress) {
    if (existsSync(MODULE)) await compilePty(progress)
    await compileStore(progress)
    await compilePrograms(progress)
    return { built: existsSync(MODULE) ? built() : '', store: store(), programs: programs() }
  }
}

async function compilePty(progress) {
  progress('compiling node-pty')
  const headers = nodeHeaders()
  const args = ['rebuild', '--jobs=max', ...(headers ? [`--nodedir=${headers}`] : [])]
  await run(process.execPath, [inTop('node_modules/node-gyp/bin/node-gyp.js'), ...args], {
    cwd: MODULE,
    next: headers
      ? 'A C++ compiler and python3 are needed: sudo apt-get install build-essential python3'
      : `Node ${process.version} came without its header files, and they could not be downloaded. Install those with include/node/node_api.h.`
  })
}

function built() {
  const file = statSync(BUILT, { throwIfNoEntry: false })
  return file ? `${readJson(path.join(MODULE, 'package.json')).version} ${file.size} ${file.mtimeMs}` : ''
}

/** The store's own module: a few C files, which need no more than the compiler. */
async function compileStore(progress) {
  progress('compiling the store')
  const headers = nodeHeaders()
  if (!headers) throw new StepError(`Node ${process.version} came without its header files.`, { next: 'Install those with include/node/node_api.h.' })
  mkdirSync(path.dirname(STORE), { recursive: true })
  const part = `${STORE}.${process.pid}`
  const sources = filesBelow(STORE_SOURCES).filter((name) => name.endsWith('.c') && name !== 'test.c')
  const args = [...STORE_FLAGS, `-I${path.join(headers, 'include/node')}`, '-o', part, ...sources, '-lzstd', '-pthread']
  await run('cc', args, { cwd: STORE_SOURCES, next: 'A C compiler and zstd are needed: sudo apt-get install build-essential libzstd-dev' })
  // A running Strata may have the old one mapped: it keeps that, as a file without a name.
  renameSync(part, STORE)
}

async function compilePrograms(progress) {
  progress('compiling what takes snapshots and relays disks')
  for (const [name, { folder, sources }] of Object.entries(PROGRAMS)) {
    const part = `${program(name)}.${process.pid}`
    await run('cc', [...PROGRAM_FLAGS, '-o', part, ...sources], { cwd: folder, next: 'A C compiler is needed: sudo apt-get install build-essential' })
    renameSync(part, program(name))
  }
}

const program = (name) => inTop(`out/native/${name}`)
const store = () => (existsSync(STORE) ? fingerprint([STORE, STORE_SOURCES]) : '')
const programs = () => {
  const made = Object.keys(PROGRAMS).map(program)
  return made.every((file) => existsSync(file)) ? fingerprint([...made, ...new Set(Object.values(PROGRAMS).map(({ folder }) => folder))]) : ''
}
