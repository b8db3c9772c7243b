import { Failure } from '#contract'
import { exists, makePrivate } from '../host/files'
import type { BlockdevOptions } from '../qmp/commands'
import type { QmpSession } from '../qmp/session'

/**
 * The NBD server of a QEMU or a storage daemon, at a Unix socket that only we use. A process has one; it runs on once it is started, as QEMU 7.2
 * can abort when a client goes while the server is going down.
 * @throws qmp
 */
export async function ensureNbdServer(qmp: QmpSession, path: string): Promise<void> {
  if (started.has(qmp)) return // or by an earlier owner of the library, which QEMU tells below
  try {
    await qmp.execute('nbd-server-start', { addr: { type: 'unix', data: { path } } })
    await makePrivate(path)
  } catch (error) {
    if (!(error instanceof Failure) || !error.error.causes.some((cause) => cause.includes('already running'))) throw error
  }
  started.add(qmp)
}

/**
 * Makes the server anew where somebody has deleted its socket, so that no client can come any more. Its exports end in good order before.
 * @returns whether it did: all that the server exported is to be added again
 */
export async function restoreNbdServer(qmp: QmpSession, path: string): Promise<boolean> {
  await ensureNbdServer(qmp, path)
  if (await exists(path)) return false
  for (const { id, type } of await qmp.execute('query-block-exports')) if (type === 'nbd') await endExport(qmp, id)
  await qmp.execute('nbd-server-stop')
  started.delete(qmp)
  await ensureNbdServer(qmp, path)
  return true
}

const started = new WeakSet<QmpSession>()

export const nbdNode = (path: string, name: string): Extract<BlockdevOptions, { driver: 'nbd' }> => ({ driver: 'nbd', server: { type: 'unix', path }, export: name })

/** Exports a node read-only for as long as an act takes. */
export async function whileExported<T>(qmp: QmpSession, path: string, nodeName: string, act: (name: string) => Promise<T>): Promise<T> {
  await ensureNbdServer(qmp, path)
  const id = `look-${nodeName}-${++looks}`
  await qmp.execute('block-export-add', { type: 'nbd', id, 'node-name': nodeName, name: id, writable: false })
  try {
    return await act(id)
  } finally {
    await endExport(qmp, id)
  }
}

/** `hard`: a client that is still connected is cut off, after what it has asked for is answered. */
export async function endExport(qmp: QmpSession, id: string): Promise<void> {
  const deleted = qmp.waitForEvent('BLOCK_EXPORT_DELETED', (data) => data.id === id)
  deleted.catch(() => {}) // told by the command
  await qmp.execute('block-export-del', { id, mode: 'hard' })
  await deleted
}
let looks = 0
