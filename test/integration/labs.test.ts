import { rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { failureIn, openLab, type Lab } from '../support/lab'
import { readPattern, writePattern } from '../support/pattern'
import { smallFileSystem } from '../support/scratch'

const MiB = 2 ** 20

/** A snapshot `class` of a machine without a guest that runs, whose disk holds `a`. */
async function withSnapshot(home?: string): Promise<Lab> {
  const lab = await openLab(home === undefined ? {} : { home })
  await lab.done('machine.create', { name: 'lab1', source: 'none', disk: '16M', memory: '64M', cpus: 1, network: [] })
  writePattern(await lab.call('disk.show', { machine: 'lab1', disk: 'disk0' }), 'a', 0, MiB)
  await lab.done('machine.start', { machine: 'lab1' })
  await lab.done('snapshot.take', { machine: 'lab1', name: 'class' })
  return lab
}
const diskOf = (lab: Lab, machine: string) => lab.call('disk.show', { machine, disk: 'disk0' })
const statesOf = async (lab: Lab): Promise<string[]> => (await lab.call('lab.list', {})).flatMap(({ machines }) => machines.map(({ name, state }) => `${name} ${state}`))

it('a class lab is made of a snapshot, stopped, started, made anew and removed as one thing', async () => {
  const lab = await withSnapshot()
  const { lab: made } = await lab.done('lab.deploy', { from: 'class', count: 3, prefix: 'ws' })
  expect(made).toMatchObject({ name: 'ws', snapshot: { name: 'class', machine: 'lab1' } })
  expect(await statesOf(lab)).toEqual(['ws-1 running', 'ws-2 running', 'ws-3 running'])
  expect(await lab.refused('snapshot.remove', { snapshot: 'class' })).toMatchObject({ code: 'in-use', message: expect.stringContaining('“ws”') as string })
  expect(failureIn(await lab.ended('lab.deploy', { from: 'class', count: 1, prefix: 'ws' }))).toMatchObject({ code: 'already-exists' })

  await lab.done('lab.stop', { lab: 'ws', force: true })
  expect(await statesOf(lab)).toEqual(['ws-1 stopped', 'ws-2 stopped', 'ws-3 stopped'])
  for (const machine of ['ws-1', 'ws-2']) writePattern(await diskOf(lab, machine), 'b', 0, MiB)
  const other = await lab.machine('ws-1')
  await lab.done('lab.recreate', { lab: 'ws', machine: 'ws-2' })
  expect(await statesOf(lab)).toEqual(['ws-1 stopped', 'ws-2 running', 'ws-3 stopped'])
  expect((await lab.machine('ws-1')).id).toBe(other.id)
  readPattern(await diskOf(lab, 'ws-1'), 'b', 0, MiB)
  await lab.done('machine.stop', { machine: 'ws-2', force: true })
  readPattern(await diskOf(lab, 'ws-2'), 'a', 0, MiB)
  await lab.done('lab.start', { lab: 'ws' })
  expect(await statesOf(lab)).toEqual(['ws-1 running', 'ws-2 running', 'ws-3 running'])

  // One that was deleted has its place still, and is made anew with the others.
  await lab.done('machine.stop', { machine: 'ws-3', force: true })
  await lab.call('machine.remove', { machine: 'ws-3' })
  expect(await statesOf(lab)).toEqual(['ws-1 running', 'ws-2 running', 'ws-3 null'])
  await lab.reopen()
  await lab.done('lab.recreate', { lab: 'ws' })
  expect(await statesOf(lab)).toEqual(['ws-1 running', 'ws-2 running', 'ws-3 running'])
  expect(failureIn(await lab.ended('lab.recreate', { lab: 'ws', machine: 'lab1' }))).toMatchObject({ code: 'not-found' })

  expect(await lab.done('lab.remove', { lab: 'ws' })).toEqual({ removed: 'ws', machines: 3 })
  expect((await lab.call('machine.list', {})).map(({ name }) => name)).toEqual(['lab1'])
  expect(await lab.call('lab.list', {})).toEqual([])
  expect(lab.events.filter(({ kind }) => kind === 'lab-removed')).toHaveLength(1)
  await lab.call('snapshot.remove', { snapshot: 'class' })
})

it('a machine that cannot be made anew, as the disk is all but full, stays as it is', async ({ skip }) => {
  const small = smallFileSystem(64 * MiB)
  if (!small) return skip('no file system can be made here')
  const lab = await withSnapshot(small)
  await lab.done('lab.deploy', { from: 'class', count: 1, prefix: 'ws', start: false })
  writePattern(await diskOf(lab, 'ws-1'), 'b', 0, MiB)
  const filler = join(small, 'filler')
  expect(() => writeFileSync(filler, Buffer.alloc(64 * MiB))).toThrow('ENOSPC')
  truncateSync(filler, statSync(filler).size - 20 * 1024) // what its removal needs, but not a new one
  expect(failureIn(await lab.ended('lab.recreate', { lab: 'ws' }))).toMatchObject({ code: 'no-space' })
  rmSync(filler)
  expect(await statesOf(lab)).toEqual(['ws-1 created'])
  readPattern(await diskOf(lab, 'ws-1'), 'b', 0, MiB)
  await lab.done('lab.recreate', { lab: 'ws' })
  await lab.done('machine.stop', { machine: 'ws-1', force: true })
  readPattern(await diskOf(lab, 'ws-1'), 'a', 0, MiB)
})
