import { CONSOLE_PASSWORD, failure, type CloudInit } from '#contract'
import { buildIso } from '../disk/iso'
import { writeFileAtomic } from '../host/files'

const SSH_KEY = /^(ssh-(?:rsa|ed25519)|ecdsa-sha2-nistp(?:256|384|521)|sk-(?:ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com) ([A-Za-z0-9+/]+={0,2})(?: [^\n]*)?$/
const HOSTNAME = /^(?!-)[A-Za-z0-9-]{1,63}(?<!-)$/

/** Throws `bad-input` naming the key that is none: a line such as `ssh-ed25519 AAAA... me@here`. */
export function checkSshKeys(keys: readonly string[]): void {
  keys.forEach((key, index) => {
    if (isSshKey(key.trim())) return
    const secret = key.includes('PRIVATE KEY')
    throw failure('bad-input', secret ? 'This is a private SSH key; a machine needs the public one.' : `“${key.slice(0, 40)}” is not a public SSH key.`, {
      field: `sshKey.${index}`,
      next: 'Give the one line of a file such as ~/.ssh/id_ed25519.pub.'
    })
  })
}

/** The encoded part repeats the type that stands before it. Source: RFC 4253, 6.6. */
function isSshKey(key: string): boolean {
  const [, type = '', encoded = ''] = SSH_KEY.exec(key) ?? []
  const blob = Buffer.from(encoded, 'base64')
  return type !== '' && blob.length > 4 + type.length + 4 && blob.readUInt32BE(0) === type.length && blob.toString('latin1', 4, 4 + type.length) === type
}

/**
 * Writes the NoCloud seed that a cloud image reads at its first boot: a small CD image labelled `cidata`. Its network is left
 * to cloud-init, which asks for an address on the first interface: no network-config says that to every distribution.
 * Source: cloud-init's documentation, "NoCloud" data source.
 * @param instanceId another one makes cloud-init run again
 * @throws bad-input (host name, SSH key), no-space, file
 */
export async function writeCloudInitSeed(path: string, cloudInit: CloudInit, instanceId: string): Promise<void> {
  checkSshKeys(cloudInit.sshKeys)
  if (!HOSTNAME.test(cloudInit.hostname)) {
    throw failure('bad-input', `“${cloudInit.hostname}” is not a host name.`, { field: 'hostname', next: 'Use letters, digits and hyphens, at most 63.' })
  }
  const files = [
    { name: 'meta-data', content: JSON.stringify({ 'instance-id': instanceId, 'local-hostname': cloudInit.hostname }) + '\n' },
    { name: 'user-data', content: userData(cloudInit) }
  ]
  await writeFileAtomic(path, buildIso('cidata', files, new Date()))
}

/** The files are YAML; JSON is YAML too, and needs no quoting rules of its own. */
function userData({ hostname, user, sshKeys }: CloudInit): string {
  const login = sshKeys.length > 0 ? { lock_passwd: true } : { lock_passwd: false, plain_text_passwd: CONSOLE_PASSWORD }
  const config = {
    hostname,
    manage_etc_hosts: true,
    users: ['default', { name: user, shell: '/bin/bash', sudo: 'ALL=(ALL) NOPASSWD:ALL', ...login, ssh_authorized_keys: sshKeys.map((key) => key.trim()) }],
    ssh_pwauth: false
  }
  return '#cloud-config\n' + JSON.stringify(config, null, 2) + '\n'
}
