import type { DiskView } from '#contract'
import { titleOfLayer } from './words'

/** Why what was written cannot be committed for good; null when it can. */
export function whyNotForGood(view: DiskView): string | null {
  const below = view.disk.layers[1]
  return below ? whyNotInto(view, below.nodeName) : 'There is no layer of the machine’s own below it, and an image of the library is never written to.'
}

/** Why nothing can be merged into a layer: linked clones stand on the same file, or a snapshot has it. */
export function whyNotInto(view: DiskView, nodeName: string): string | null {
  const file = view.files.find(({ of }) => of.kind === 'layer' && of.layer.nodeName === nodeName)
  if (file?.of.kind !== 'layer') return null
  const title = titleOfLayer(file.of.layer, false)
  const others = file.users.filter((user) => user !== view.machine)
  if (others.length > 0) return `${title} is a layer of ${others.join(', ')} too, which would be damaged: flatten one of the disks first.`
  const names = file.snapshots.map(({ name }) => `“${name}”`)
  if (names.length === 0) return null
  return `${title} is a part of the ${names.length === 1 ? 'snapshot' : 'snapshots'} ${names.join(', ')} too: remove ${names.length === 1 ? 'it' : 'them'} first, or flatten the disk.`
}
