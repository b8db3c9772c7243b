import { beforeEach, describe, expect, it } from 'vitest'
import type { Trace, TraceFile } from '#contract'
import { openLab, until, type Lab } from '../support/lab'
import { writePattern } from '../support/pattern'

const KiB = 2 ** 10
const MiB = 2 ** 20
const D = { machine: 'lab1', disk: 'disk0' }
const ME = { machine: 'lab1', viewer: 'test' }

let lab: Lab
beforeEach(async () => {
  lab = await openLab()
  await lab.done('machine.create', { name: 'lab1', source: 'none', disk: '64M', memory: '64M', cpus: 1, network: [] })
  writePattern(await lab.call('disk.show', D), 'a', 0, MiB)
  await lab.done('overlay.commit', { ...D, note: 'first' })
  await lab.done('overlay.create', D)
  writePattern(await lab.call('disk.show', D), 'b', MiB, MiB)
  await lab.done('overlay.commit', { ...D, note: 'second' })
  await lab.done('machine.start', { machine: 'lab1', paused: true }) // its firmware would read too
})

/** As the guest's driver would ask for it. */
const ask = async (command: string): Promise<void> => {
  const { output } = await lab.call('monitor.run', { machine: 'lab1', line: `qemu-io -d disk0-device/virtio-backend "${command}"` })
  expect(output.trim()).toBe('') // it says something when it failed
}
/** What has been seen, once something holds of it. */
async function seen(holds: (trace: Trace) => boolean): Promise<Trace> {
  let trace = await lab.call('trace.show', ME)
  await until(lab, async () => holds((trace = await lab.call('trace.show', ME))))
  return trace
}
const layer = (trace: Trace, nodeName: string): TraceFile => trace.files.find((file) => file.nodeName === nodeName)!
const isWatched = async (): Promise<boolean> => {
  const answer = await lab.call('qmp.run', { machine: 'lab1', command: 'trace-event-get-state', arguments: { name: 'bdrv_co_preadv_part' } })
  return (answer.return as { state: string }[])[0]!.state === 'enabled'
}

describe('the X-ray of a machine', () => {
  it('tells which layer a read came from, where a write went, and what was allocated for it', async () => {
    const begun = await lab.call('trace.start', ME)
    expect(begun.files.map(({ nodeName, opens, reads }) => [nodeName, opens, reads])).toEqual([
      ['disk0-3', 2, 0],
      ['disk0-2', 2, 0],
      ['disk0-1', 2, 0]
    ])
    await ask('read 0 64k')
    await ask('read 1M 32k')
    await ask('write 2M 4k')
    await ask('write 2M 4k')
    const trace = await seen((now) => layer(now, 'disk0-3').writes === 2)
    expect(layer(trace, 'disk0-1')).toMatchObject({ reads: 1, readBytes: 64 * KiB, servedBytes: 64 * KiB, writes: 0 })
    expect(layer(trace, 'disk0-2')).toMatchObject({ reads: 2, readBytes: 96 * KiB, servedBytes: 32 * KiB, writes: 0 })
    expect(layer(trace, 'disk0-3')).toMatchObject({ reads: 2, readBytes: 96 * KiB, servedBytes: 0, writes: 2, writtenBytes: 8 * KiB, clusters: 1 })
    expect(layer(trace, 'disk0-3').fileWrites).toBeGreaterThan(2)
    expect(trace).toMatchObject({ sampled: false, samples: expect.arrayContaining([expect.objectContaining({ estimated: false })]) as unknown })
  })

  it('follows a commit: the new layer is opened, and writes go there', async () => {
    await lab.call('trace.start', ME)
    await lab.done('overlay.renew', D)
    await ask('write 0 4k')
    const trace = await seen((now) => layer(now, 'disk0-4').writes === 1)
    expect(layer(trace, 'disk0-4')).toMatchObject({ opens: 2, clusters: 1 })
    expect(trace.events.map(({ text }) => text)).toEqual(expect.arrayContaining([expect.stringMatching(/^opened the file .*disk0-4\.qcow2$/)]))
    await lab.done('overlay.commit', { ...D, into: 'disk0-1', history: false, forget: true })
    const after = await seen((now) => layer(now, 'disk0-1').writes > 0 && now.events.some(({ text }) => text.endsWith('ended')))
    expect(after.events.filter(({ kind }) => kind === 'job').map(({ text }) => text)).toEqual(expect.arrayContaining([expect.stringContaining('began'), expect.stringContaining('ended')]))
  })

  it('ends with its last viewer, and QEMU is no longer watched', async () => {
    await lab.call('trace.start', ME)
    await lab.call('trace.start', { machine: 'lab1', viewer: 'other' })
    await until(lab, isWatched)
    expect(await lab.call('trace.stop', ME)).toEqual({ machine: 'lab1', ended: false })
    expect(await lab.call('trace.stop', { machine: 'lab1', viewer: 'other' })).toEqual({ machine: 'lab1', ended: true })
    expect(await isWatched()).toBe(false)
    expect(await lab.refused('trace.show', { machine: 'lab1' })).toMatchObject({ code: 'wrong-state', message: expect.stringContaining('not being looked into') as string })
  })

  it('ends with the machine', async () => {
    await lab.call('trace.start', ME)
    await lab.done('machine.stop', { machine: 'lab1', force: true })
    await until(lab, async () => !(await lab.core.call('trace.show', ME)).ok)
    expect(await lab.refused('trace.start', ME)).toMatchObject({ code: 'wrong-state', message: expect.stringContaining('stopped') as string })
  })

  it('is over when the library is given up, and the next owner knows what was opened', async () => {
    await lab.call('trace.start', ME)
    await lab.done('overlay.renew', D)
    await lab.reopen()
    expect(await isWatched()).toBe(false)
    const trace = await lab.call('trace.show', { machine: 'lab1', seconds: 0.3 })
    expect(trace.files.map(({ nodeName, opens }) => [nodeName, opens])).toEqual([
      ['disk0-4', 2],
      ['disk0-3', 2],
      ['disk0-2', 2],
      ['disk0-1', 2]
    ])
    expect(await isWatched()).toBe(false)
  })

  it('turns off what an owner that was killed left on', async () => {
    await lab.call('qmp.run', { machine: 'lab1', command: 'trace-event-set-state', arguments: { name: 'bdrv_co_p*v_part', enable: true } })
    await lab.reopen()
    await until(lab, async () => !(await isWatched()))
  })
})
