import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const fpm = path.resolve(import.meta.dirname, '../../../scripts/package/fpm.mjs')
const folder = mkdtempSync(path.join(tmpdir(), 'fpm-'))
const at = (name) => path.join(folder, name)
const deb = at('x.deb')
const read = (...args) => execFileSync('dpkg-deb', args, { encoding: 'utf8' })
afterAll(() => rmSync(folder, { recursive: true }))

describe('the stand-in for fpm', () => {
  beforeAll(() => {
    mkdirSync(at('app'))
    writeFileSync(at('app/program'), '#!/bin/sh\n')
    chmodSync(at('app/program'), 0o700)
    writeFileSync(at('app/data'), 'data', { mode: 0o600 })
    writeFileSync(at('post'), '#!/bin/sh\n')
    const mappings = [`${at('app')}/=/opt/X`, `${at('app/data')}=/usr/share/x/data`]
    const options = [
      '--name',
      'x',
      '--version',
      '1.2',
      '--architecture',
      'all',
      '--maintainer',
      'N <n@localhost>',
      '--url',
      'about:blank',
      '--deb-compression',
      'gz'
    ]
    const description = ['--description', 'One line\n and more']
    execFileSync(fpm, [
      '-s',
      'dir',
      '--force',
      '-t',
      'deb',
      '-d',
      'a (>= 1)',
      '-d',
      'b | c',
      ...options,
      ...description,
      '--after-install',
      at('post'),
      '--package',
      deb,
      ...mappings
    ])
  })

  it('writes the fields, and no homepage that is none', () => {
    const control = read('--field', deb)
    expect(control).toContain('Package: x\nVersion: 1.2\nArchitecture: all\nMaintainer: N <n@localhost>\n')
    expect(control).toContain('Depends: a (>= 1), b | c\n')
    expect(control).toContain('Description: One line\n and more\n')
    expect(control).not.toContain('Homepage')
  })

  it("makes files root's, readable by all, and programs executable", () => {
    const list = read('--contents', deb)
    expect(list).toMatch(/^-rwxr-xr-x root\/root .* \.\/opt\/X\/program$/m)
    expect(list).toMatch(/^-rw-r--r-- root\/root .* \.\/opt\/X\/data$/m)
    expect(list).toMatch(/^-rw-r--r-- root\/root .* \.\/usr\/share\/x\/data$/m)
  })

  it('brings the maintainer scripts and the sums of the files', () => {
    expect(read('--info', deb, 'postinst')).toBe('#!/bin/sh\n')
    expect(read('--info', deb, 'md5sums')).toContain('8d777f385d3dfec8815d20f7496026dc  opt/X/data\n')
  })

  it.each([
    [['-t', 'rpm'], 'Debian packages only'],
    [['-t', 'deb', '--colour', 'red'], 'unknown option --colour']
  ])('refuses %j', (args, words) => {
    const run = spawnSync(fpm, args, { encoding: 'utf8' })
    expect(run.status).toBe(1)
    expect(run.stderr).toContain(words)
  })
})
