import { existsSync } from 'node:fs'
import { page } from '../disk/page'

/** Breaks system-through-host (reads the file system) and core-no-cycles (page needs memory again). */
export const memory = existsSync('/proc/meminfo') ? page : 0
