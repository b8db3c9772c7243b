import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ensureToken } from '../../../electron/server/token'
import { failureOf, scratchFolder } from '../../support/scratch'

test('the token is made once, of 32 random bytes, readable by its user alone', async () => {
  const path = join(scratchFolder(), 'api-token')
  const token = await ensureToken(path)
  expect(token).toMatch(/^[0-9a-f]{64}$/)
  expect(readFileSync(path, 'utf8').trim()).toBe(token)
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(await ensureToken(path)).toBe(token)
})

test('a file that somebody opened to others is closed again', async () => {
  const path = join(scratchFolder(), 'api-token')
  const token = await ensureToken(path)
  chmodSync(path, 0o644)
  expect(await ensureToken(path)).toBe(token)
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

test('a file that holds something else is refused, not used as a token', async () => {
  const path = join(scratchFolder(), 'api-token')
  for (const content of ['', 'secret', 'A'.repeat(64)]) {
    writeFileSync(path, content)
    await failureOf('bad-file', ensureToken(path))
  }
})
