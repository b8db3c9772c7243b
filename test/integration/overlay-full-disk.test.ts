import { execFileSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import type { Disk } from '#contract'
import { failureIn, openLab, until, type Lab } from '../support/lab'
import { readPattern, writePattern } from '../support/pattern'
import { scratchFolder } from '../support/scratch'

const MiB = 2 ** 20
const D = { machine: 'lab1', disk: 'disk0' }
const isRoot = process.getuid?.() === 0

let lab: Lab
let home: string
const disk = async (): Promise<Disk> => (await lab.call('disk.show', D)).disk
const write = async (letter: string, at: number, bytes: number): Promise<void> => writePattern(await lab.call('disk.show', D), letter, at, bytes)
const reads = async (letter: string, at: number, bytes: number): Promise<void> => readPattern(await lab.call('disk.show', D), letter, at, bytes)

/** Takes all space but this much; the answer gives it back. */
function fill(leaveBytes: number): () => void {
  const path = join(home, 'ballast')
  const free = Number(execFileSync('stat', ['-f', '-c', '%a', home], { encoding: 'utf8' })) * Number(execFileSync('stat', ['-f', '-c', '%S', home], { encoding: 'utf8' }))
  writeFileSync(path, Buffer.alloc(Math.max(0, free - leaveBytes)))
  return () => rmSync(path)
}

describe.skipIf(!isRoot)('on a host whose disk is full', () => {
  beforeEach(async () => {
    home = scratchFolder()
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m,mode=0700', 'tmpfs', home])
    onTestFinished(() => void execFileSync('umount', ['--lazy', home]))
    lab = await openLab({ home })
    await lab.done('machine.create', { name: 'lab1', source: 'none', disk: '32M', memory: '64M', cpus: 1, network: [] })
    await write('a', 0, 2 * MiB)
    await lab.done('overlay.create', D)
    await write('b', 8 * MiB, 12 * MiB)
  })

  it('an overlay that has no room is not put on, and all is as before', async () => {
    const before = await disk()
    const free = fill(0)
    // What could not be written is what was asked for, not some note about it.
    expect(failureIn(await lab.ended('overlay.create', D))).toMatchObject({ code: 'no-space', path: expect.stringContaining('machines/lab1/') as unknown })
    free()
    expect({ ...(await disk()), nextLayer: 0 }).toEqual({ ...before, nextLayer: 0 })
    await lab.done('overlay.renew', D)
    await reads('b', 8 * MiB, 12 * MiB)
  })

  it.each([false, true])('a merge that has no room loses nothing, and is finished when there is (machine running: %s)', async (live) => {
    if (live) await lab.done('machine.start', { machine: 'lab1' })
    const free = fill(5 * MiB)
    expect(failureIn(await lab.ended('overlay.renew', { ...D, history: false })).code).toBe('no-space')
    expect((await disk()).pending).toMatchObject({ kind: 'merge' })
    if (live) await lab.done('machine.stop', { machine: 'lab1', force: true })
    await reads('a', 0, 2 * MiB)
    await reads('b', 8 * MiB, 12 * MiB)
    free()
    await lab.reopen()
    for (const task of await lab.call('task.list', {})) await lab.call('task.wait', { taskId: task.id })
    expect((await disk()).pending).toBeNull()
    await reads('a', 0, 2 * MiB)
    await reads('b', 8 * MiB, 12 * MiB)
    expect((await lab.done('disk.check', D)).files.every((file) => file.problems === null)).toBe(true)
  })

  it('a guest stands still, the reason is told, and it goes on when there is room', async () => {
    execFileSync('mount', ['-o', 'remount,size=160m', home])
    await lab.done('machine.create', { name: 'guest', display: false, network: [], memory: '256M' })
    await lab.done('machine.start', { machine: 'guest', wait: 'agent' })
    const free = fill(4 * MiB)
    const write = 'dd if=/dev/urandom of=/root/file bs=1M count=12; md5sum /root/file > /root/sum; sync; touch /run/written'
    await lab.call('guest.exec', { machine: 'guest', command: ['sh', '-c', `(${write}) > /run/log 2>&1 &`] })
    await until(lab, async () => (await lab.machine('guest')).state.kind === 'paused', 30_000)
    expect((await lab.machine('guest')).state).toMatchObject({ reason: expect.stringContaining('the host’s disk is full') as unknown })
    expect(failureIn(await lab.ended('overlay.renew', { machine: 'guest' }))).toMatchObject({ code: 'no-space', path: expect.stringContaining('machines/guest/') as unknown })
    free()
    await lab.call('machine.resume', { machine: 'guest' })
    const check = 'until [ -e /run/written ]; do sleep 0.1; done; md5sum -c /root/sum'
    expect(await lab.call('guest.exec', { machine: 'guest', command: ['sh', '-c', check] })).toMatchObject({ exitCode: 0 })
  })
})
