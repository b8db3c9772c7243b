import { failure, type Failure } from '#contract'

/** A system error about a file as a `Failure` that names the file. @param verb as in `could not be read` */
export function fileFailure(error: unknown, path: string, verb: string): Failure {
  const { code = 'EIO' } = error as NodeJS.ErrnoException
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return failure('no-space', `There is no space left on the disk that holds “${path}”.`, { path, next: 'Free some space and try again.', cause: error })
  }
  if (code === 'ENOENT') return failure('not-found', `“${path}” does not exist.`, { what: 'file', name: path, cause: error })
  return failure('file', `“${path}” could not be ${verb}.`, { path, errno: code, cause: error })
}
