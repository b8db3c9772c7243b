import { homedir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

/** The checkout's top folder. */
export const TOP = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')
/** A path in the checkout. */
export const inTop = (...parts) => path.join(TOP, ...parts)
/** What set-up made and another clone can use again: `$XDG_CACHE_HOME/strata`, by default `~/.cache/strata`. */
export const CACHE = path.join(process.env.XDG_CACHE_HOME || path.join(homedir(), '.cache'), 'strata')
