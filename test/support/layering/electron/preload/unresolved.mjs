/** Breaks resolvable. */
export * from './not-there.mjs'
