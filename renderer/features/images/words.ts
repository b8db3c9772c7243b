import type { Image } from '#contract'

/** What people call an image. */
export const titleOf = (image: Image): string => (image.kind === 'guest' ? 'Built-in guest' : image.name)
