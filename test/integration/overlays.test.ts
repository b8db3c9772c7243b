import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Disk, DiskView } from '#contract'
import { failureIn, openLab, until, type Lab } from '../support/lab'
import { readPattern, writePattern } from '../support/pattern'

const MiB = 2 ** 20
const D = { machine: 'lab1', disk: 'disk0' }

let lab: Lab
const disk = async (): Promise<Disk> => (await lab.call('disk.show', D)).disk
const view = (): Promise<DiskView> => lab.call('disk.show', D)
const names = async (): Promise<string[]> => (await disk()).layers.map((layer) => layer.nodeName)
const states = async (): Promise<string[]> => (await lab.call('overlay.history', D)).map((entry) => `${entry.sequence} ${entry.state}`)
/** Writes to, and reads from, the disk of a machine that is off, as its guest would. */
const write = async (letter: string, at: number, bytes = MiB): Promise<void> => writePattern(await view(), letter, at, bytes)
const reads = async (letter: string, at: number, bytes = MiB): Promise<void> => readPattern(await view(), letter, at, bytes)
const filesOnDisk = (): string[] => readdirSync(join(lab.home, 'library/machines/lab1/disks')).sort()

/** QEMU has these layers open, and no others. */
async function expectOpen(nodeNames: string[]): Promise<void> {
  const answer = await lab.call('qmp.run', { machine: 'lab1', command: 'query-named-block-nodes', arguments: { flat: true } })
  const open = (answer.return as { 'node-name': string }[]).map((node) => node['node-name'])
  expect(open.sort()).toEqual(nodeNames.flatMap((name) => [name, `${name}-file`]).sort())
}

beforeEach(async () => {
  lab = await openLab()
  await lab.done('machine.create', { name: 'lab1', source: 'none', disk: '64M', memory: '64M', cpus: 1, network: [] })
})

