import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const NATIVE = join(import.meta.dirname, '../../native')

describe('the ring under a sanitizer', () => {
  it('says nothing of memory and undefined behaviour, with hostile clients among honest ones', async () => {
    // `make check` on its own takes longer, and looks for races too.
    const env = { ...process.env, HOSTILE_SECONDS: '1' }
    const { stdout } = await promisify(execFile)('make', ['-C', NATIVE, 'check-asan'], { env, maxBuffer: 2 ** 26 })
    expect(stdout).toContain('check: AddressSanitizer and UndefinedBehaviorSanitizer are content')
  }, 240_000)
})
