import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openLab, until, type Lab } from '../support/lab'
import { echoKernel } from '../support/kernel'
import { standingBy } from '../support/standby'
import { readPattern, writePattern } from '../support/pattern'

const MiB = 2 ** 20

/** A machine that runs a kernel of twenty bytes, with a snapshot `one` of it running. */
async function withSnapshot(given: object = {}): Promise<Lab> {
  const lab = await openLab()
  const kernel = join(lab.home, 'kernel')
  writeFileSync(kernel, echoKernel())
  await lab.done('machine.create', { name: 'lab1', source: 'none', kernel, disk: '16M', memory: '64M', cpus: 1, network: [], ...given })
  writePattern(await lab.call('disk.show', { machine: 'lab1', disk: 'disk0' }), 'a', 0, MiB)
  await lab.done('machine.start', { machine: 'lab1' })
  await lab.done('snapshot.take', { machine: 'lab1', name: 'one' })
  return lab
}
const prepare = (lab: Lab): Promise<{ ready: boolean; reason: string | null }> => lab.call('snapshot.prepare', { snapshot: 'one' })
const pidOf = async (lab: Lab): Promise<number | null> => {
  const { state } = await lab.machine('lab1')
  return 'pid' in state ? state.pid : null
}
const folders = (lab: Lab): string[] => readdirSync(join(lab.home, 'run/strata')).flatMap((one) => readdirSync(join(lab.home, 'run/strata', one)).filter((name) => name.startsWith('by-')))

describe('a QEMU that stands by', () => {
  it('is what the machine runs in once it is restored, and is found again as its QEMU', async () => {
    const lab = await withSnapshot()
    expect(await prepare(lab)).toEqual({ ready: true, reason: null })
    const [pid, ...others] = standingBy(lab)
    expect(others).toEqual([])
    expect(await pidOf(lab)).not.toBe(pid)
    const { machine } = await lab.done('snapshot.restore', { snapshot: 'one', keep: false })
    expect(machine.state).toMatchObject({ kind: 'running', pid })
    await lab.reopen()
    expect((await lab.machine('lab1')).state).toMatchObject({ kind: 'running', pid })
    const image = await lab.call('disk.show', { machine: 'lab1', disk: 'disk0' })
    readPattern(image, 'a', 0, MiB, true)
    await lab.done('overlay.renew', { machine: 'lab1', disk: 'disk0' })
    await lab.done('machine.stop', { machine: 'lab1', force: true })
    await lab.done('machine.start', { machine: 'lab1' })
    expect(standingBy(lab)).toEqual([])
  })

  it('is ended with its snapshot, its machine or the library, and when its owner was killed', async () => {
    const lab = await withSnapshot()
    await prepare(lab)
    await lab.call('snapshot.rename', { snapshot: 'one', name: 'two' })
    await lab.call('snapshot.remove', { snapshot: 'two' })
    expect([standingBy(lab), folders(lab)]).toEqual([[], []])
    await lab.done('snapshot.take', { machine: 'lab1', name: 'one' })
    await prepare(lab)
    const [pid] = standingBy(lab)
    await lab.done('machine.stop', { machine: 'lab1', force: true })
    await lab.call('machine.remove', { machine: 'lab1' })
    await until(lab, () => Promise.resolve(standingBy(lab).length === 0))
    await lab.call('machine.restore-removed', { removed: 'lab1' })
    await prepare(lab)
    expect(standingBy(lab)).not.toEqual([pid])
    await lab.core.close()
    expect([standingBy(lab), folders(lab)]).toEqual([[], []])
    await lab.open()
  })

  it('is of no use to a machine that was renamed meanwhile, or whose start it does not fit: that starts as ever', async () => {
    const lab = await withSnapshot()
    await lab.done('machine.stop', { machine: 'lab1', force: true })
    await prepare(lab)
    const [pid] = standingBy(lab)
    await lab.call('machine.rename', { machine: 'lab1', name: 'lab2' })
    const { machine } = await lab.done('snapshot.restore', { snapshot: 'one', keep: false })
    expect(machine.state.kind).toBe('running')
    expect(machine.state).not.toMatchObject({ pid })
  })

  it('is not started where what it needs is in use by the machine that runs, and says why', async () => {
    const lab = await withSnapshot({ network: ['isolated:lab'] })
    expect(await prepare(lab)).toMatchObject({ ready: false, reason: expect.stringContaining('networks') as string })
    expect(standingBy(lab)).toEqual([])
  })
})
