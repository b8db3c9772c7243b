import { Failure, type Disk, type Layer } from '#contract'
import { createEmptyLayer } from '../disk/empty-layer'
import { layerNode, limitsOn, openLayerNode, underneath, type NodeOptions } from '../disk/nodes'
import { activeLayer } from '../disk/stack'
import { removeFile } from '../host/files'
import type { BlockDeviceInfo } from '../qmp/commands'
import type { QmpSession } from '../qmp/session'
import type { DiskTarget } from './disk-target'

/**
 * The file of the layer that is on top in the record.
 * @param standsOn which layer its header names: another than the next below when that one is about to go
 */
export async function makeLayerFile(target: DiskTarget, disk: Disk, standsOn = 1): Promise<void> {
  const path = target.pathOf(activeLayer(disk).file)
  await removeFile(path) // of one that was cut off: a number is recorded with its layer
  await createEmptyLayer(path, disk.sizeBytes, underneath(disk, standsOn - 1, target.pathOf))
}

/** Opens an empty layer in a running QEMU, as a node that nothing uses yet. */
export async function addLayerNode(qmp: QmpSession, target: DiskTarget, layer: Layer): Promise<void> {
  await addNode(qmp, { ...layerNode(layer, target.pathOf(layer.file), { active: true }), backing: null })
}

/** Adds a node, unless it is there: whoever added it was cut off then. */
export async function addNode(qmp: QmpSession, node: NodeOptions): Promise<void> {
  await qmp.execute('blockdev-add', node as never).catch((error: unknown) => {
    if (!isRefused(error, /Duplicate nodes/)) throw error
  })
}

/** Lets a running QEMU go on with another layer on top. Source: blockdev-snapshot, qapi/block-core.json. */
export async function switchTo(qmp: QmpSession, target: DiskTarget, from: Layer, to: Layer): Promise<void> {
  await addLayerNode(qmp, target, to)
  try {
    await qmp.execute('blockdev-snapshot', { node: from.nodeName, overlay: to.nodeName })
  } catch (error) {
    await dropNode(qmp, to.nodeName)
    throw error
  }
}

/** Lets a layer that is open in a running QEMU be written to, or no longer. Source: blockdev-reopen, qapi/block-core.json; QEMU 6.1. */
export async function reopenLayer(qmp: QmpSession, { disk }: DiskTarget, layer: Layer, options: { readOnly: boolean }): Promise<void> {
  await qmp.execute('blockdev-reopen', { options: [openLayerNode(disk, layer, options)] } as never)
}

/**
 * The node on top of a disk, which QEMU wants to be told for a job on its layers: its active layer, a filter above that while another machine writes
 * to the disk, or one that bounds what a machine asks for with which it is shared. Of several any will do. Source: blockdev.c, qmp_get_root_bs.
 */
export async function rootOf(qmp: QmpSession, disk: Disk): Promise<string> {
  const active = activeLayer(disk).nodeName
  const stoodOn = (await insertedIn(qmp, disk))?.['node-name'] ?? active
  if (stoodOn !== active) return stoodOn
  return (await limitsAbove(qmp, disk))[0] ?? active
}

/** The filters that bound what other machines ask of a disk: they stand on its active layer, side by side. */
async function limitsAbove(qmp: QmpSession, disk: Disk): Promise<string[]> {
  const nodes = await qmp.execute('query-named-block-nodes', { flat: true })
  return nodes.flatMap(({ 'node-name': name }) => (name?.startsWith(limitsOn(disk.id)) ? [name] : []))
}

/** A filter does not notice that what it stands on has grown. Source: block_resize, qapi/block-core.json; bdrv_parent_cb_resize, block/io.c, QEMU 7.2. */
export async function resizeNodes(qmp: QmpSession, disk: Disk, sizeBytes: number): Promise<void> {
  for (const name of [activeLayer(disk).nodeName, ...(await limitsAbove(qmp, disk))]) await qmp.execute('block_resize', { 'node-name': name, size: sizeBytes })
}

/** What QEMU says of the node that a disk's device stands on. */
export async function insertedIn(qmp: QmpSession, disk: Disk): Promise<BlockDeviceInfo | undefined> {
  return (await qmp.execute('query-block')).find((one) => one.qdev?.includes(`${disk.id}-device`))?.inserted
}

/** A node that is not used any more goes, unless it went by itself with its user, or goes with the one that it came as a part of. */
export async function dropNode(qmp: QmpSession, nodeName: string): Promise<void> {
  await qmp.execute('blockdev-del', { 'node-name': nodeName }).catch((error: unknown) => {
    if (!isRefused(error)) throw error
  })
}

/** Whether QEMU refused a command. @param words what it said */
export const isRefused = (error: unknown, words = /./): boolean => error instanceof Failure && error.error.code === 'qmp' && words.test(error.error.causes.concat(error.message).join('\n'))