describe('the disk of a machine that is off', () => {
  it('is committed, undone and redone, and every state has the bytes it had', async () => {
    await write('a', 0)
    await lab.done('overlay.commit', { ...D, note: 'first' })
    await lab.done('overlay.create', D)
    await write('b', 0)
    await write('b', 8 * MiB)
    await lab.done('overlay.renew', { ...D, note: 'second' })
    await reads('b', 0)
    await lab.done('overlay.undo', D)
    await reads('a', 0)
    await reads('\0', 8 * MiB)
    expect(await states()).toEqual(['1 applied', '2 undone'])
    await lab.done('overlay.undo', { ...D, to: 1 })
    await reads('\0', 0)
    await lab.done('overlay.redo', { ...D, to: 2 })
    await reads('b', 0)
    await reads('b', 8 * MiB)
    expect(await states()).toEqual(['1 applied', '2 applied'])
  })

  it('keeps what is not committed from being lost by going back', async () => {
    await write('a', 0)
    await lab.done('overlay.renew', D)
    await write('b', 0)
    const error = failureIn(await lab.ended('overlay.undo', D))
    expect(error).toMatchObject({ code: 'wrong-state', message: expect.stringContaining('not committed') as string })
    await reads('b', 0)
    await lab.done('overlay.undo', { ...D, discard: true })
    await reads('\0', 0)
  })

  it('gives up what was undone only when that is said', async () => {
    await write('a', 0)
    await lab.done('overlay.renew', D)
    await lab.done('overlay.undo', D)
    await write('c', 0)
    expect(failureIn(await lab.ended('overlay.commit', D)).message).toContain('gives up commit 1')
    await lab.done('overlay.commit', { ...D, forget: true })
    expect(await states()).toEqual(['1 forgotten', '2 applied'])
    await reads('c', 0)
    expect(failureIn(await lab.ended('overlay.redo', D)).code).toBe('wrong-state')
  })

  it('gives up what was undone before the layer that it stands on is merged into', async () => {
    await write('a', 0)
    await lab.done('overlay.renew', D)
    await write('b', 0)
    await lab.done('overlay.renew', D)
    await lab.done('overlay.undo', { ...D, to: 2 })
    await write('c', 0)
    expect(failureIn(await lab.ended('overlay.commit', { ...D, history: false })).message).toContain('gives up commit 2')
    await lab.done('overlay.commit', { ...D, history: false, forget: true })
    expect(await states()).toEqual(['1 applied', '2 forgotten'])
    expect(filesOnDisk()).toEqual(['disk0.qcow2'])
    await reads('c', 0)
  })

  it('goes back to a time', async () => {
    await write('a', 0)
    await lab.done('overlay.renew', D)
    const between = new Date().toISOString()
    await new Promise((resolve) => setTimeout(resolve, 20))
    await write('b', 0)
    await lab.done('overlay.renew', D)
    await lab.done('overlay.undo', { ...D, at: between })
    await reads('a', 0)
    expect(failureIn(await lab.ended('overlay.undo', { ...D, at: 'someday' }))).toMatchObject({ code: 'bad-input', field: 'at' })
  })

  it('merges for good without a history, and removes the file', async () => {
    await write('a', 0)
    await lab.done('overlay.create', D)
    await write('b', MiB)
    await lab.done('overlay.commit', { ...D, history: false })
    expect(filesOnDisk()).toEqual(['disk0.qcow2'])
    await reads('a', 0)
    await reads('b', MiB)
    expect(failureIn(await lab.ended('overlay.commit', { ...D, history: false })).message).toContain('only layer')
  })

  it('says of a commit that more was merged into what it changes since', async () => {
    await write('a', 0)
    await lab.done('overlay.renew', D)
    await write('b', 8 * MiB, 4 * MiB)
    await lab.done('overlay.commit', { ...D, history: false })
    const [first] = await lab.call('overlay.history', D)
    expect(first).toMatchObject({ sequence: 1, state: 'applied' })
    expect(first!.bytes).toBeGreaterThan(5 * MiB)
  })

  it('merges several layers into one further down', async () => {
    const [first] = await names()
    for (const letter of ['a', 'b', 'c']) {
      await write(letter, 0, 2 * MiB)
      await lab.done('overlay.create', D)
    }
    await write('d', 0)
    await lab.done('overlay.commit', { ...D, into: first! })
    expect(await names()).toEqual([first])
    await reads('d', 0)
    await reads('c', MiB)
    expect(failureIn(await lab.ended('overlay.commit', { ...D, into: 'nobody' })).code).toBe('not-found')
  })

  it('merges the oldest commits when the history takes more than it may, and says so', async () => {
    await lab.call('settings.edit', { historyBudget: '5M' })
    for (const letter of ['a', 'b', 'c', 'd']) {
      await write(letter, 0, 3 * MiB)
      await lab.done('overlay.renew', D)
    }
    expect(await states()).toEqual(['1 applied', '2 merged', '3 merged', '4 applied'])
    expect((await view()).historyBytes).toBeLessThan(5 * MiB)
    await lab.done('overlay.undo', D)
    await reads('c', 0, 3 * MiB)
  })

  it('throws away what was written since, and goes on on the layer below', async () => {
    await write('a', 0)
    await lab.done('overlay.create', D)
    await write('b', 0)
    await lab.done('overlay.discard', D)
    await reads('a', 0)
    expect(filesOnDisk()).toHaveLength(2)
  })

  it('is flattened, and stands on nothing', async () => {
    await write('a', 0)
    await lab.done('overlay.renew', D)
    await write('b', MiB)
    expect(failureIn(await lab.ended('disk.flatten', D)).message).toContain('history')
    await lab.done('disk.flatten', { ...D, forget: true })
    expect(await names()).toHaveLength(1)
    await reads('a', 0)
    await reads('b', MiB)
    expect(filesOnDisk()).toHaveLength(1)
  })

  it('is clean by qemu-img, header and record agreeing, after all of it', async () => {
    await write('a', 0)
    await lab.done('overlay.renew', D)
    await write('b', 0)
    await lab.done('overlay.create', D)
    await write('c', 0)
    await lab.done('overlay.commit', { ...D, history: false })
    await lab.done('overlay.undo', { ...D, discard: true })
    await lab.done('overlay.redo', D)
    const { files } = await lab.done('disk.check', D)
    expect(files.every((file) => file.problems === null && file.leakedClusters === 0)).toBe(true)
    for (const file of (await view()).files) {
      const info = JSON.parse(execFileSync('qemu-img', ['info', '--output=json', file.path], { encoding: 'utf8' })) as { 'backing-filename'?: string }
      expect(info['backing-filename'] ?? null).toBe(file.backing)
    }
  })

  it('notices when somebody else writes to a layer that others stand on', async () => {
    await write('a', 0)
    await lab.done('overlay.renew', D)
    await lab.done('machine.start', { machine: 'lab1' })
    await lab.done('machine.stop', { machine: 'lab1', force: true })
    const base = (await view()).files[1]!
    // Into clusters that exist already: header and L1 table stay as they are, and its time alone tells.
    execFileSync('qemu-io', ['-f', 'qcow2', '-c', 'write -q -P 0x61 0 1M', base.path])
    expect((await view()).files[1]!.health.kind).toBe('changed')
    expect(failureIn(await lab.ended('machine.start', { machine: 'lab1' }))).toMatchObject({ code: 'bad-file', path: base.path })
    // Who knows that it is as it was, says so.
    expect(failureIn(await lab.ended('disk.find', { ...D, path: base.path })).code).toBe('wrong-state')
    await lab.done('disk.find', { ...D, path: base.path, unchecked: true })
    expect((await view()).files[1]!.health.kind).toBe('ok')
    execFileSync('qemu-io', ['-f', 'qcow2', '-c', 'write -q -P 0x7a 32M 1M', base.path])
    expect(failureIn(await lab.ended('machine.start', { machine: 'lab1' }))).toMatchObject({ code: 'bad-file', path: base.path })
    expect(failureIn(await lab.ended('disk.find', { ...D, path: base.path, unchecked: true }))).toMatchObject({ code: 'bad-file' })
  })

  it('is not started or deleted while something is done to it', async () => {
    await write('a', 0, 48 * MiB)
    await lab.done('overlay.create', D)
    const { taskId } = await lab.call('disk.flatten', D)
    await until(lab, async () => (await lab.call('task.show', { taskId })).phase !== '') // it has the disk now
    const start = failureIn(await lab.ended('machine.start', { machine: 'lab1' }))
    expect(start.code).toBe('in-use')
    expect((await lab.call('task.wait', { taskId })).state.kind).toBe('done')
  })
})

