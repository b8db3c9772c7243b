import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, renameSync, rmSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import type { ImageFile } from '#contract'
import { failureIn, openLab, type Lab } from '../support/lab'
import { readPattern, writePattern } from '../support/pattern'

const MiB = 2 ** 20
const D = { machine: 'lab1', disk: 'disk0' }

let lab: Lab
let away: string
beforeEach(async () => {
  lab = await openLab()
  away = join(lab.home, 'anderswo “neu”')
  mkdirSync(away)
})
const health = async (): Promise<string[]> => (await lab.call('disk.show', D)).files.map((file: ImageFile) => file.health.kind)
const find = (path: string, more: object = {}) => lab.ended('disk.find', { ...D, path, ...more })

async function onImage(reference: boolean): Promise<string> {
  const file = join(lab.home, 'base.qcow2')
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', file, '16M'])
  execFileSync('qemu-io', ['-c', `write -q -P 0x61 0 ${MiB}`, file])
  const image = await lab.done('image.import', { path: file, name: 'base', reference })
  for (const name of ['lab1', 'lab2']) await lab.done('machine.create', { name, source: 'base', memory: '64M', cpus: 1, network: [] })
  return image.path
}

describe('a file that a disk stands on and that is gone', () => {
  it('is used where it was moved to, by every machine, when it is the very file', async () => {
    const path = await onImage(true)
    renameSync(path, join(away, 'moved.qcow2'))
    expect(await health()).toEqual(['ok', 'missing'])
    expect(failureIn(await lab.ended('machine.start', { machine: 'lab1' }))).toMatchObject({ code: 'not-found', next: expect.stringContaining('disk find') as string })
    const other = join(away, 'changed.qcow2')
    copyFileSync(join(away, 'moved.qcow2'), other)
    execFileSync('qemu-io', ['-c', `write -q -P 0x62 8M 64k`, other])
    expect(failureIn(await find(other)).code).toBe('bad-file') // it has grown
    truncateSync(other, statSync(join(away, 'moved.qcow2')).size)
    expect(failureIn(await find(other))).toMatchObject({ code: 'wrong-state', message: expect.stringContaining('may have been written to') as string })
    expect(failureIn(await find(join(away, 'nothing'))).code).toBe('not-found')
    const found = await find(join(away, 'moved.qcow2'))
    expect(found.state.kind).toBe('done')
    expect(await health()).toEqual(['ok', 'ok'])
    for (const machine of ['lab1', 'lab2']) {
      readPattern(await lab.call('disk.show', { machine, disk: 'disk0' }), 'a', 0, MiB)
      await lab.done('machine.start', { machine, paused: true })
    }
    expect(failureIn(await find(join(away, 'moved.qcow2'))).message).toContain('where it belongs')
  })

  it('is found by the image’s name too, also where nothing stands on it', async () => {
    const file = join(lab.home, 'alone.qcow2')
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', file, '16M'])
    const image = await lab.done('image.import', { path: file, name: 'Prüfling 1', reference: true })
    const at = { image: image.name, path: join(away, 'moved.qcow2') }
    expect(failureIn(await lab.ended('image.find', { ...at, path: file }))).toMatchObject({ code: 'wrong-state', message: expect.stringContaining('where it belongs') as string })
    renameSync(file, at.path)
    expect((await lab.call('image.list', {})).find(({ id }) => id === image.id)).toMatchObject({ missing: true })
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', join(away, 'other'), '32M'])
    writeFileSync(join(away, 'no image'), 'hello')
    for (const other of ['other', 'no image']) {
      expect(failureIn(await lab.ended('image.find', { ...at, path: join(away, other) }))).toMatchObject({ code: 'bad-file', message: expect.stringContaining('is another file') as string })
    }
    const found = await lab.done('image.find', at)
    expect(found).toMatchObject({ path: at.path })
    expect(found).not.toHaveProperty('problem')
    await lab.done('machine.create', { name: 'lab1', source: image.name, memory: '64M', cpus: 1, network: [] })
  })

  it('goes back into the library, if it was the library’s own', async () => {
    const path = await onImage(false)
    renameSync(path, join(away, 'mine.qcow2'))
    utimesSync(join(away, 'mine.qcow2'), 1, 1) // copied, and not moved
    expect(failureIn(await find(join(away, 'mine.qcow2'))).code).toBe('wrong-state')
    expect((await find(join(away, 'mine.qcow2'), { unchecked: true })).state.kind).toBe('done')
    readPattern(await lab.call('disk.show', D), 'a', 0, MiB)
    await lab.done('machine.start', { machine: 'lab1', paused: true })
  })

  it('goes back into the machine’s folder, if it is a layer', async () => {
    await lab.done('machine.create', { name: 'lab1', source: 'none', disk: '16M', memory: '64M', cpus: 1, network: [] })
    writePattern(await lab.call('disk.show', D), 'a', 0, MiB)
    await lab.done('overlay.commit', D)
    await lab.done('machine.start', { machine: 'lab1', paused: true })
    await lab.done('machine.stop', { machine: 'lab1', force: true })
    const [top, sealed] = (await lab.call('disk.show', D)).files
    renameSync(sealed!.path, join(away, 'layer'))
    renameSync(top!.path, join(away, 'top'))
    expect(await health()).toEqual(['missing', 'missing'])
    // The guest wrote to the top one last: there is nothing to compare it with.
    expect(failureIn(await find(join(away, 'top')))).toMatchObject({ code: 'wrong-state', message: expect.stringContaining('disk0-2') as string })
    expect((await find(join(away, 'top'), { unchecked: true })).state.kind).toBe('done')
    expect(failureIn(await find(join(away, 'top'), { unchecked: true })).code).toBe('bad-file')
    expect((await find(join(away, 'layer'))).state.kind).toBe('done')
    expect(await health()).toEqual(['ok', 'ok'])
    readPattern(await lab.call('disk.show', D), 'a', 0, MiB)
  })
})

