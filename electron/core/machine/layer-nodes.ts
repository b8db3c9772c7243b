import { Failure, type Disk, type Layer } from '#contract'
import { createEmptyLayer } from '../disk/empty-layer'
import { layerNode, underneath } from '../disk/nodes'
import { activeLayer } from '../disk/stack'
import { removeFile } from '../host/files'
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
  await qmp.execute('blockdev-add', { ...layerNode(layer, target.pathOf(layer.file), { active: true }), backing: null } as never).catch((error: unknown) => {
    if (!isRefused(error, /Duplicate nodes/)) throw error // it is there: whoever opened it was cut off then
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

/** A node that is not used any more goes, unless it went by itself with its user, or goes with the one that it came as a part of. */
export async function dropNode(qmp: QmpSession, nodeName: string): Promise<void> {
  await qmp.execute('blockdev-del', { 'node-name': nodeName }).catch((error: unknown) => {
    if (!isRefused(error, /./)) throw error
  })
}

const isRefused = (error: unknown, words: RegExp): boolean => error instanceof Failure && error.error.code === 'qmp' && words.test(error.error.causes.concat(error.message).join('\n'))
