import { linkSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { failureIn, openLab, type Lab } from '../support/lab'
import { readPattern, writePattern } from '../support/pattern'

const MiB = 2 ** 20
const A = { machine: 'lab1', disk: 'disk0' }
const B = { machine: 'lab2', disk: 'disk0' }

let lab: Lab
beforeEach(async () => {
  lab = await openLab()
  await lab.done('machine.create', { name: 'lab1', source: 'none', disk: '16M', memory: '64M', cpus: 1, network: [] })
  await lab.done('machine.create', { name: 'lab2', source: 'none', disk: 0, memory: '64M', cpus: 1, network: [] })
})
const view = (at: typeof A) => lab.call('disk.show', at)
const write = async (at: typeof A, letter: string, mib: number): Promise<void> => writePattern(await view(at), letter, mib * MiB, MiB)
const read = async (at: typeof A, letter: string, mib: number): Promise<void> => readPattern(await view(at), letter, mib * MiB, MiB)

describe('a linked clone of a disk', () => {
  it('shares what there is, and goes its own way from then on', async () => {
    await write(A, 'a', 0)
    await lab.done('overlay.renew', { ...A, note: 'one' })
    await write(A, 'b', 1)
    await lab.done('disk.clone', { ...A, to: 'lab2', linked: true })
    const [own, ...shared] = (await view(B)).files
    expect(statSync(own!.path).nlink).toBe(1)
    expect(shared.map((file) => statSync(file.path).ino)).toEqual((await view(A)).files.slice(1).map((file) => statSync(file.path).ino))
    const listed = await lab.call('disk.list', {})
    expect(listed.map(({ path, otherNames, users }) => [path, otherNames.map((other) => other.path), users])).toEqual([
      [(await view(A)).files[0]!.path, [], ['lab1']],
      ...(await view(A)).files.slice(1).map(({ path }, index) => [path, [shared[index]!.path], ['lab1', 'lab2']]),
      [own!.path, [], ['lab2']]
    ])
    expect((await lab.call('disk.list', { machine: 'lab2' })).map(({ path, users }) => [path, users])).toEqual([own!, ...shared].map(({ path, users }) => [path, users]))
    expect(shared.map(({ users }) => [...users].sort())).toEqual(shared.map(() => ['lab1', 'lab2']))
    await write(A, 'c', 0)
    await write(B, 'd', 1)
    for (const [at, letters] of [[A, 'cb'], [B, 'ad']] as const) for (const [mib, letter] of [...letters].entries()) await read(at, letter, mib)
    for (const machine of ['lab1', 'lab2']) {
      await lab.done('machine.start', { machine, paused: true })
      await lab.done('machine.stop', { machine, force: true })
    }
    await lab.done('overlay.undo', { ...B, discard: true })
    for (const [mib, letter] of [...'a\0'].entries()) await read(B, letter, mib)
    await lab.done('overlay.undo', { ...B, to: 1 })
    await read(B, '\0', 0)
    await lab.done('overlay.redo', { ...B, to: 2 })
    for (const [mib, letter] of [...'ab'].entries()) await read(B, letter, mib)
    await read(A, 'c', 0)
    await read(A, 'b', 1)
  })

  it('gives up commits that were undone only if that is said, and only if something was written since', async () => {
    await write(A, 'a', 0)
    await lab.done('overlay.renew', A)
    await lab.done('overlay.undo', A)
    await lab.done('disk.clone', { ...A, to: 'lab2', linked: true })
    expect(await lab.done('overlay.redo', A)).toMatchObject({ disk: { history: [{ sequence: 1, state: 'applied' }] } })
    await lab.done('overlay.undo', A)
    await write(A, 'b', 0)
    const before = (await view(A)).disk
    expect(failureIn(await lab.ended('disk.clone', { ...A, to: 'lab2', linked: true }))).toMatchObject({ code: 'wrong-state', message: expect.stringContaining('commit 1') as string })
    expect((await view(A)).disk).toEqual(before)
    const clone = await lab.done('disk.clone', { ...A, to: 'lab2', linked: true, forget: true })
    expect(clone.disk.history.map(({ state }) => state)).toEqual(['forgotten', 'applied'])
    await read({ ...B, disk: 'disk1' }, 'b', 0)
    await read(B, '\0', 0)
  })

  it('leaves nothing of one that was cut off, and gives back only what is nobody else’s', async () => {
    await write(A, 'a', 0)
    await lab.done('overlay.renew', A)
    await write(A, 'b', 1)
    const folder = join(lab.home, 'library/machines/lab2/disks')
    const layer = join(lab.home, 'library/machines/lab1/disks/disk0.qcow2')
    const copy = join(folder, 'disk0.qcow2.before-repair')
    mkdirSync(folder, { recursive: true })
    linkSync(layer, join(folder, 'disk0-7.qcow2'))
    writeFileSync(copy, 'not a layer')
    await lab.done('disk.clone', { ...A, to: 'lab2', linked: true })
    expect(readdirSync(folder).sort()).toEqual([...(await view(B)).files.map(({ path }) => basename(path)), basename(copy)].sort())
    const own = statSync((await view(B)).files[0]!.path).blocks * 512
    expect(await lab.done('disk.remove', B)).toMatchObject({ freedBytes: own })
    expect(readdirSync(folder)).toEqual([basename(copy)])
    expect(statSync(layer).nlink).toBe(1)
  })

  it('keeps what is shared from being written to, for as long as it is', async () => {
    await write(A, 'a', 0)
    await lab.done('disk.clone', { ...A, to: 'lab2', linked: true })
    await write(A, 'b', 0)
    await write(B, 'c', 0)
    for (const at of [A, B]) {
      expect(failureIn(await lab.ended('overlay.commit', { ...at, history: false }))).toMatchObject({ code: 'in-use', message: expect.stringContaining(`a layer of disk0 of “${at === A ? 'lab2' : 'lab1'}” too`) as string })
    }
    await lab.done('disk.remove', A)
    await read(B, 'c', 0)
    await lab.done('overlay.commit', { ...B, history: false })
    await read(B, 'c', 0)
    expect((await lab.done('disk.check', B)).files).toMatchObject([{ leakedClusters: 0, problems: null }])
  })

  it('of a disk that nobody wrote to is as empty, and the disk stays as it is; a machine that runs gets it at once', async () => {
    await lab.done('machine.start', { machine: 'lab2', paused: true })
    await lab.done('disk.clone', { ...A, to: 'lab2', linked: true })
    await lab.done('disk.clone', { ...A, to: 'lab1', linked: true })
    await lab.done('machine.stop', { machine: 'lab2', force: true })
    expect((await view(A)).disk.layers).toHaveLength(1)
    expect((await view(B)).disk).toMatchObject({ sizeBytes: 16 * MiB, layers: [{}] })
    expect((await view({ ...A, disk: 'disk1' })).disk.layers).toHaveLength(1)
  })
})

it('two disks that are given to a machine at once do not get in each other’s way', async () => {
  await lab.done('machine.create', { name: 'lab3', source: 'none', disk: '16M', memory: '64M', cpus: 1, network: [] })
  await write(A, 'a', 0)
  const ended = await Promise.all(['lab1', 'lab3'].map((machine) => lab.ended('disk.clone', { machine, disk: 'disk0', to: 'lab2' })))
  const refused = ended.filter(({ state }) => state.kind === 'failed')
  for (const task of refused) expect(failureIn(task)).toMatchObject({ code: 'in-use', message: expect.stringContaining('lab2') as string })
  const { definition } = await lab.machine('lab2')
  expect(definition?.disks.map(({ id }) => id)).toEqual(['disk0', 'disk1'].slice(0, 2 - refused.length))
})
