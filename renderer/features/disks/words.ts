import { CircleAlert, CircleCheck, FileQuestionMark, FileX, TriangleAlert, type LucideIcon } from 'lucide-react'
import { formatSize, formatSpan } from '#ui'
import type { Disk, DiskView, FileHealth, Image, ImageFile, Layer } from '#contract'

/** A layer, as people call it. */
export function titleOfLayer(layer: Layer, isActive: boolean): string {
  if (layer.commit) return `Commit ${layer.commit.sequence}`
  if (isActive) return layer.temporary ? 'Throw-away overlay' : 'Active layer'
  return layer.temporary ? 'Throw-away overlay' : `Layer ${layer.nodeName}`
}

export const noteOfLayer = (layer: Layer): string => (layer.commit?.note ?? '') || layer.note

export const titleOfImage = (image: Pick<Image, 'kind' | 'name'> | undefined, path: string): string =>
  image ? (image.kind === 'guest' ? 'Built-in guest' : image.name) : fileName(path)

export const fileName = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

/** A file of a disk, as people call it. */
export const titleOfFile = (file: ImageFile, images: Readonly<Record<string, Image>>): string =>
  file.of.kind === 'image' ? titleOfImage(images[file.of.imageId], file.path) : titleOfLayer(file.of.layer, file.of.place === 'active')

export interface HealthLook {
  icon: LucideIcon
  word: string
  bad: boolean
}
const HEALTH: Record<FileHealth['kind'], HealthLook> = {
  ok: { icon: CircleCheck, word: 'sound', bad: false },
  missing: { icon: FileX, word: 'file missing', bad: true },
  changed: { icon: TriangleAlert, word: 'changed by somebody else', bad: true },
  damaged: { icon: CircleAlert, word: 'damaged', bad: true },
  unreadable: { icon: FileQuestionMark, word: 'cannot be read', bad: true }
}
export const lookOfHealth = (health: FileHealth): HealthLook => HEALTH[health.kind]

/** The topmost layer that is not as it was when others were put on it. */
export const changedLayer = ({ files, undone }: DiskView): ImageFile | undefined =>
  [...files, ...undone].find((file) => file.of.kind === 'layer' && file.health.kind === 'changed')

/** `commit 3`, `commits 3 and 4`, `commits 3, 4 and 5`, `commits 3 to 9`. */
export function namesOfCommits(sequences: readonly number[]): string {
  const sorted = [...sequences].sort((a, b) => a - b)
  const [first, last] = [sorted[0], sorted.at(-1)]
  if (first === undefined || last === undefined) return 'no commit'
  if (sorted.length === 1) return `commit ${first}`
  if (sorted.length > 3 && last - first === sorted.length - 1) return `commits ${first} to ${last}`
  return `commits ${sorted.slice(0, -1).join(', ')} and ${last}`
}

/** Who needs a file, in words: machines, snapshots, and machines that have its disk over a share. */
export const usersOf = ({ users, snapshots, sharedWith }: ImageFile): string[] => [
  ...users,
  ...snapshots.map(({ name, machine }) => `snapshot “${name}” of ${machine}`),
  ...sharedWith.map((name) => `${name}, with which it is shared`)
]

export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

/** What is said beside a size that is none. */
export const NO_SIZE = 'That is no size: say how large it is to be, such as 20 or 1.5.'

/** As fast as what stands for an ordinary disk here writes. */
const BYTES_PER_SECOND = 100 * 2 ** 20
/** How long it takes to copy so much, for a sentence: `a moment`, `about 40 s at 100 MiB/s`. */
export function timeToCopy(bytes: number): string {
  const ms = (bytes / BYTES_PER_SECOND) * 1000
  return ms < 2000 ? 'a moment' : `about ${formatSpan(ms)} at ${formatSize(BYTES_PER_SECOND)}/s`
}

/** The sequence numbers of the commits that layers are. */
export const commitsOf = (layers: readonly Layer[]): number[] => layers.flatMap((layer) => (layer.commit ? [layer.commit.sequence] : []))

/** What the active layer's changes came after: `commit 3`, `the image`. */
export function lastSafePoint(disk: Disk): string {
  const sealed = disk.layers.find((layer, index) => layer.commit !== null && index > 0)
  if (disk.layers[1] === sealed && sealed?.commit) return `commit ${sealed.commit.sequence}`
  return disk.layers[1] ? `layer ${disk.layers[1].nodeName}` : disk.image ? 'the image below it' : 'it was made'
}
