import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { chmod, readFile } from 'node:fs/promises'
import { failure } from '#contract'
import { fileFailure, writeFileAtomic } from '#core/host/files'

const TOKEN = /^[0-9a-f]{64}$/

/**
 * The bearer token of the HTTP API: read from its file, or made (32 random bytes in hex) when there is none. Only this
 * user can read the file, also when somebody had loosened it. The caller owns the library, so nobody else makes it meanwhile.
 * @throws bad-file, file, no-space
 */
export async function ensureToken(path: string): Promise<string> {
  const found = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw fileFailure(error, path, 'read')
  })
  if (found === null) {
    const token = randomBytes(32).toString('hex')
    await writeFileAtomic(path, token + '\n', 0o600)
    return token
  }
  const token = found.trim()
  if (!TOKEN.test(token)) {
    throw failure('bad-file', `“${path}” does not hold a token.`, { path, next: 'Remove the file: a new token is made when the API starts.' })
  }
  await chmod(path, 0o600).catch((error: unknown) => {
    throw fileFailure(error, path, 'protected')
  })
  return token
}

/**
 * Whether an `Authorization` header carries the token. Digests are compared, in constant time: neither the length nor
 * a common beginning shows in how long it takes.
 */
export function carriesToken(header: string | undefined, token: string): boolean {
  const given = /^Bearer +([^ ]+) *$/i.exec(header ?? '')?.[1]
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given ?? ''), digest(token)) && given !== undefined
}
