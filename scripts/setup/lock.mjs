import { createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { sha256 } from '../lib/files.mjs'
import { TOP } from '../lib/paths.mjs'

/**
 * One set-up of a checkout at a time, for example when `npm start` and `npm test` are typed in two terminals. The lock is a
 * name in Linux's abstract socket namespace (unix(7)): the kernel gives it up when its process ends, however that ends.
 */
const NAME = `\0strata-setup-${process.getuid()}-${sha256(TOP).slice(0, 16)}`

/** Waits for its turn, then does the work. */
export async function withSetUpLock(report, work) {
  let server = await take()
  if (!server) report.line('Waiting for another set-up of this checkout ...')
  while (!server) {
    await delay(200)
    server = await take()
  }
  try {
    return await work()
  } finally {
    server.close()
  }
}

function take() {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', (error) => (error.code === 'EADDRINUSE' ? resolve(null) : reject(error)))
    server.listen(NAME, () => resolve(server.unref()))
  })
}