describe('a layer that is gone, and that somebody else has', () => {
  const foundAt = async (): Promise<(string | undefined)[]> => (await lab.call('disk.show', D)).files.map(({ health }) => (health.kind === 'ok' ? undefined : health.foundAt))
  const create = (name: string, disk: string) => lab.done('machine.create', { name, source: 'none', disk, memory: '64M', cpus: 1, network: [] })
  /** What others stand on is recorded when a machine starts. */
  const startOnce = async (machine: string): Promise<void> => {
    await lab.done('machine.start', { machine, paused: true })
    await lab.done('machine.stop', { machine, force: true })
  }

  it('is known to be at a linked clone’s, or at a snapshot’s, and is one file with it again', async () => {
    await create('lab1', '16M')
    await create('lab2', '16M')
    writePattern(await lab.call('disk.show', D), 'a', 0, MiB)
    await lab.done('disk.clone', { ...D, to: 'lab2', linked: true })
    await startOnce('lab1')
    await startOnce('lab2')
    const [, sealed] = (await lab.call('disk.show', D)).files
    const [, clones] = (await lab.call('disk.show', { machine: 'lab2', disk: 'disk1' })).files
    rmSync(sealed!.path)
    expect(await foundAt()).toEqual([undefined, clones!.path])
    expect((await find(clones!.path)).state.kind).toBe('done')
    expect(statSync(sealed!.path).ino).toBe(statSync(clones!.path).ino)
    readPattern(await lab.call('disk.show', D), 'a', 0, MiB)

    await lab.done('disk.remove', { machine: 'lab2', disk: 'disk1' })
    rmSync(sealed!.path)
    expect(await foundAt()).toEqual([undefined, undefined])
  })

  it('is a snapshot’s also where nothing was recorded of it yet', async () => {
    await create('lab1', '16M')
    writePattern(await lab.call('disk.show', D), 'b', 0, MiB)
    const { id } = await lab.done('snapshot.take', { machine: 'lab1', name: 'one' })
    const [, sealed] = (await lab.call('disk.show', D)).files
    rmSync(sealed!.path)
    const [, path] = await foundAt()
    expect(path).toContain(id)
    expect((await find(path!)).state.kind).toBe('done')
    readPattern(await lab.call('disk.show', D), 'b', 0, MiB)
  })
})
