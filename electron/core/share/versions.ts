import { NO_LIMITS, type ClientLimits, type Disk, type Share, type ShareRecord } from '#contract'
import { activeLayer, layerOf } from '../disk/stack'
import type { WantedClient } from './exports'
import { mayWrite } from './plan'

/** Published versions: commits of a shared disk that its readers have in place of the disk itself, each told by its sequence number. */

/** The version of the disk that a client is to have: who writes has the disk itself. Null: the disk itself. */
export function versionFor(record: Pick<ShareRecord, 'mode' | 'machineId' | 'writer' | 'clients'>, id: string): number | null {
  return mayWrite(record, id) ? null : (record.clients.find(({ machineId }) => machineId === id)?.version ?? null)
}

/** Who gets the disk to read gets the version that is published then. */
export function withVersion(record: ShareRecord, id: string): ShareRecord {
  const version = mayWrite(record, id) ? null : record.published
  return { ...record, clients: record.clients.map((client) => (client.machineId === id ? { ...client, version } : client)) }
}

/** Those that somebody has, or is to get. */
export const versionsIn = ({ published, clients }: ShareRecord): Set<number> =>
  new Set([published, ...clients.map(({ version }) => version)].filter((version) => version !== null))

/** A version without its layer is none. */
export function publishedOf({ published }: ShareRecord, disk: Disk | null): Share['published'] {
  const commit = published === null || !disk ? null : layerOf(disk, published)?.commit
  return commit ? { version: commit.sequence, atMs: commit.atMs } : null
}

/** What a client may ask for. */
export const limitsOf = ({ clients }: Pick<ShareRecord, 'clients'>, id: string): ClientLimits => clients.find(({ machineId }) => machineId === id)?.limits ?? NO_LIMITS

/** From which node each of these clients is served. A version that is no more nobody can be given. */
export function whatIsServed(record: ShareRecord, disk: Disk, ids: readonly string[]): Omit<WantedClient, 'transport'>[] {
  return ids.flatMap((machineId) => {
    const version = versionFor(record, machineId)
    const layer = version === null ? activeLayer(disk) : layerOf(disk, version)
    return layer ? [{ machineId, nodeName: layer.nodeName, writes: mayWrite(record, machineId), version, writeThrough: record.writeThrough, limits: limitsOf(record, machineId) }] : []
  })
}
