import type { ImageFile } from '#contract'

/** One disk of a machine: its layers from the top down, those that were undone beside. */
export interface Tower {
  key: string
  machineId: string
  machine: string
  disk: string
  layers: readonly ImageFile[]
  undone: readonly ImageFile[]
}

/** A piece of ground with all that stands on it. Null: disks that stand on no image. */
export interface Site {
  key: string
  ground: ImageFile | null
  towers: readonly Tower[]
}

/**
 * The files of a library by what stands on what. The most used images come first, then those that nothing stands on; disks that stand on no
 * image have a site of their own.
 */
export function landscapeOf(files: readonly ImageFile[]): Site[] {
  const towers = new Map<string, { tower: Tower; ground: string | null }>()
  const images = files.filter((file) => file.of.kind === 'image')
  const known = new Set(images.map((file) => file.path))
  // A layer that linked clones share is drawn in each of their disks.
  for (const file of files.flatMap(underEachName)) {
    if (file.of.kind !== 'layer') continue
    const { machineId, machine, disk, place } = file.of
    const key = `${machineId} ${disk}`
    const { tower, ground } = towers.get(key) ?? { tower: { key, machineId, machine, disk, layers: [], undone: [] }, ground: null }
    const next = place === 'undone' ? { ...tower, undone: [...tower.undone, file] } : { ...tower, layers: [...tower.layers, file] }
    towers.set(key, { tower: next, ground: place !== 'undone' && file.backing !== null && known.has(file.backing) ? file.backing : ground })
  }
  const standing = (path: string | null): Tower[] =>
    [...towers.values()]
      .filter(({ ground }) => ground === path)
      .map(({ tower }) => ({ ...tower, layers: topDown(tower.layers), undone: topDown(tower.undone).toReversed() }))
      .sort((a, b) => collator.compare(`${a.machine} ${a.disk}`, `${b.machine} ${b.disk}`))
  const sites = images.map((ground): Site => ({ key: ground.path, ground, towers: standing(ground.path) }))
  sites.sort((a, b) => b.towers.length - a.towers.length || collator.compare(a.key, b.key))
  const own = standing(null)
  const used = sites.filter((site) => site.towers.length > 0)
  const unused = sites.filter((site) => site.towers.length === 0)
  return [...used, ...(own.length > 0 ? [{ key: 'own', ground: null, towers: own }] : []), ...unused]
}

/** By what stands on what: a file that has several names is listed where the first of them is. */
function topDown(layers: readonly ImageFile[]): ImageFile[] {
  const byPath = new Map(layers.map((file) => [file.path, file]))
  const below = ({ backing }: ImageFile): ImageFile | undefined => (backing === null ? undefined : byPath.get(backing))
  const top = layers.find((file) => !layers.some((other) => other.backing === file.path))
  const ordered: ImageFile[] = []
  for (let file = top; file && !ordered.includes(file); file = below(file)) ordered.push(file)
  return ordered
}

const underEachName = (file: ImageFile): ImageFile[] => [file, ...file.otherNames.map((other) => ({ ...file, ...other, otherNames: [] }))]

const collator = new Intl.Collator('en-GB', { numeric: true, sensitivity: 'base' })

/** Files that are not as they should be. */
export const unwell = (files: readonly ImageFile[]): ImageFile[] => files.filter((file) => file.health.kind !== 'ok')
