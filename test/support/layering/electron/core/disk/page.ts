import { memory } from '#core/machine/memory'

export const page: number = typeof memory === 'number' ? 4096 : 0
