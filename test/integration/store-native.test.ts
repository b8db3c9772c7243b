import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { scratchFolder } from '../support/scratch'

const SOURCES = join(import.meta.dirname, '../../native/store')

it.each(['address,undefined', 'thread'])('the native half of the store is sound under the sanitizer for %s', (sanitizer) => {
  const program = join(scratchFolder(), 'test')
  const sources = ['test.c', 'writer.c', 'reader.c', 'index.c', 'blake3.c']
  execFileSync('cc', ['-std=gnu11', '-g', '-O1', '-Wall', '-Wextra', '-Werror', '-Wno-psabi', `-fsanitize=${sanitizer}`, '-fno-sanitize-recover=all', '-o', program, ...sources, '-lzstd', '-pthread'], { cwd: SOURCES })
  // Address randomisation on new kernels leaves the thread sanitizer no room.
  expect(execFileSync('setarch', ['-R', program], { encoding: 'utf8' })).toBe('ok\n')
})
