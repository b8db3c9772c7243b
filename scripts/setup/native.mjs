import { existsSync, statSync } from 'node:fs'
import path from 'node:path'
import { readJson } from '../lib/files.mjs'
import { inTop } from '../lib/paths.mjs'
import { run } from '../lib/run.mjs'
import { nodeHeaders } from './node-headers.mjs'

const MODULE = inTop('node_modules/node-pty')
const BUILT = path.join(MODULE, 'build/Release/pty.node')

/** Native modules. They use Node-API only, so that the same build loads in Node and in Electron. */
export const native = {
  name: 'Native modules',

  isDone: (stamp) => !existsSync(MODULE) || (Boolean(stamp) && stamp.built === built()),

  async install(progress) {
    progress('compiling node-pty')
    const headers = nodeHeaders()
    const args = ['rebuild', '--jobs=max', ...(headers ? [`--nodedir=${headers}`] : [])]
    await run(process.execPath, [inTop('node_modules/node-gyp/bin/node-gyp.js'), ...args], {
      cwd: MODULE,
      next: headers
        ? 'A C++ compiler and python3 are needed: sudo apt-get install build-essential python3'
        : `Node ${process.version} came without its header files, and they could not be downloaded. Install those with include/node/node_api.h.`
    })
    return { built: built() }
  }
}

function built() {
  const file = statSync(BUILT, { throwIfNoEntry: false })
  return file ? `${readJson(path.join(MODULE, 'package.json')).version} ${file.size} ${file.mtimeMs}` : ''
}
