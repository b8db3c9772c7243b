import type { Manifest } from './command'
import { deriveManifest } from './derive'

/**
 * The commands that come from the contract. The build puts the finished data in the place of this module
 * (scripts/config/inline-manifest.ts), so that `strata` starts without the schema library, whose loading takes as long as Node's.
 */
export const manifest: Manifest = deriveManifest()
