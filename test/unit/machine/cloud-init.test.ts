import { readFileSync, statSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { CONSOLE_PASSWORD } from '#contract'
import { checkSshKeys, writeCloudInitSeed } from '#core/machine/cloud-init'
import { failureOf, scratchFolder, smallFileSystem } from '../../support/scratch'

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHUD2QM4xOVg1RNCkn3nqaYXjDiLVZrb1Zc4RxAqQfGu'

/** The part of a seed that is this JSON, found by its first bytes. */
function jsonAfter(seed: string, mark: string): unknown {
  const text = readFileSync(seed, 'latin1')
  const from = text.indexOf(mark)
  expect(from).toBeGreaterThan(0)
  return JSON.parse(Buffer.from(text.slice(text.indexOf('{', from), text.indexOf('\0', from)), 'latin1').toString())
}

describe('a cloud-init seed', () => {
  test('gives host name, user, keys and instance to the guest', async () => {
    const seed = join(scratchFolder(), 'seed ü.iso')
    await writeCloudInitSeed(seed, { hostname: 'lab1', user: 'ada', sshKeys: [`${KEY} "ada": 'büro' #1\n`] }, 'instance-7')
    expect(jsonAfter(seed, '{"instance-id"')).toEqual({ 'instance-id': 'instance-7', 'local-hostname': 'lab1' })
    expect(jsonAfter(seed, '#cloud-config\n')).toEqual({
      hostname: 'lab1',
      manage_etc_hosts: true,
      users: ['default', { name: 'ada', shell: '/bin/bash', sudo: 'ALL=(ALL) NOPASSWD:ALL', lock_passwd: true, ssh_authorized_keys: [`${KEY} "ada": 'büro' #1`] }],
      ssh_pwauth: false
    })
    expect(statSync(seed).mode & 0o777).toBe(0o600)
  })

  test('without a key lets the user in at the console, and there alone', async () => {
    const seed = join(scratchFolder(), 'seed.iso')
    await writeCloudInitSeed(seed, { hostname: 'lab1', user: 'ada', sshKeys: [] }, 'i')
    expect(jsonAfter(seed, '#cloud-config\n')).toMatchObject({
      users: ['default', { name: 'ada', lock_passwd: false, plain_text_passwd: CONSOLE_PASSWORD, ssh_authorized_keys: [] }],
      ssh_pwauth: false
    })
  })

  test('is refused for what is no host name, and on a full disk leaves nothing', async ({ skip }) => {
    const folder = scratchFolder()
    for (const hostname of ['', '-a', 'a-', 'a b', 'a.b', 'ü', 'a'.repeat(64), 'a\nb']) {
      expect((await failureOf('bad-input', writeCloudInitSeed(join(folder, 'seed'), { hostname, user: 'a', sshKeys: [] }, 'i'))).field).toBe('hostname')
    }
    const small = smallFileSystem(16 * 1024)
    if (!small) return skip('mounting a file system needs root')
    await failureOf('no-space', writeCloudInitSeed(join(small, 'seed'), { hostname: 'a', user: 'a', sshKeys: [] }, 'i'))
  })
})

describe('SSH keys', () => {
  test.each([
    ['ed25519', 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH9RcsSWGCZd4Hk2eRzEI1GhWOGUViOlc9woQ8hpITos me@here, ü'],
    ['rsa', 'ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC5SBfI/7NUAaO9Vo+xKMB04b+LOXv7dXsBe0liCRBAJUOn5uAAI6PqNcHwT4QTlj+GiiYBu0qUFbT+SZpcbEcFAbviWQf24BHYWMt4xTyrGTasO3Snw5OTtTlVtmOjOHrsCGdFsT9/6JEcWLPQ3wPr0J2rjjjKHq9ME/xj+v70M6V+Tj+fW+WY1iKuE3p9/Ii+sM7eFrnv4AEki8mpeUx/MXLt9DN1eP0xOuhsHinfigkVwOIZsvYmlv8QCjMM5luulLbmIpdU8zNfW8cx37oAYmgFwHIC8GucHbA4C/B8zsX4UzUAwl/a6fd68HflA/FGRg9FgHz/KZ3vVgQ/kzHf me@here, ü'],
    ['ecdsa', 'ecdsa-sha2-nistp521 AAAAE2VjZHNhLXNoYTItbmlzdHA1MjEAAAAIbmlzdHA1MjEAAACFBAGUlgsPCLkyVd7gZkORiKRd/t9qP0KUb7lXTFHhOkZG6wM4EF0rGazL/yzblwn95r+LB7IGXmXqMjDkmu1JzFjp2gFrN9+OoXfrAZ2thtAh9QBXTl1a5M+S1uot5t/cXL59vOdzs3ZK+t4+FI1yAiF7/wcjjcSWPLDKEkU9FdohCQR5Eg== me@here, ü']
  ])('made by ssh-keygen are taken: %s', (_kind, key) => {
    checkSshKeys([key, `${key}\n`, key.split(' ').slice(0, 2).join(' ')])
  })

  test.each([
    ['nothing', ''],
    ['a word', 'key'],
    ['options before it', `command="sh" ${KEY}`],
    ['two lines', `${KEY}\n${KEY}`],
    ['another type than it holds', KEY.replace('ssh-ed25519', 'ssh-rsa')],
    ['half a key', KEY.slice(0, 30)],
    ['letters that are not base64', KEY.replace('AAAA', 'AA!A')]
  ])('%s is refused, with the place of it', async (_what, key) => {
    checkSshKeys([KEY])
    expect((await failureOf('bad-input', () => checkSshKeys([KEY, key]))).field).toBe('sshKey.1')
  })

  test('a private key is not repeated in the error', async () => {
    const error = await failureOf('bad-input', () => checkSshKeys(['-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA']))
    expect(JSON.stringify(error)).not.toContain('b3Blb')
    expect(error.message).toContain('private')
  })
})

test('a seed has the label and the type that cloud-init searches for', async () => {
  const seed = join(scratchFolder(), 'seed.iso')
  await writeCloudInitSeed(seed, { hostname: 'lab1', user: 'ada', sshKeys: [KEY] }, 'instance-7')
  expect(execFileSync('blkid', ['--probe', '--output', 'export', seed], { encoding: 'utf8' })).toMatch(/LABEL=cidata\n[^]*TYPE=iso9660/)
})
