import { existsSync, realpathSync } from 'node:fs'
import path from 'node:path'

/** The folder whose include/node holds the header files of the Node that runs, or null. */
export function nodeHeaders() {
  const candidates = [path.resolve(realpathSync(process.execPath), '../..'), '/usr', '/usr/local']
  return candidates.find((folder) => existsSync(path.join(folder, 'include/node/node_api.h'))) ?? null
}
