import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const NATIVE = join(import.meta.dirname, '../../native')

describe('the ring under sanitizers', () => {
  it('says nothing of memory, undefined behaviour and races, with hostile clients among honest ones', async () => {
    // `make check` on its own takes longer: npm run soak -- ring is for that.
    const env = { ...process.env, HOSTILE_SECONDS: '1' }
    const { stdout } = await promisify(execFile)('make', ['-j2', '-C', NATIVE, 'check'], { env, maxBuffer: 2 ** 26 })
    expect(stdout).toContain('check: AddressSanitizer and UndefinedBehaviorSanitizer are content')
    expect(stdout).toContain('check: ThreadSanitizer is content')
  }, 240_000)
})
