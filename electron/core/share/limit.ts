import type { ClientLimits } from '#contract'
import { limitsOn } from '../disk/nodes'
import type { QmpSession } from '../qmp/session'
import type { ServedAs } from './plan'

/**
 * What a client may ask for is bounded where it is served: a filter node with a group of its own lies between its export and the disk. It lies there
 * also where nothing is bounded, so that a bound can be set while the client runs. Overlays that are put on the disk come below it.
 * Sources: throttle driver, qapi/block-core.json; throttle-group, qapi/qom.json; its `limits` can be set while it is used (QEMU 2.11).
 */
export const limitName = (disk: string, machineId: string, { version }: Pick<ServedAs, 'version'>): string =>
  `${version === null ? '' : ON_VERSION}${limitsOn(disk)}${machineId.slice(0, 8)}`
const ON_VERSION = 'v'

/**
 * Puts a filter on a node. What guests discard goes through it, which a node has to be told. It is writable, so that it can be resized: what an export
 * may write the export says, and the node below. @param name of the filter and its group
 */
export async function addLimit(qmp: QmpSession, name: string, { nodeName, limits }: { nodeName: string; limits: ClientLimits }): Promise<void> {
  await removeLimit(qmp, name) // of one that was cut off
  await qmp.execute('object-add', { 'qom-type': 'throttle-group', id: name, limits: inQemusWords(limits) })
  await qmp.execute('blockdev-add', { driver: 'throttle', 'node-name': name, 'throttle-group': name, file: nodeName, discard: 'unmap' })
}

/** Takes off the filters on a disk that nobody is served through any more. @param kept the others, by name */
export async function removeOtherLimits(qmp: QmpSession, disk: string, kept: ReadonlySet<string>): Promise<void> {
  const nodes = await qmp.execute('query-named-block-nodes', { flat: true })
  const names = nodes.flatMap((node) => node['node-name'] ?? []).filter((name) => name.startsWith(limitsOn(disk)) || name.startsWith(`${ON_VERSION}${limitsOn(disk)}`))
  for (const name of names) if (!kept.has(name)) await removeLimit(qmp, name)
}

async function removeLimit(qmp: QmpSession, name: string): Promise<void> {
  const nodes = await qmp.execute('query-named-block-nodes', { flat: true })
  if (nodes.some((node) => node['node-name'] === name)) await qmp.execute('blockdev-del', { 'node-name': name })
  if (await hasGroup(qmp, name)) await qmp.execute('object-del', { id: name })
}

/** Sets what differs. A bound that is set again would begin anew, and let more through for a moment. */
export async function levelLimit(qmp: QmpSession, name: string, limits: ClientLimits): Promise<void> {
  if (!(await hasGroup(qmp, name))) return // exported by an earlier Strata, without a filter
  const path = `/objects/${name}`
  const now = (await qmp.execute('qom-get', { path, property: 'limits' })) as Record<string, number>
  const wanted = inQemusWords(limits)
  if (Object.entries(wanted).some(([key, value]) => now[key] !== value)) await qmp.execute('qom-set', { path, property: 'limits', value: wanted })
}

/** A storage daemon has no folder for objects before its first one. */
async function hasGroup(qmp: QmpSession, name: string): Promise<boolean> {
  const has = async (path: string, what: string): Promise<boolean> => (await qmp.execute('qom-list', { path })).some((one) => one.name === what)
  return (await has('/', 'objects')) && has('/objects', name)
}

/** 0: no bound. */
const inQemusWords = ({ requestsPerSecond, bytesPerSecond }: ClientLimits): { 'iops-total': number; 'bps-total': number } => ({
  'iops-total': requestsPerSecond ?? 0,
  'bps-total': bytesPerSecond ?? 0
})
