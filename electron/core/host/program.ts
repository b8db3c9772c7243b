import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'

export interface PathEnvironment {
  PATH?: string | undefined
}

/** Where a program is that can be run, looked up as execvp(3) does; null when there is none. */
export function findProgram(name: string, environment: PathEnvironment): string | null {
  if (name.includes('/')) return canRun(name) ? name : null
  for (const folder of (environment.PATH ?? '').split(delimiter)) {
    if (!isAbsolute(folder)) continue // what a relative folder means depends on where one stands
    const path = join(folder, name)
    if (canRun(path)) return path
  }
  return null
}

function canRun(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false // not there, or not for us
  }
}