describe('the disk of a machine that runs', () => {
  it('gets overlays and commits under QEMU, is merged, and is right when the machine is off', async () => {
    await write('a', 0, 4 * MiB)
    await lab.done('machine.start', { machine: 'lab1' })
    // For good: the guest goes on with the layer below itself.
    await lab.done('overlay.create', D)
    await lab.done('overlay.commit', { ...D, history: false })
    expect(await names()).toEqual(['disk0-1'])
    await expectOpen(['disk0-1'])
    expect((await lab.machine('lab1')).state.kind).toBe('running')
    // With a history: what is committed is under an overlay from then on.
    await lab.done('overlay.renew', { ...D, note: 'live' })
    await lab.done('overlay.create', D)
    await lab.done('overlay.renew', { ...D, history: false })
    await lab.done('overlay.create', D)
    await lab.done('overlay.commit', { ...D, into: 'disk0-1', forget: true })
    const [top, ...below] = await names()
    expect(below).toEqual(['disk0-1'])
    await expectOpen([top!, 'disk0-1'])
    expect(failureIn(await lab.ended('overlay.undo', D))).toMatchObject({ code: 'wrong-state', message: expect.stringContaining('running') as string })
    await lab.done('disk.flatten', { ...D, forget: true })
    await expectOpen([top!])
    await lab.done('machine.stop', { machine: 'lab1', force: true })
    await reads('a', 0, 4 * MiB)
    expect(filesOnDisk()).toHaveLength(1)
  })

  it('has all that was written while it was renewed for good', async () => {
    await write('a', 0, 48 * MiB)
    await lab.done('overlay.create', D)
    await write('b', 0, 40 * MiB)
    await lab.done('machine.start', { machine: 'lab1' })
    // As the guest's device would write, block after block, and what was written last is seen to have gone to the new layer.
    const guest = (command: string): Promise<{ output: string }> => lab.call('monitor.run', { machine: 'lab1', line: `qemu-io -d /machine/peripheral/disk0-device/virtio-backend "${command}"` })
    const { taskId } = await lab.call('overlay.renew', { ...D, history: false })
    const ended = lab.call('task.wait', { taskId })
    let over = false
    void ended.then(() => (over = true))
    let blocks = 0
    do expect((await guest(`write -q -P 0x63 ${(blocks++ % 700) * 64 + 4}k 4k`)).output).toBe('')
    while (!over || blocks < 64)
    expect((await ended).state.kind).toBe('done')
    expect((await guest('flush')).output).toBe('')
    const [top, ...below] = await names()
    expect(below).toEqual(['disk0-1'])
    await expectOpen([top!, 'disk0-1'])
    expect((await lab.machine('lab1')).state.kind).toBe('running')
    await lab.done('machine.stop', { machine: 'lab1', force: true })
    for (const block of [0, 1, 31, Math.min(blocks, 700) - 1]) {
      await reads('c', (block * 64 + 4) * 1024, 4096)
      await reads(block * 64 < 40 * 1024 ? 'b' : 'a', (block * 64 + 8) * 1024, 4096)
    }
    await reads('b', 39 * MiB + 8192, 4096)
    expect(filesOnDisk()).toHaveLength(2)
  })

  it('is thrown away after a temporary run, or kept', async () => {
    await write('a', 0)
    await lab.done('machine.start', { machine: 'lab1', temporary: true })
    await lab.done('machine.stop', { machine: 'lab1', force: true })
    expect((await disk()).layers.map((layer) => layer.temporary)).toEqual([true, false])
    await write('b', 0)
    await lab.done('overlay.keep', { ...D, note: 'kept' })
    expect((await disk()).layers[0]).toMatchObject({ temporary: false, note: 'kept' })
    expect(failureIn(await lab.ended('overlay.keep', D)).code).toBe('wrong-state')
    await lab.done('machine.start', { machine: 'lab1', temporary: true })
    await lab.done('machine.stop', { machine: 'lab1', force: true })
    await lab.done('overlay.discard', D)
    await reads('b', 0)
  })
})
