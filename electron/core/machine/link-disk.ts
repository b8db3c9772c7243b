import type { Disk } from '#contract'
import { createEmptyLayer } from '../disk/empty-layer'
import { underneath } from '../disk/nodes'
import { activeLayer, withOverlay } from '../disk/stack'
import { linkOrCopy, removeFile } from '../host/files'

/**
 * Gives the layers of a disk, to which nobody writes any more, a name among a machine's files, and puts an empty layer on top. That they have
 * another name keeps them from being written to (`requireOwn`).
 * @param final where the files will be in the end, for the headers
 * @param first number of the first layer: every name is new, so that nothing of the machine's own is touched
 */
export async function linkDisk(taken: Disk, first: number, from: (file: string) => string, to: (file: string) => string, final = to): Promise<Disk> {
  let number = Math.max(first, taken.nextLayer)
  const layers: Disk['layers'] = []
  for (const layer of taken.layers) {
    const renamed = { ...layer, nodeName: `${taken.id}-${number}`, file: `${taken.id}-${number}.${layer.format}` }
    number++
    await removeFile(to(renamed.file)) // of one that was cut off
    await linkOrCopy(from(layer.file), to(renamed.file))
    layers.push(renamed)
  }
  const disk = withOverlay({ ...taken, layers, nextLayer: number }, {}, Date.now())
  const path = to(activeLayer(disk).file)
  await removeFile(path)
  await createEmptyLayer(path, disk.sizeBytes, underneath(disk, 0, final))
  return disk
}
