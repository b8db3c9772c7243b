import { existsSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { EMPTY, failureIn, openLab } from '../support/lab'
import { smallFileSystem } from '../support/scratch'

describe('a start that cannot be', () => {
  it('names the host port that is in use', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    onTestFinished(() => void server.close())
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : 0
    const lab = await openLab()
    await lab.done('machine.create', { name: 'lab1', ...EMPTY, network: ['user'], forward: [`tcp:${port}:22`] })
    const error = failureIn(await lab.ended('machine.start', { machine: 'lab1' }))
    expect(error).toMatchObject({ code: 'qemu-exited', message: `The host port ${port}/tcp that is to be forwarded is already in use.` })
    expect((await lab.machine('lab1')).state.kind).toBe('created')
  })

  it('names a file that is missing', async () => {
    const lab = await openLab()
    await lab.done('machine.create', { name: 'lab1', ...EMPTY })
    rmSync(join(lab.home, 'library/machines/lab1/disks/disk0.qcow2'))
    expect(failureIn(await lab.ended('machine.start', { machine: 'lab1' }))).toMatchObject({ code: 'not-found' })
  })

  it('says that QEMU is missing, and how to install it', async () => {
    const lab = await openLab({ environment: { PATH: '/nowhere' } })
    expect((await lab.call('host.show', {})).qemuMissing?.install).toContain('qemu-system-x86')
    await lab.core.close()
    await lab.reopen()
    expect(await lab.call('machine.list', {})).toEqual([])
  })
})

describe('an image that is removed while a machine is made on it', () => {
  it('stays, or the machine is refused: never both, whoever is first', async () => {
    const lab = await openLab()
    const file = join(lab.home, 'disk.raw')
    const ends = new Set<string>()
    for (let round = 0; round < 24; round++) {
      writeFileSync(file, Buffer.alloc(2 ** 20, 1))
      const name = `disk${round}`
      const image = await lab.done('image.import', { path: file, name, kind: 'disk', format: 'raw' })
      const [made, removed] = await Promise.all([
        lab.ended('machine.create', { name: `lab${round}`, source: name, copy: round % 2 === 0 }),
        delay(round / 2).then(() => lab.core.call('image.remove', { image: name }))
      ])
      ends.add(made.state.kind)
      if (made.state.kind === 'done') {
        expect(removed).toMatchObject({ ok: false, error: { code: 'in-use', holder: expect.stringMatching(`^lab${round}`) as string } })
        expect(existsSync(image.path)).toBe(true)
      } else {
        expect(failureIn(made).code).toBe('not-found')
        expect(removed.ok).toBe(true)
        expect(existsSync(image.path)).toBe(false)
      }
    }
    expect([...ends].sort()).toEqual(['done', 'failed'])
  })
})

