import { describe, expect, it } from 'vitest'
import { Failure, operations, type ImageRecord, type InputOf } from '#contract'
import { editDefinition, pendingChanges, planMachine } from '#core/machine/definition'

const GiB = 2 ** 30
const limits = { cpus: 2, memoryBytes: 8 * GiB }
const disk: ImageRecord = {
  schemaVersion: 1,
  id: 'debian-1',
  name: 'debian',
  kind: 'disk',
  path: '/img/debian.qcow2',
  referenced: false,
  format: 'qcow2',
  virtualSizeBytes: 2 * GiB,
  fileSizeBytes: 1000,
  addedAtMs: 0,
  note: ''
}
const guest: ImageRecord = { ...disk, id: 'builtin-1', name: 'builtin', kind: 'guest', virtualSizeBytes: GiB / 2, boot: { kernel: '/k', initrd: '/i', commandLine: 'quiet' } }
const plan = (input: InputOf<'machine.create'>, image: ImageRecord | null = guest) => planMachine(operations['machine.create'].input.parse(input), image, limits, 1)
const edit = (input: Omit<InputOf<'machine.edit'>, 'machine'>, start: InputOf<'machine.create'> = { name: 'a' }) =>
  editDefinition(plan(start).definition, operations['machine.edit'].input.parse({ machine: 'a', ...input }), limits)
const field = (act: () => unknown): string => {
  try {
    act()
  } catch (error) {
    if (error instanceof Failure && error.error.code === 'bad-input') return error.error.field
    throw error
  }
  return 'nothing was refused'
}

describe('a new machine', () => {
  it('boots unedited from the built-in guest: an overlay of 1 GiB, a user network, a screen', () => {
    const { definition, disks } = plan({ name: 'lab1' })
    expect(definition).toMatchObject({ cpus: 2, memoryBytes: 256 * 2 ** 20, display: true, firmware: 'bios', kernel: { kernel: '/k' } })
    expect(disks).toMatchObject([{ kind: 'overlay', disk: { id: 'disk0', sizeBytes: GiB, image: { path: '/img/debian.qcow2', format: 'qcow2' } } }])
    expect(definition.nics).toMatchObject([{ network: { kind: 'user' }, forwards: [] }])
  })
  it('gets an empty disk without a source, and none when its size is 0', () => {
    expect(plan({ name: 'a', source: 'none' }, null).disks).toMatchObject([{ kind: 'empty', disk: { sizeBytes: 20 * GiB } }])
    expect(plan({ name: 'a', source: 'none', disk: 0 }, null).disks).toEqual([])
  })
  it('gets a CD drive with an ISO', () => {
    const { definition } = plan({ name: 'a' }, { ...disk, kind: 'iso', format: 'raw', path: '/img/a.iso' })
    expect(definition.cdroms).toEqual([{ path: '/img/a.iso', imageId: 'debian-1' }])
    expect(definition.disks).toHaveLength(1)
  })
  it('copies the image whole when asked to', () => expect(plan({ name: 'a', copy: true }, disk).disks).toMatchObject([{ kind: 'copy', disk: { image: null } }]))
  it('passes on what a cloud image’s seed needs', () => {
    const { definition } = plan({ name: 'Übung 3', user: 'ada', sshKey: ['ssh-ed25519 AAAA'] }, { ...disk, kind: 'cloud' })
    expect(definition.cloudInit).toEqual({ hostname: 'ubung-3', user: 'ada', sshKeys: ['ssh-ed25519 AAAA'] })
  })
  it('never has the MAC address of another', () => {
    const macs = new Set(Array.from({ length: 50 }, () => plan({ name: 'a' }).definition.nics[0]!.mac))
    expect(macs.size).toBe(50)
  })
  it.each<[string, InputOf<'machine.create'>, ImageRecord | null, string]>([
    ['a disk smaller than its image', { name: 'a', disk: '1G' }, disk, 'disk'],
    ['too little memory', { name: 'a', memory: '16M' }, guest, 'memory'],
    ['more memory than the host has', { name: 'a', memory: '1T' }, guest, 'memory'],
    ['far more processors than the host has', { name: 'a', cpus: 17 }, guest, 'cpus'],
    ['a forward without a user network', { name: 'a', network: ['isolated:lab'], forward: ['tcp:1:1'] }, guest, 'forward'],
    ['a host port forwarded twice', { name: 'a', forward: ['tcp:2222:22', 'tcp:2222:23'] }, guest, 'forward']
  ])('is refused with %s, naming the field', (_what, input, image, expected) => expect(field(() => plan(input, image))).toBe(expected))
})

describe('an edited machine', () => {
  it('keeps what is not named', () => {
    const edited = edit({ cpus: 1 }, { name: 'a', memory: '512M', tag: ['course'], forward: ['tcp:2222:22'] })
    expect(edited).toMatchObject({ cpus: 1, memoryBytes: 512 * 2 ** 20, tags: ['course'] })
    expect(edited.nics[0]!.forwards).toHaveLength(1)
  })
  it('keeps the MAC address of an interface whose network changes', () => {
    const before = plan({ name: 'a' }).definition
    const after = editDefinition(before, operations['machine.edit'].input.parse({ machine: 'a', network: ['isolated:lab', 'user'] }), limits)
    expect(after.nics[0]).toMatchObject({ mac: before.nics[0]!.mac, network: { kind: 'isolated', name: 'lab' } })
  })
  it('drops forwards with the last user network', () => expect(edit({ network: [] }, { name: 'a', forward: ['tcp:2222:22'] }).nics).toEqual([]))
  it('says in words what waits for the next start', () => {
    const before = plan({ name: 'a' }).definition
    expect(pendingChanges({ ...before, cpus: 1, memoryBytes: GiB, notes: 'new' }, before)).toEqual(['processors', 'memory'])
  })
})
