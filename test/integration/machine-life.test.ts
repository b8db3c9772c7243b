import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { EMPTY, failureIn, openLab, until, type Lab } from '../support/lab'

const pidOf = async (lab: Lab, name: string): Promise<number> => {
  const { state } = await lab.machine(name)
  if (!('pid' in state)) throw new Error(`${name} is ${state.kind}`)
  return state.pid
}
const runRecord = (lab: Lab, name: string): string => join(lab.home, 'library/machines', name, 'run.json')

describe('the life of a machine', () => {
  it('is found again, running, by the next owner of the library', async () => {
    const lab = await openLab()
    await lab.done('machine.create', { name: 'lab1', ...EMPTY })
    await lab.done('machine.start', { machine: 'lab1' })
    const before = await lab.machine('lab1')
    await lab.reopen()
    expect((await lab.machine('lab1')).state).toEqual(before.state)
    expect((await lab.call('monitor.run', { machine: 'lab1', line: 'info name' })).output.trim()).toBe('lab1')
  })

  it('is not started twice, not even by another owner', async () => {
    const lab = await openLab()
    await lab.done('machine.create', { name: 'lab1', ...EMPTY })
    await lab.done('machine.start', { machine: 'lab1' })
    expect(failureIn(await lab.ended('machine.start', { machine: 'lab1' }))).toMatchObject({ code: 'wrong-state' })
    // Somebody deleted the lock file and the record: a second owner believes that nothing runs. QEMU's own lock says no.
    rmSync(join(lab.home, 'library/lock'))
    const record = readFileSync(runRecord(lab, 'lab1'))
    rmSync(runRecord(lab, 'lab1'))
    const second = await openLab({ home: lab.home, environment: { XDG_RUNTIME_DIR: join(lab.home, 'run2') } })
    expect(failureIn(await second.ended('machine.start', { machine: 'lab1' }))).toMatchObject({ code: 'in-use' })
    writeFileSync(runRecord(lab, 'lab1'), record)
    expect((await lab.machine('lab1')).state.kind).toBe('running')
  })

  it('ends as crashed when QEMU is killed, and says so; the next start is clean', async () => {
    const lab = await openLab()
    await lab.done('machine.create', { name: 'lab1', ...EMPTY })
    await lab.done('machine.start', { machine: 'lab1' })
    process.kill(await pidOf(lab, 'lab1'), 'SIGKILL')
    await until(lab, async () => (await lab.machine('lab1')).state.kind === 'crashed')
    expect((await lab.machine('lab1')).state).toMatchObject({ exit: { reason: 'QEMU was killed by SIGKILL.', signal: 'SIGKILL' } })
    await lab.done('machine.start', { machine: 'lab1' })
  })

  it('is seen as ended when QEMU was killed while nobody looked', async () => {
    const lab = await openLab()
    await lab.done('machine.create', { name: 'lab1', ...EMPTY })
    await lab.done('machine.start', { machine: 'lab1' })
    const pid = await pidOf(lab, 'lab1')
    await lab.core.close()
    process.kill(pid, 'SIGKILL')
    while (existsSync(`/proc/${pid}/exe`)) await new Promise(setImmediate)
    await lab.reopen()
    expect((await lab.machine('lab1')).state).toMatchObject({ kind: 'crashed' })
  })

  it('that ended is told how it did by the next owners too: crashed, stopped, renamed, restored', async () => {
    const lab = await openLab()
    await lab.done('machine.create', { name: 'lab1', ...EMPTY })
    await lab.done('machine.start', { machine: 'lab1' })
    process.kill(await pidOf(lab, 'lab1'), 'SIGKILL')
    await until(lab, async () => (await lab.machine('lab1')).state.kind === 'crashed')
    const { state: crashed } = await lab.machine('lab1')
    expect(crashed).toMatchObject({ exit: { reason: 'QEMU was killed by SIGKILL.', signal: 'SIGKILL' } })
    await lab.reopen()
    expect((await lab.machine('lab1')).state).toEqual(crashed)
    expect((await lab.call('machine.list', {}))[0]?.state).toEqual(crashed)
    await lab.call('machine.rename', { machine: 'lab1', name: 'lab2' })
    await lab.call('machine.remove', { machine: 'lab2' })
    expect((await lab.call('machine.restore-removed', { removed: 'lab2' })).state).toEqual(crashed)

    await lab.done('machine.start', { machine: 'lab2' })
    const { state: stopped } = await lab.done('machine.stop', { machine: 'lab2', force: true })
    await lab.reopen()
    expect((await lab.machine('lab2')).state).toEqual(stopped)
  })

  it('that ended while its end was being recorded is told so once, and one with a damaged record can be used', async () => {
    const lab = await openLab()
    await lab.done('machine.create', { name: 'lab1', ...EMPTY })
    await lab.done('machine.start', { machine: 'lab1' })
    const record = readFileSync(runRecord(lab, 'lab1'))
    const { state } = await lab.done('machine.stop', { machine: 'lab1', force: true })
    await lab.core.close()
    writeFileSync(runRecord(lab, 'lab1'), record)
    await lab.reopen()
    expect((await lab.machine('lab1')).state).toEqual(state)
    expect(existsSync(runRecord(lab, 'lab1'))).toBe(false)
    writeFileSync(join(lab.home, 'library/machines/lab1/exit.json'), '{"schemaVersion": 1')
    await lab.reopen()
    expect((await lab.machine('lab1')).state).toEqual({ kind: 'created' })
    await lab.done('machine.start', { machine: 'lab1' })
  })

  it('that is killed while the library is being opened has crashed, and is neither out of reach nor listed twice', async () => {
    const lab = await openLab()
    await lab.done('machine.create', { name: 'lab1', ...EMPTY })
    for (const afterMs of [0, 5, 20, 60]) {
      await lab.done('machine.start', { machine: 'lab1' })
      const pid = await pidOf(lab, 'lab1')
      await lab.core.close()
      const opened = lab.open()
      await delay(afterMs)
      process.kill(pid, 'SIGKILL')
      await opened
      await until(lab, async () => (await lab.machine('lab1')).state.kind === 'crashed')
      expect((await lab.call('machine.list', {})).map(({ name, state }) => `${name} ${state.kind}`)).toEqual(['lab1 crashed'])
    }
  })

  it('is not taken for another process that has its pid now', async () => {
    const lab = await openLab()
    await lab.done('machine.create', { name: 'lab1', ...EMPTY })
    await lab.done('machine.start', { machine: 'lab1' })
    const record = JSON.parse(readFileSync(runRecord(lab, 'lab1'), 'utf8')) as object
    await lab.done('machine.stop', { machine: 'lab1', force: true })
    await lab.core.close()
    writeFileSync(runRecord(lab, 'lab1'), JSON.stringify({ ...record, pid: process.pid, startedAtMs: Date.now() }))
    await lab.reopen()
    expect((await lab.machine('lab1')).state.kind).toBe('crashed')
    await lab.done('machine.start', { machine: 'lab1' })
  })

  it('is unreachable when its sockets are gone, and can then be ended by force', async () => {
    const lab = await openLab()
    await lab.done('machine.create', { name: 'lab1', ...EMPTY })
    await lab.done('machine.start', { machine: 'lab1' })
    await lab.core.close()
    rmSync(join(lab.home, 'run'), { recursive: true })
    await lab.reopen()
    expect((await lab.machine('lab1')).state.kind).toBe('unreachable')
    await lab.done('machine.stop', { machine: 'lab1', force: true })
    expect((await lab.machine('lab1')).state.kind).toBe('stopped')
  })

  it('is offered force when the guest does not power off in time', async () => {
    const lab = await openLab()
    await lab.done('machine.create', { name: 'lab1', ...EMPTY })
    await lab.done('machine.start', { machine: 'lab1' })
    const task = await lab.ended('machine.stop', { machine: 'lab1', timeoutSeconds: 0.5 })
    expect(failureIn(task)).toMatchObject({ code: 'time-out' })
    expect((await lab.machine('lab1')).state).toMatchObject({ kind: 'stopping', askedBy: 'acpi', overdue: true })
    await lab.done('machine.stop', { machine: 'lab1', force: true })
    expect((await lab.machine('lab1')).state).toMatchObject({ kind: 'stopped', exit: { reason: 'Ended by force.' } })
  })

  it('is not held up by a wait for its agent: the wait can be cancelled, and the machine runs on', async () => {
    const lab = await openLab()
    await lab.done('machine.create', { name: 'lab1', ...EMPTY })
    const { taskId } = await lab.call('machine.start', { machine: 'lab1', wait: 'agent' })
    await until(lab, async () => (await lab.call('task.show', { taskId })).phase === 'waiting for the guest agent')
    await lab.call('task.cancel', { taskId })
    expect((await lab.call('task.wait', { taskId })).state.kind).toBe('cancelled')
    expect((await lab.machine('lab1')).state.kind).toBe('running')
  })

  it('leaves no QEMU behind when its start is cancelled', async () => {
    const lab = await openLab()
    await lab.done('machine.create', { name: 'lab1', ...EMPTY })
    const { taskId } = await lab.call('machine.start', { machine: 'lab1' })
    await lab.call('task.cancel', { taskId })
    expect((await lab.call('task.wait', { taskId })).state.kind).toBe('cancelled')
    expect((await lab.machine('lab1')).state.kind).toBe('created')
    await lab.done('machine.start', { machine: 'lab1' })
  })

  it('is paused, resumed and reset', async () => {
    const lab = await openLab()
    await lab.done('machine.create', { name: 'lab1', ...EMPTY })
    await lab.done('machine.start', { machine: 'lab1', paused: true })
    expect((await lab.machine('lab1')).state).toMatchObject({ kind: 'paused', reason: 'it was started paused' })
    expect((await lab.call('machine.resume', { machine: 'lab1' })).state.kind).toBe('running')
    expect((await lab.call('machine.pause', { machine: 'lab1' })).state).toMatchObject({ kind: 'paused', reason: 'paused' })
    await lab.reopen()
    expect((await lab.machine('lab1')).state.kind).toBe('paused')
    await lab.call('machine.resume', { machine: 'lab1' })
    await lab.call('machine.reset', { machine: 'lab1' })
    expect(await lab.refused('machine.resume', { machine: 'lab1' })).toMatchObject({ code: 'wrong-state' })
  })

  it('starts with UEFI and a TPM', async () => {
    const lab = await openLab()
    await lab.done('machine.create', { name: 'lab1', ...EMPTY, firmware: 'uefi', tpm: true })
    await lab.done('machine.start', { machine: 'lab1' })
    expect((await lab.call('monitor.run', { machine: 'lab1', line: 'info tpm' })).output).toContain('tpm-crb')
  })
})
