import type { Image } from '#contract'
import type { Paint } from './paint'
import { formatSize, shellQuote } from './text'

/** An image as a line of a table. */
export const imageRow = (image: Image): string[] => [
  image.name,
  image.kind,
  image.format ?? '-',
  image.kind === 'unknown' ? '-' : formatSize(image.virtualSizeBytes),
  formatSize(image.fileSizeBytes),
  image.referenced ? image.path : 'in the library'
]

const wayOut = ({ name, missing }: Image): string =>
  missing ? `Say where it is now: strata image find ${shellQuote(name)} FILE` : `Put that right, or remove it: strata image remove ${shellQuote(name)}`

/** Below the table: the images that cannot be used, and why. */
export const imageProblems = (images: readonly Image[], paint: Paint): string =>
  images
    .filter((image) => image.problem !== undefined)
    .map((image) => `${paint.red(`${image.name} cannot be used:`)} ${image.problem} ${wayOut(image)}\n`)
    .join('')
