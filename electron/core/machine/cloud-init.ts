import { join } from 'node:path'
import { failure, type CloudInit } from '#contract'
import { removeTree, writeFileAtomic } from '../host/files'
import { run } from '../host/process'

const SSH_KEY = /^(ssh-(rsa|ed25519|dss)|ecdsa-sha2-nistp(256|384|521)|sk-(ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com) [A-Za-z0-9+/]+={0,3}( .*)?$/

/** Throws `bad-input` naming the key that is none. */
export function checkSshKeys(keys: readonly string[]): void {
  keys.forEach((key, index) => {
    if (SSH_KEY.test(key.trim())) return
    throw failure('bad-input', `“${key.slice(0, 40)}” is not a public SSH key.`, { field: `sshKey.${index}`, next: 'Give the one line of a file such as ~/.ssh/id_ed25519.pub.' })
  })
}

/**
 * Writes the NoCloud seed that a cloud image reads at its first boot: a small ISO labelled `cidata`.
 * Source: cloud-init's documentation, "NoCloud" data source. Its files are YAML; JSON is YAML too, and needs no quoting rules.
 * @param instanceId another one makes cloud-init run again
 * @param scratch an empty folder
 */
export async function writeCloudInitSeed(seed: string, cloudInit: CloudInit, instanceId: string, scratch: string): Promise<void> {
  const { hostname, user, sshKeys } = cloudInit
  const userData = {
    hostname,
    manage_etc_hosts: true,
    users: [
      'default',
      { name: user, shell: '/bin/bash', sudo: 'ALL=(ALL) NOPASSWD:ALL', lock_passwd: true, ssh_authorized_keys: sshKeys.map((key) => key.trim()) }
    ],
    ssh_pwauth: false
  }
  try {
    await writeFileAtomic(join(scratch, 'meta-data'), JSON.stringify({ 'instance-id': instanceId, 'local-hostname': hostname }) + '\n')
    await writeFileAtomic(join(scratch, 'user-data'), '#cloud-config\n' + JSON.stringify(userData, null, 2) + '\n')
    await run('genisoimage', ['-quiet', '-output', seed, '-volid', 'cidata', '-joliet', '-rock', join(scratch, 'meta-data'), join(scratch, 'user-data')])
  } finally {
    await removeTree(scratch)
  }
}