describe('the library of machines', () => {
  it('brings a deleted machine back, as it was', async () => {
    const lab = await openLab()
    await lab.done('machine.create', { name: 'lab1', ...EMPTY, tag: ['kept'] })
    const { trashId } = await lab.call('machine.remove', { machine: 'lab1' })
    expect(await lab.call('machine.list', {})).toEqual([])
    await lab.reopen()
    expect(await lab.call('machine.list-removed', {})).toMatchObject([{ trashId, name: 'lab1' }])
    expect((await lab.call('machine.restore-removed', { removed: 'lab1' })).definition?.tags).toEqual(['kept'])
    await lab.done('machine.start', { machine: 'lab1' })
    expect(await lab.refused('machine.remove', { machine: 'lab1' })).toMatchObject({ code: 'wrong-state' })
  })

  it('is cleared of what writes that were cut off left: of ours only, and of old ones only', async () => {
    const lab = await openLab()
    await lab.done('machine.create', { name: 'lab1', ...EMPTY })
    await lab.done('machine.create', { name: 'lab2', ...EMPTY })
    const { trashId } = await lab.call('machine.remove', { machine: 'lab2' })
    await lab.core.close()
    const library = join(lab.home, 'library')
    const left = ['.settings.json.0123456789ab', 'machines/lab1/.machine.json.0123456789ab', 'cache/.qemu.json.0123456789ab', `trash/${trashId}/machine/.exit.json.0123456789ab`]
    const kept = ['.settings.json.ba9876543210', '.mine', 'machines/lab1/.notes.txt', 'machines/lab1/disks/.disk0.qcow2.0123456789ab', '0123456789ab']
    for (const file of [...left, ...kept]) writeFileSync(join(library, file), 'half')
    const old = Date.now() / 1000 - 3600
    for (const file of [...left, ...kept.slice(1)]) utimesSync(join(library, file), old, old)
    mkdirSync(join(library, '.folder.0123456789ab'))
    utimesSync(join(library, '.folder.0123456789ab'), old, old)
    await lab.reopen()
    expect(left.filter((file) => existsSync(join(library, file)))).toEqual([])
    expect([...kept, '.folder.0123456789ab'].filter((file) => !existsSync(join(library, file)))).toEqual([])
    await lab.done('machine.start', { machine: 'lab1' })
  })

  it('renames a machine with its folder, and refuses names that are taken or look taken', async () => {
    const lab = await openLab()
    await lab.done('machine.create', { name: 'lab1', ...EMPTY })
    await lab.done('machine.create', { name: 'lab2', ...EMPTY })
    expect((await lab.call('machine.rename', { machine: 'lab1', name: 'Größe' })).name).toBe('Größe')
    expect(await lab.refused('machine.rename', { machine: 'lab2', name: 'GRÖSSE'.replace('SS', 'ß') })).toMatchObject({ code: 'already-exists' })
    expect(failureIn(await lab.ended('machine.create', { name: 'LAB2', ...EMPTY }))).toMatchObject({ code: 'already-exists' })
    await lab.reopen()
    await lab.done('machine.start', { machine: 'Größe' })
  })

  it('refuses bad input by the name of its field', async () => {
    const lab = await openLab()
    for (const [input, field] of [
      [{ name: '' }, 'name'],
      [{ name: '../../etc' }, 'name'],
      [{ name: 'a', memory: 'lots' }, 'memory'],
      [{ name: 'a', cpus: '2' }, 'cpus'],
      [{ name: 'a', forward: ['tcp:0:22'] }, 'forward.0'],
      [{ name: 'a', network: ['bridge:../x'] }, 'network.0'],
      [{ name: 'a', colour: 'red' }, 'colour']
    ] as const) {
      expect(await lab.refused('machine.create', input)).toMatchObject({ code: 'bad-input', field })
    }
    expect(await lab.refused('machine.fly' as never, {})).toMatchObject({ code: 'unknown-operation' })
    expect(await lab.refused('machine.show', { machine: 'nobody' })).toMatchObject({ code: 'not-found' })
  })

  it('lists a damaged machine, and one of a newer version, with the reason, and leaves their files alone', async () => {
    const lab = await openLab()
    await lab.done('machine.create', { name: 'bad', ...EMPTY })
    await lab.done('machine.create', { name: 'newer', ...EMPTY })
    const newer = join(lab.home, 'library/machines/newer/machine.json')
    const text = readFileSync(newer, 'utf8').replace('"schemaVersion": 1', '"schemaVersion": 99')
    await lab.core.close()
    writeFileSync(join(lab.home, 'library/machines/bad/machine.json'), '{"schemaVersion": 1, "name"')
    writeFileSync(newer, text)
    await lab.reopen()
    expect((await lab.call('machine.list', {})).map((machine) => machine.state)).toMatchObject([
      { kind: 'broken', message: expect.stringContaining('damaged') as string },
      { kind: 'broken', message: expect.stringContaining('newer version') as string }
    ])
    expect(await lab.refused('machine.edit', { machine: 'newer', cpus: 1 })).toMatchObject({ code: 'bad-file' })
    expect(readFileSync(newer, 'utf8')).toBe(text)
  })

  it('leaves nothing behind when the disk is full', async () => {
    const home = smallFileSystem(2 * 2 ** 20)
    if (home === null) return expect(process.getuid?.()).not.toBe(0)
    const lab = await openLab({ home })
    writeFileSync(join(home, 'filler'), Buffer.alloc(2 ** 20))
    const fill = (): void => {
      try {
        for (let n = 0; ; n++) writeFileSync(join(home, `filler${n}`), Buffer.alloc(4096))
      } catch {
        // full now
      }
    }
    fill()
    const task = await lab.core.call('machine.create', { name: 'lab1', ...EMPTY })
    if (task.ok) {
      const ended = await lab.call('task.wait', { taskId: (task.value as { taskId: string }).taskId })
      expect(failureIn(ended)).toMatchObject({ code: 'no-space' })
    }
    expect(await lab.call('machine.list', {})).toEqual([])
    rmSync(join(home, 'filler'))
    await lab.done('machine.create', { name: 'lab1', ...EMPTY })
  })

  it('has one owner at a time', async () => {
    const lab = await openLab()
    const second = await openLab({ home: lab.home }).catch((error: unknown) => error)
    expect(second).toMatchObject({ error: { code: 'library-owned' } })
  })
})
