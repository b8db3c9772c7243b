/** Breaks renderer-no-node. */
import { sep } from 'node:path'

export const table: string = sep
