import { dirname, join, sep } from 'node:path'

/**
 * Where the built-in guest is: beside the bundle in a clone (out/main, out/guest), among the resources of the packaged app.
 * @param programFolder the folder that holds strata.js
 */
export function guestFolder(environment: NodeJS.ProcessEnv, programFolder: string): string {
  if (environment.STRATA_GUEST) return environment.STRATA_GUEST
  const archive = programFolder.split(sep).findIndex((part) => part.endsWith('.asar'))
  return archive < 0 ? join(dirname(programFolder), 'guest') : join(programFolder.split(sep).slice(0, archive).join(sep), 'guest')
}
