import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs'
import type { MachineDefinition } from '#contract'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { failureIn, openLab, type Lab } from '../support/lab'
import { readPattern, writePattern } from '../support/pattern'

const MiB = 2 ** 20
const TiB = 2 ** 40
const D = { machine: 'lab1', disk: 'disk0' }

let lab: Lab
beforeEach(async () => {
  lab = await openLab()
})
const create = (disk: string, source = 'none') => lab.done('machine.create', { name: 'lab1', source, disk, memory: '64M', cpus: 1, network: [] })
const start = () => lab.ended('machine.start', { machine: 'lab1', paused: true })
const view = () => lab.call('disk.show', D)

describe('a layer that is out of the ordinary', () => {
  it('is told by its name when its header is damaged, and the disk goes on from the last commit', async () => {
    await create('16M')
    writePattern(await view(), 'a', 0, MiB)
    await lab.done('overlay.renew', D)
    const [top] = (await view()).files
    const file = openSync(top!.path, 'r+')
    writeSync(file, 'XXXX', 0)
    closeSync(file)
    expect(failureIn(await start())).toMatchObject({ code: 'bad-file', message: `“${top!.path}” is damaged: it does not begin as a qcow2 file does.`, next: expect.stringContaining('discarded') as string })
    for (const operation of ['overlay.create', 'overlay.commit', 'overlay.renew', 'disk.flatten'] as const) {
      expect(failureIn(await lab.ended(operation, operation === 'overlay.create' ? D : { ...D, forget: true })).message).toContain(top!.path) // it would be sealed as it is
    }
    await lab.done('overlay.discard', D)
    readPattern(await view(), 'a', 0, MiB)
    expect((await start()).state.kind).toBe('done')
  })

  it('is told to be in use when another process has it open', async () => {
    await create('16M')
    const [top] = (await view()).files
    const holder = spawn('qemu-io', [top!.path], { stdio: ['pipe', 'pipe', 'ignore'] })
    onTestFinished(() => void holder.kill())
    await once(holder.stdout, 'data') // its prompt: it has the file open
    expect(failureIn(await start()).message).toContain('in use by another process')
    expect(failureIn(await lab.ended('disk.check', D)).message).toMatch(/in use|another process/)
    holder.stdin.end()
    await once(holder, 'close')
    expect((await start()).state.kind).toBe('done')
  })

  it('is told by its name when it is gone, and the disk can be removed all the same', async () => {
    await create('16M')
    const [top] = (await view()).files
    rmSync(top!.path)
    for (const operation of ['overlay.commit', 'disk.flatten'] as const) {
      expect(failureIn(await lab.ended(operation, D))).toMatchObject({ code: 'not-found', name: top!.path, next: expect.stringContaining('disk find') as string })
    }
    expect(await lab.done('disk.remove', D)).toEqual({ removed: 'disk0', freedBytes: 0 })
  })

  it('may name itself in its header: Strata goes by its record', async () => {
    await create('16M')
    await lab.done('overlay.create', D)
    const [top] = (await view()).files
    execFileSync('qemu-img', ['rebase', '-u', '-f', 'qcow2', '-F', 'qcow2', '-b', top!.path, top!.path])
    expect((await start()).state.kind).toBe('done')
    await lab.done('overlay.renew', D)
    await lab.done('machine.stop', { machine: 'lab1', force: true })
    expect((await lab.done('disk.check', D)).files.map(({ problems }) => problems)).toEqual([null, null, null])
  })

  it('may be huge: 2 TB take next to nothing until they are written', async () => {
    await create('2T')
    writePattern(await view(), 'a', 2 * TiB - MiB, MiB)
    await lab.done('overlay.renew', D)
    expect((await start()).state.kind).toBe('done')
    await lab.done('overlay.renew', D)
    await lab.done('machine.stop', { machine: 'lab1', force: true })
    const { files } = await view()
    expect(files.map((file) => statSync(file.path).blocks * 512 < 4 * MiB)).toEqual([true, true, true])
    readPattern(await view(), 'a', 2 * TiB - MiB, MiB)
    await lab.done('overlay.undo', { ...D, to: 1, discard: true })
    readPattern(await view(), '\0', 2 * TiB - MiB, MiB)
  })
})

describe('a raw layer, which a record may have', () => {
  /** Strata makes none itself: the record is written by hand. */
  async function makeRaw(): Promise<void> {
    const path = (await view()).files[0]!.path
    await lab.core.close()
    execFileSync('qemu-img', ['convert', '-O', 'raw', path, path.replace(/qcow2$/, 'raw')])
    rmSync(path)
    const record = path.replace(/disks\/.*/, 'machine.json')
    const definition = JSON.parse(readFileSync(record, 'utf8')) as MachineDefinition
    Object.assign(definition.disks[0]!.layers[0]!, { format: 'raw', file: 'disk0.raw' })
    writeFileSync(record, JSON.stringify(definition))
    await lab.open()
  }
  /** As a guest would: flushed, and so there whatever becomes of QEMU. */
  async function write(letter: string, mib: number): Promise<void> {
    for (const line of [`write -P 0x${letter.charCodeAt(0).toString(16)} ${mib}M 4M`, 'flush']) {
      const { output } = await lab.call('monitor.run', { machine: 'lab1', line: `qemu-io ${(await view()).disk.layers[0]!.nodeName} "${line}"` })
      expect(output).toBe('')
    }
  }

  it('is merged into, when the guest started on an overlay on it', async () => {
    await create('24M')
    await makeRaw()
    await lab.done('overlay.create', D)
    expect((await start()).state.kind).toBe('done')
    await write('a', 0)
    await lab.done('overlay.renew', { ...D, history: false })
    await write('b', 4)
    await lab.done('overlay.renew', D)
    await write('c', 8)
    await lab.done('overlay.renew', { ...D, into: 'disk0-1', forget: true })
    await write('d', 12)
    await lab.done('overlay.commit', { ...D, history: false })
    expect((await view()).disk.layers.map(({ file }) => file)).toEqual(['disk0.raw'])
    await write('e', 16)
    await lab.done('machine.stop', { machine: 'lab1', force: true })
    const raw = readFileSync((await view()).files[0]!.path, 'latin1')
    expect(Array.from({ length: 6 }, (_, n) => raw[n * 4 * MiB]! + raw[(n + 1) * 4 * MiB - 1]!)).toEqual(['aa', 'bb', 'cc', 'dd', 'ee', '\0\0'])
  })
})

describe('an image of the library', () => {
  it('is never committed into, and the refusal names who else stands on it', async () => {
    const file = `${lab.home}/base.qcow2`
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', file, '16M'])
    await lab.done('image.import', { path: file, name: 'base' })
    await create('16M', 'base')
    await lab.done('machine.create', { name: 'lab2', source: 'base', memory: '64M', cpus: 1, network: [] })
    for (const input of [{ history: false }, { into: 'disk0-image', forget: true }]) {
      expect(failureIn(await lab.ended('overlay.commit', { ...D, ...input }))).toMatchObject({
        code: 'unsupported',
        message: expect.stringMatching(/“base” is an image of the library.*never written to.*lab2/) as string,
        next: expect.stringContaining('flatten') as string
      })
    }
  })
})
