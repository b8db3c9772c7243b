/** Breaks contract-alone: reaches into the core. */
export { memory } from '#core/machine/memory'
