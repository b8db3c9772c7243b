import { existsSync } from 'node:fs'
import path from 'node:path'
import { fingerprint } from '../lib/files.mjs'
import { inTop } from '../lib/paths.mjs'
import { run } from '../lib/run.mjs'
import { nodeHeaders } from './node-headers.mjs'

const NATIVE = inTop('native')
const SOURCES = ['Makefile', 'ring', 'service', 'client', 'integrity', 'adapter'].map((name) => path.join(NATIVE, name))
const MADE = ['service', 'client', 'tool_for_integrity', 'ring.node'].map((name) => path.join(NATIVE, 'bin', name))

/** The split-driver ring's programs, and what lets the app be a client. Strata opens without them, and says what is missing. */
export const ring = {
  name: 'Ring',

  isDone: (stamp) => Boolean(stamp) && stamp.sources === fingerprint(SOURCES) && MADE.every((file) => existsSync(file)),

  async install(progress) {
    progress('compiling native/')
    const sources = fingerprint(SOURCES)
    const headers = nodeHeaders()
    await run('make', ['--no-print-directory', '-C', NATIVE, 'all', 'adapter', ...(headers ? [`NODE_HEADERS=${headers}/include/node`] : [])], {
      next: 'A C compiler, make and Node’s header files are needed: sudo apt-get install build-essential. Strata works without the ring.'
    })
    return { sources }
  }
}
