import { closeSync, existsSync, fstatSync, openSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { failureIn, openLab, type Lab } from '../support/lab'
import { readPattern, writePattern } from '../support/pattern'
import { rawDisk } from '../support/shelf'

const MiB = 2 ** 20
const D = { machine: 'lab1', disk: 'disk0' }

/** A machine without a guest on an image of its own, running, with a snapshot `one` of a disk with `a`. */
async function withSnapshot(): Promise<Lab> {
  const lab = await openLab()
  await lab.done('image.import', { path: rawDisk(join(lab.home, 'ground.raw')), name: 'ground' })
  await lab.done('machine.create', { name: 'lab1', source: 'ground', disk: '32M', memory: '64M', cpus: 1, network: [] })
  writePattern(await lab.call('disk.show', D), 'a', 8 * MiB, MiB)
  await lab.done('machine.start', { machine: 'lab1' })
  await lab.done('snapshot.take', { machine: 'lab1', name: 'one', note: 'for elsewhere' })
  return lab
}
const ramOf = async (lab: Lab): Promise<string> => join(lab.home, 'library/snapshots', (await lab.call('snapshot.show', { snapshot: 'one' })).id, 'ram')

it('a snapshot is written into one file, and used in another library; what is damaged is named and leaves nothing', async () => {
  const lab = await withSnapshot()
  const file = join(lab.home, 'one.strata')
  const { sizeBytes } = await lab.done('snapshot.export', { snapshot: 'one', file })
  expect(statSync(file).size).toBe(sizeBytes)
  expect(failureIn(await lab.ended('snapshot.export', { snapshot: 'one', file }))).toMatchObject({ code: 'already-exists' })
  expect(failureIn(await lab.ended('snapshot.import', { file }))).toMatchObject({ code: 'already-exists' })
  expect(failureIn(await lab.ended('snapshot.export', { snapshot: 'one', file: join(lab.home, 'nowhere/one') })).message).toContain('nowhere” does not exist')
  expect(failureIn(await lab.ended('snapshot.export', { snapshot: 'one', file: lab.home, replace: true })).message).toContain('is a folder')
  expect(failureIn(await lab.ended('snapshot.import', { file: lab.home })).message).toContain('is a folder')

  const other = await openLab()
  const imported = await other.done('snapshot.import', { file })
  expect(imported).toMatchObject({ name: 'one', note: 'for elsewhere', machine: 'lab1', problem: null })
  const { machine } = await other.done('snapshot.restore', { snapshot: 'one', as: 'lab9' })
  expect(machine.state.kind).toBe('running')
  await other.done('machine.stop', { machine: 'lab9', force: true })
  readPattern(await other.call('disk.show', { machine: 'lab9', disk: 'disk0' }), 'a', 8 * MiB, MiB)
  expect((await other.done('snapshot.verify', { snapshot: 'one' })).problems).toEqual([])
  // The image came with it, and is known the next time.
  await other.done('snapshot.import', { file, anew: true })
  expect((await other.call('image.list', {})).map(({ name }) => name)).toEqual(['ground'])

  const third = await openLab()
  const bytes = readFileSync(file)
  const spoilt = join(lab.home, 'spoilt.strata')
  const refused = async (content: Buffer): Promise<string> => {
    writeFileSync(spoilt, content)
    const error = failureIn(await third.ended('snapshot.import', { file: spoilt }))
    expect(error.code).toBe('bad-file')
    return error.message
  }
  const middle = Math.floor(bytes.length / 2)
  const flipped = Buffer.from(bytes).fill(0x5a, middle, middle + 64)
  expect(await refused(flipped)).toContain('is damaged')
  expect(await refused(bytes.subarray(0, bytes.length - 100))).toContain('ends too soon')
  expect(await refused(Buffer.from(bytes).fill(7, 200, 210))).toContain('head')
  expect(await refused(Buffer.from('something else'))).toContain('no exported snapshot')
  expect([await third.call('snapshot.list', {}), await third.call('image.list', {})]).toEqual([[], []])
  await other.done('snapshot.export', { snapshot: imported.id, file: spoilt, images: false, replace: true })
  expect(failureIn(await third.ended('snapshot.import', { file: spoilt }))).toMatchObject({ code: 'not-found', message: expect.stringContaining('“ground”') as string })
})

it('memory goes into the store, leaves the cache, and is loaded back; damage is named there too', async () => {
  const lab = await withSnapshot()
  const ram = await ramOf(lab)
  const before = readFileSync(ram)
  expect(await lab.done('snapshot.archive', { snapshot: 'one' })).toMatchObject({ ready: true, archivedAtMs: expect.any(Number) as number })
  expect(lab.events.some(({ kind }) => kind === 'store-changed')).toBe(true)
  expect(await lab.done('snapshot.archive', { snapshot: 'one', evict: true })).toMatchObject({ ready: false })
  expect(existsSync(ram)).toBe(false)
  const [archive] = (await lab.call('store.stats', {})).archives
  expect(await lab.refused('store.remove', { archive: archive!.name })).toMatchObject({ code: 'in-use', message: expect.stringContaining('“one”') as string })
  expect((await lab.done('snapshot.verify', { snapshot: 'one' })).problems).toEqual([])
  await lab.reopen()
  expect((await lab.done('snapshot.restore', { snapshot: 'one', keep: false })).machine.state.kind).toBe('running')
  expect(readFileSync(ram).equals(before)).toBe(true)
  // With no room in the cache it goes again when the next one is archived.
  await lab.call('settings.edit', { snapshotCache: 0 })
  await lab.done('snapshot.take', { machine: 'lab1', name: 'two' })
  await lab.done('snapshot.archive', { snapshot: 'two' })
  expect((await lab.call('snapshot.list', {})).map(({ ready }) => ready)).toEqual([false, false])

  const packs = join(lab.home, 'library/store/packs')
  const { packs: count } = await lab.call('store.stats', {})
  expect(count).toBeGreaterThan(0)
  const verified = await lab.done('store.verify', {})
  expect(verified.touchedArchives).toEqual([])
  await lab.core.close()
  rmSync(packs, { recursive: true })
  await lab.open()
  const { problems } = await lab.done('snapshot.verify', { snapshot: 'one' })
  expect(problems).toMatchObject([{ file: expect.stringContaining('archive') as string }])
  expect(failureIn(await lab.ended('snapshot.restore', { snapshot: 'one' }))).toMatchObject({ code: 'bad-file' })
  expect((await lab.machine('lab1')).state.kind).toBe('running')
  await lab.call('snapshot.remove', { snapshot: 'one' })
  await lab.call('snapshot.remove', { snapshot: 'two' })
  expect((await lab.call('store.stats', {})).archives).toEqual([])
})

it('memory stays in the cache while what the store holds of it is damaged, and is saved anew', async () => {
  const lab = await withSnapshot()
  const ram = await ramOf(lab)
  const before = readFileSync(ram)
  await lab.done('snapshot.archive', { snapshot: 'one' })
  const packs = join(lab.home, 'library/store/packs')
  for (const pack of readdirSync(packs)) {
    const file = openSync(join(packs, pack), 'r+')
    writeSync(file, 'damage', Math.floor(fstatSync(file).size / 4))
    closeSync(file)
  }
  const ready = async () => (await lab.call('snapshot.list', {})).map((snapshot) => snapshot.ready)
  await lab.call('settings.edit', { snapshotCache: 0 })
  await lab.done('snapshot.take', { machine: 'lab1', name: 'two' })
  await lab.done('snapshot.archive', { snapshot: 'two' })
  expect((await ready())[0]).toBe(true)

  await lab.done('snapshot.archive', { snapshot: 'one' })
  expect((await ready())[0]).toBe(false)
  expect((await lab.done('snapshot.verify', { snapshot: 'one' })).problems).toEqual([])
  expect((await lab.done('snapshot.restore', { snapshot: 'one', keep: false })).machine.state.kind).toBe('running')
  expect(readFileSync(ram).equals(before)).toBe(true)
})

it('what was changed in a snapshot is named by its verification', async () => {
  const lab = await withSnapshot()
  const ram = await ramOf(lab)
  truncateSync(ram, MiB)
  writeFileSync(join(ram, '../devices'), 'spoilt')
  const { problems } = await lab.done('snapshot.verify', { snapshot: 'one' })
  expect(problems.map(({ file }) => file)).toEqual(['ram', 'devices'])
  expect(failureIn(await lab.ended('snapshot.archive', { snapshot: 'one' }))).toMatchObject({ code: 'bad-file' })
  expect(failureIn(await lab.ended('snapshot.export', { snapshot: 'one', file: join(lab.home, 'x') }))).toMatchObject({ code: 'bad-file' })
  expect(existsSync(join(lab.home, 'x.part'))).toBe(false)
})
