/** Breaks renderer-contract-only, through the package's own name for the core. */
export { page } from '#core/disk/page'
