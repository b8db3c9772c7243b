import { describe, expect, it } from 'vitest'
import type { MachineDefinition } from '#contract'
import { buildCommandLine, hostnameOf, type LaunchContext } from '#core/machine/command-line'
import { machinePaths, machineRuntimePaths } from '#core/library/paths'
import { newDisk } from '#core/disk/stack'

const base: MachineDefinition = {
  schemaVersion: 1,
  id: '8f1b6f0e-8f55-4a3c-9d0a-0f6f0f3f7a11',
  name: 'lab1',
  createdAtMs: 0,
  notes: '',
  tags: [],
  cpus: 2,
  memoryBytes: 256 * 2 ** 20,
  accelerator: 'auto',
  firmware: 'bios',
  tpm: false,
  display: true,
  sharedMemory: false,
  kernel: null,
  disks: [newDisk('disk0', 2 ** 30, null, 0)],
  cdroms: [],
  nics: [{ mac: '52:54:00:00:00:01', network: { kind: 'user' }, forwards: [] }],
  cloudInit: null
}
const context: LaunchContext = {
  accelerator: 'tcg',
  paths: machinePaths('/lib/machines/lab1'),
  runtime: machineRuntimePaths('/run/s/8f1b6f0e'),
  uefiCode: null,
  switches: {},
  paused: false,
  incoming: null
}
const guest = { kernel: '/img/vmlinuz', initrd: '/img/initrd', commandLine: 'console=ttyS0 quiet' }
const overlay = newDisk('disk0', 2 ** 30, { path: '/img/base.qcow2', format: 'qcow2', imageId: 'builtin-1' }, 0)

/** One option a line, so that a change to a golden file reads as what it is. */
const asText = (args: string[]): string => args.reduce((text, word) => text + (word.startsWith('-') && text !== '' ? '\n' : text === '' ? '' : ' ') + word, '') + '\n'

describe('the QEMU command line', () => {
  const cases: [string, MachineDefinition, LaunchContext][] = [
    ['empty-machine', base, context],
    ['builtin-guest', { ...base, kernel: guest, disks: [overlay] }, context],
    ['kvm', base, { ...context, accelerator: 'kvm' }],
    ['uefi-and-tpm', { ...base, firmware: 'uefi', tpm: true }, { ...context, uefiCode: '/usr/share/OVMF/OVMF_CODE_4M.fd' }],
    ['no-display', { ...base, display: false }, context],
    ['shared-memory', { ...base, sharedMemory: true }, context],
    ['iso', { ...base, cdroms: [{ path: '/img/debian.iso', imageId: 'debian' }] }, context],
    ['cloud-image', { ...base, disks: [overlay], cloudInit: { hostname: 'lab1', user: 'strata', sshKeys: [] } }, context],
    ['raw-disk', { ...base, disks: [newDisk('disk0', 2 ** 30, null, 0, 'raw')] }, context],
    [
      'networks',
      {
        ...base,
        nics: [
          { mac: '52:54:00:00:00:01', network: { kind: 'user' }, forwards: [{ protocol: 'tcp', hostAddress: '127.0.0.1', hostPort: 2222, guestPort: 22 }, { protocol: 'udp', hostAddress: '0.0.0.0', hostPort: 5353, guestPort: 53 }] },
          { mac: '52:54:00:00:00:02', network: { kind: 'isolated', name: 'lab' }, forwards: [] },
          { mac: '52:54:00:00:00:03', network: { kind: 'bridge', name: 'br0' }, forwards: [] }
        ]
      },
      { ...context, switches: { lab: '/run/s/net-lab/ports' } }
    ],
    ['standing-by', { ...base, disks: [overlay] }, { ...context, paused: true, incoming: { ram: '/lib/s/1/ram', devices: '/lib/s/1/devices', machineType: 'pc-q35-7.2', plugged: {}, deferred: true } }],
    ['no-devices', { ...base, disks: [], nics: [], display: false }, { ...context, paused: true }],
    ['spaces-commas-unicode', { ...base, name: 'Übung 3' }, { ...context, paths: machinePaths('/lib, a/machines/Übung 3'), runtime: machineRuntimePaths('/run/s, t/8f1b6f0e') }]
  ]
  it.each(cases)('of %s is the golden one', async (name, definition, launch) => {
    await expect(asText(buildCommandLine(definition, launch))).toMatchFileSnapshot(`../../golden/command-lines/${name}.txt`)
  })

  it('never lets QEMU start programs, but for a bridge', () => {
    expect(buildCommandLine(base, context).join(' ')).toContain('spawn=deny')
    const bridged: MachineDefinition = { ...base, nics: [{ mac: '52:54:00:00:00:03', network: { kind: 'bridge', name: 'br0' }, forwards: [] }] }
    expect(buildCommandLine(bridged, context).join(' ')).toContain('spawn=allow')
  })
})

describe('the host name made of a machine’s name', () => {
  it.each([
    ['lab1', 'lab1'],
    ['Übung 3', 'ubung-3'],
    ['日本', 'guest'],
    ['a'.repeat(80), 'a'.repeat(63)],
    ['web.server_2', 'web-server-2']
  ])('%s gives %s', (name, expected) => expect(hostnameOf(name)).toBe(expected))
})
