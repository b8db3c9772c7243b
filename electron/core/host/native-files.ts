import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { failure } from '#contract'

/**
 * What was compiled for Strata: among the packaged app's resources, beside the bundle (out/main -> out/native), or below the source's own folder.
 * @throws unsupported when it was not built
 */
export function nativeFile(name: string): string {
  const packaged = (process as { resourcesPath?: string }).resourcesPath
  const above = ['..', '../../..'].map((up) => join(__dirname, up, up === '..' ? 'native' : 'out/native', name))
  const found = [...(packaged ? [join(packaged, 'native', name)] : []), ...above].find((path) => existsSync(path))
  if (!found) throw failure('unsupported', `Strata’s own ${name} has not been built.`, { next: 'Run “npm run setup”: it builds it.' })
  return found
}
