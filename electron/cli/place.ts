import { realpathSync } from 'node:fs'
import { libraryRoot, runtimePaths, runtimeRoot } from '#core/library/paths'

export interface Place {
  library: string
  ownerSocket: string
}

/** Where the library of this environment is, and where its owner listens. Makes nothing. */
export function findPlace(environment: NodeJS.ProcessEnv): Place {
  const wanted = libraryRoot(environment)
  const library = existing(wanted) ?? wanted
  return { library, ownerSocket: runtimePaths(runtimeRoot(environment, library)).ownerSocket }
}

/** A library that is not there yet has no owner either; whoever opens it makes it. */
function existing(path: string): string | null {
  try {
    return realpathSync(path)
  } catch {
    return null
  }
}
