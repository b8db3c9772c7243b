import type { Disk, Layer } from '#contract'

/**
 * A disk as block nodes, in the words of `-blockdev` and `blockdev-add`: every layer and every file has a node of its own with a name
 * that the record gives it. Formats and backing files are said, never found out by QEMU.
 */
export type NodeOptions = Record<string, unknown> & { driver: string }

/**
 * A file as a node. QEMU does not make the host forget what it has of the file in memory whenever it takes the file over (`drop-cache`: that is for
 * files that another host has changed, and costs a guest that goes on from a snapshot a tenth of a second).
 */
export const fileNode = (filename: string, nodeName?: string): NodeOptions => ({ driver: 'file', ...(nodeName ? { 'node-name': nodeName } : {}), filename, 'drop-cache': false })

/** The file of a layer opens for writing when a job needs that, and not before: so a layer that lies below can be read by others. */
const layerFileNode = (nodeName: string, filename: string): NodeOptions => ({
  ...fileNode(filename, `${nodeName}-file`),
  'auto-read-only': true,
  discard: 'unmap'
})

/** A layer alone, without what it stands on. */
export function layerNode(layer: Layer, path: string, { active }: { active: boolean }): NodeOptions {
  return {
    driver: layer.format,
    'node-name': layer.nodeName,
    ...(active ? {} : { 'read-only': true }),
    discard: 'unmap',
    file: layerFileNode(layer.nodeName, path)
  }
}

/** A layer of a disk as a node that is open, for `blockdev-reopen`: what it stands on goes by name. */
export function openLayerNode(disk: Disk, layer: Layer, { readOnly }: { readOnly: boolean }): NodeOptions {
  const below = disk.layers[disk.layers.findIndex(({ nodeName }) => nodeName === layer.nodeName) + 1]?.nodeName ?? (disk.image && imageNodeName(disk))
  return {
    driver: layer.format,
    'node-name': layer.nodeName,
    'read-only': readOnly,
    discard: 'unmap',
    file: `${layer.nodeName}-file`,
    ...(layer.format === 'qcow2' ? { backing: below } : {})
  }
}

/** Of the image that a disk stands on. */
export const imageNodeName = (disk: Disk): string => `${disk.id}-image`
function imageNode(disk: Disk): NodeOptions | null {
  if (!disk.image) return null
  const nodeName = imageNodeName(disk)
  return {
    driver: disk.image.format,
    'node-name': nodeName,
    'read-only': true,
    file: { ...fileNode(disk.image.path, `${nodeName}-file`), 'read-only': true },
    ...canHaveBacking(disk.image.format)
  }
}

/** From a layer down to the image. @param from index of the uppermost layer */
export function diskNodes(disk: Disk, pathOf: (file: string) => string, from = 0): NodeOptions {
  const below = (index: number): NodeOptions | null => {
    const layer = disk.layers[index]
    if (!layer) return imageNode(disk)
    const node = layerNode(layer, pathOf(layer.file), { active: index === from })
    return layer.format === 'qcow2' ? { ...node, backing: below(index + 1) } : node
  }
  return below(from)!
}

/** What a header says of a backing file is of no account: the record says all. */
const canHaveBacking = (format: string): { backing?: null } => (format === 'qcow2' || format === 'vmdk' ? { backing: null } : {})

/** The same for programs that take an image by name: `json:{...}`. Node names mean nothing there. */
export const asFilename = (node: NodeOptions): string => `json:${JSON.stringify(node)}`

/** What a layer stands on: path and format of the next below, for the header of a new file. */
export function underneath(disk: Disk, index: number, pathOf: (file: string) => string): { path: string; format: Layer['format'] } | null {
  const next = disk.layers[index + 1]
  if (next) return { path: pathOf(next.file), format: next.format }
  return disk.image && { path: disk.image.path, format: disk.image.format }
}

/** How the names of filters begin that bound what is asked of a disk: they stand on its active layer. */
export const limitsOn = (disk: string): string => `lim-${disk}-`
