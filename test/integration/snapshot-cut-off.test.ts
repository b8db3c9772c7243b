import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { EMPTY, openLab, type Lab } from '../support/lab'
import { qemusOf } from '../support/standby'
import { struck } from '../support/snapshot-faults'

/** A machine without a guest that runs, with a snapshot `one`. */
async function withSnapshot(): Promise<Lab> {
  const lab = await openLab()
  await lab.done('machine.create', { ...EMPTY, name: 'lab1' })
  await lab.done('machine.start', { machine: 'lab1' })
  await lab.done('snapshot.take', { machine: 'lab1', name: 'one' })
  return lab
}

/** Has another process carry the operation out, and be killed at this moment; opens the library again. */
async function cutOff(lab: Lab, operation: string, input: object, moment: string): Promise<void> {
  await lab.core.close()
  const killed = struck(lab, { operation, input, whom: 'app' }, moment)
  await lab.open()
  expect(killed, `${operation}, ${moment}`).toBe(true)
  expect(readdirSync(join(lab.home, 'library/unfinished'))).toEqual([])
}
const machines = async (lab: Lab): Promise<string[]> => (await lab.call('machine.list', {})).map(({ name, state }) => `${name} ${state.kind}`)

it('a class lab whose making was cut off leaves no machine and no lab, and can be made again', async () => {
  const lab = await withSnapshot()
  const input = { from: 'one', count: 2, prefix: 'ws' }
  for (const moment of ['after ManagedMachine.resume', 'before Labs.add']) {
    await cutOff(lab, 'lab.deploy', input, moment)
    expect(await machines(lab), moment).toEqual(['lab1 running'])
    expect(await lab.call('lab.list', {}), moment).toEqual([])
    expect(qemusOf(lab), moment).toHaveLength(1)
  }
  expect(await lab.call('machine.list-removed', {})).toEqual([])
  await lab.done('lab.deploy', input)
  await lab.reopen()
  expect(await machines(lab)).toEqual(['lab1 running', 'ws-1 running', 'ws-2 running'])
})

it('an archiving, an export and an import that were cut off leave what was there, and can be done again', async () => {
  const lab = await withSnapshot()
  await cutOff(lab, 'snapshot.archive', { snapshot: 'one', evict: true }, 'before Snapshots.change')
  expect(await lab.call('snapshot.show', { snapshot: 'one' })).toMatchObject({ ready: true, archivedAtMs: null })
  expect(await lab.done('snapshot.archive', { snapshot: 'one', evict: true })).toMatchObject({ ready: false })
  expect((await lab.call('store.stats', {})).archives).toHaveLength(1)
  expect((await lab.done('snapshot.verify', { snapshot: 'one' })).problems).toEqual([])

  const file = join(lab.home, 'one.strata')
  await cutOff(lab, 'snapshot.export', { snapshot: 'one', file }, 'before BundleWriter.finish')
  expect(existsSync(file)).toBe(false)
  await lab.done('snapshot.export', { snapshot: 'one', file })

  const other = await openLab()
  await cutOff(other, 'snapshot.import', { file }, 'before Snapshots.add')
  expect(await other.call('snapshot.list', {})).toEqual([])
  await other.done('snapshot.import', { file })
  expect((await other.done('snapshot.restore', { snapshot: 'one', as: 'lab9' })).machine.state.kind).toBe('running')
})
