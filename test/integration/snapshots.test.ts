import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { interfaceIdentifier } from '#core/snapshot/identity'
import { failureIn, openLab, until, type Lab } from '../support/lab'
import { readPattern, writePattern } from '../support/pattern'

const MiB = 2 ** 20
const D = { machine: 'lab1', disk: 'disk0' }

/** Runs a shell line in the guest; it has to succeed. */
async function sh(lab: Lab, machine: string, line: string): Promise<string> {
  const { exitCode, stdout, stderr } = await lab.call('guest.exec', { machine, command: ['/bin/sh', '-c', line] })
  if (exitCode !== 0) throw new Error(`“${line}” in ${machine}: ${exitCode} ${stdout} ${stderr}`)
  return stdout.trim()
}

async function runningGuest(): Promise<Lab> {
  const lab = await openLab()
  await lab.done('machine.create', { name: 'lab1', memory: '256M' })
  await lab.done('machine.start', { machine: 'lab1', wait: 'agent' })
  return lab
}

/** A machine without a guest: what runs is its firmware. Quick, and enough where nothing in the guest is looked at. */
async function withoutGuest(given: object = {}): Promise<Lab> {
  const lab = await openLab()
  await lab.done('machine.create', { name: 'lab1', source: 'none', disk: '64M', memory: '64M', cpus: 1, network: [], ...given })
  return lab
}

/** The program that takes a machine's memory for a snapshot, while there is one. */
function receiverOf(lab: Lab): number | null {
  const words = (pid: string): string[] => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
    } catch {
      return [] // it has ended
    }
  }
  const found = readdirSync('/proc').find((pid) => /^\d+$/.test(pid) && words(pid)[0]?.endsWith('/receive') && words(pid)[2]?.startsWith(lab.home))
  return found === undefined ? null : Number(found)
}

const listed = async (lab: Lab): Promise<string[]> => (await lab.call('snapshot.list', {})).map((snapshot) => snapshot.name)
const folders = (lab: Lab): string[] => [...readdirSync(join(lab.home, 'library/snapshots')), ...readdirSync(join(lab.home, 'library/unfinished'))]
const write = async (lab: Lab, letter: string, at = 0): Promise<void> => writePattern(await lab.call('disk.show', D), letter, at, MiB)
const reads = async (lab: Lab, letter: string, at = 0): Promise<void> => readPattern(await lab.call('disk.show', D), letter, at, MiB)

describe('a snapshot of a running guest', () => {
  it('is taken while the guest goes on, and brings back memory and disk as of one instant', async () => {
    const lab = await runningGuest()
    await sh(lab, 'lab1', 'echo disk-one >/root/file; sync; echo ram-one >/dev/shm/file')
    expect(await lab.call('snapshot.plan', { machine: 'lab1' })).toMatchObject({ method: 'copied', reason: null, problem: null })
    const first = await lab.done('snapshot.take', { machine: 'lab1', name: 'first', note: 'ready' })
    expect(first).toMatchObject({ name: 'first', note: 'ready', machine: 'lab1', was: 'running', method: 'copied', parentId: null, here: ['lab1'], problem: null, screen: true })
    expect((await lab.machine('lab1')).state.kind).toBe('running')
    expect((await lab.call('snapshot.screen', { snapshot: 'first' })).pngBase64).toMatch(/^iVBOR/)
    await sh(lab, 'lab1', 'echo disk-two >/root/file; sync; echo ram-two >/dev/shm/file')
    const { kept, machine } = await lab.done('snapshot.restore', { snapshot: 'first' })
    expect(machine.state.kind).toBe('running')
    await until(lab, async () => (await lab.machine('lab1')).agent === true, 60_000)
    expect(kept).toMatchObject({ parentId: first.id, was: 'running' })
    expect(await sh(lab, 'lab1', 'cat /root/file /dev/shm/file')).toBe('disk-one\nram-one')
    await lab.done('snapshot.restore', { snapshot: kept!.id, keep: false })
    expect(await sh(lab, 'lab1', 'cat /root/file /dev/shm/file')).toBe('disk-two\nram-two')

    // A machine that goes on from a snapshot has its memory mapped from that: it stands still for the next one, and says so beforehand.
    const plan = await lab.call('snapshot.plan', { machine: 'lab1' })
    expect(plan).toMatchObject({ method: 'stopped', reason: expect.stringContaining('mapped from a file') as string })
    const third = await lab.done('snapshot.take', { machine: 'lab1', name: 'third' })
    expect(third).toMatchObject({ parentId: kept!.id, method: 'stopped', was: 'running' })
    await lab.call('snapshot.remove', { snapshot: kept!.id })
    expect(await lab.call('snapshot.show', { snapshot: 'third' })).toMatchObject({ parentId: first.id, here: ['lab1'] })
    await lab.reopen()
    const { machine: waiting } = await lab.done('snapshot.restore', { snapshot: 'third', keep: false, paused: true })
    expect(waiting).toMatchObject({ state: { kind: 'paused' }, agent: false }) // it has not run yet: nobody can tell
    await lab.call('machine.resume', { machine: 'lab1' })
    await until(lab, async () => (await lab.machine('lab1')).agent === true, 60_000)
    expect(await sh(lab, 'lab1', 'cat /root/file /dev/shm/file')).toBe('disk-two\nram-two')
  })

  it('makes many machines, each with an identity and a disk of its own', async () => {
    const lab = await runningGuest()
    await sh(lab, 'lab1', 'echo same >/root/file; echo here >/dev/shm/file')
    await lab.done('snapshot.take', { machine: 'lab1', name: 'class' })
    const { machines, renewals } = await lab.done('snapshot.fork', { snapshot: 'class', count: 3, prefix: 'ws' })
    const names = ['ws-1', 'ws-2', 'ws-3']
    expect(machines.map((machine) => [machine.name, machine.state.kind])).toEqual(names.map((name) => [name, 'running']))
    for (const { renewed } of renewals) expect(renewed.map((what) => what.split(':')[0])).toEqual(['VM generation id', 'random numbers', 'clock', 'host name', 'network addresses'])
    for (const name of names) {
      expect(await sh(lab, name, 'hostname; cat /root/file /dev/shm/file')).toBe(`${name}\nsame\nhere`)
      await sh(lab, name, `echo ${name} >/root/file; echo ${name} >/dev/shm/file; sync`)
    }
    for (const name of names) expect(await sh(lab, name, 'cat /root/file /dev/shm/file')).toBe(`${name}\n${name}`)
    expect(await sh(lab, 'lab1', 'hostname; cat /root/file')).toBe('lab1\nsame')
    const addresses = new Set<string>()
    for (const name of ['lab1', ...names]) addresses.add(await sh(lab, name, 'cat /sys/class/net/eth0/address'))
    expect(addresses.size).toBe(4)
    expect(addresses).toContain(machines[0]!.definition!.nics[0]!.mac)
    for (const { name, definition } of machines) {
      expect(await sh(lab, name, 'cat /etc/hostname; grep 127.0 /etc/hosts')).toBe(`${name}\n127.0.0.1\tlocalhost\n127.0.1.1 ${name}`)
      // An address that the kernel has made of the other one's would be the same in all of them.
      const linkLocal = `fe80000000000000${interfaceIdentifier(definition!.nics[0]!.mac)}`
      await until(lab, async () => (await sh(lab, name, 'cut -d " " -f 1 /proc/net/if_inet6')).split('\n').includes(linkLocal), 60_000)
      expect((await sh(lab, name, 'grep eth0 /proc/net/if_inet6')).split('\n').filter((line) => line.startsWith('fe80'))).toHaveLength(1)
    }
    const { machine: clone } = await lab.done('machine.clone', { machine: 'ws-1', name: 'ws-1 again' })
    expect(clone.state.kind).toBe('running')
    expect(await sh(lab, 'ws-1 again', 'hostname; cat /root/file /dev/shm/file')).toBe('ws-1-again\nws-1\nws-1')
    expect(await listed(lab)).toEqual(['class'])
    // What they stand on can go: each keeps what it needs.
    await lab.call('snapshot.remove', { snapshot: 'class' })
    await sh(lab, 'ws-1', 'echo 3 >/proc/sys/vm/drop_caches; cat /bin/busybox >/dev/null; cat /root/file')
  })
})

describe('a snapshot of a machine that stands still', () => {
  it('of one that is off holds its disks, and takes it back to them', async () => {
    const lab = await withoutGuest()
    await write(lab, 'a')
    await lab.done('snapshot.take', { machine: 'lab1', name: 'one' })
    await write(lab, 'b')
    await lab.done('snapshot.take', { machine: 'lab1', name: 'two' })
    await write(lab, 'c')
    const { kept } = await lab.done('snapshot.restore', { snapshot: 'one' })
    await reads(lab, 'a')
    expect((await lab.machine('lab1')).state.kind).not.toBe('running')
    await lab.call('snapshot.remove', { snapshot: 'one' })
    await reads(lab, 'a')
    await lab.done('snapshot.restore', { snapshot: 'two', keep: false })
    await reads(lab, 'b')
    await lab.done('snapshot.restore', { snapshot: kept!.id, keep: false })
    await reads(lab, 'c')
    expect(await listed(lab)).toEqual(['two', kept!.name])
  })

  it('of a paused one leaves it paused, and one that is halted afterwards is off', async () => {
    const lab = await withoutGuest()
    await lab.done('machine.start', { machine: 'lab1', paused: true })
    expect(await lab.done('snapshot.take', { machine: 'lab1', name: 'paused' })).toMatchObject({ was: 'paused', method: 'copied', stallMs: 0 })
    expect((await lab.machine('lab1')).state).toMatchObject({ kind: 'paused', reason: 'memory saved' })
    expect(failureIn(await lab.ended('snapshot.take', { machine: 'lab1' }))).toMatchObject({ code: 'unsupported' })
    // What it is now is that snapshot: it need not be kept once more to go back.
    const back = await lab.done('snapshot.restore', { snapshot: 'paused' })
    expect(back).toMatchObject({ kept: { name: 'paused' }, machine: { state: { kind: 'paused' } } })
    // Nobody takes away what a machine is being taken back to.
    const removed = new Promise((resolve) => {
      const stop = lab.core.onEvent((event) => {
        if (event.kind !== 'task-changed' || event.task.phase !== 'switching to the snapshot' || event.task.state.kind !== 'running') return
        stop()
        resolve(lab.core.call('snapshot.remove', { snapshot: 'paused' }))
      })
    })
    await lab.done('snapshot.restore', { snapshot: 'paused', keep: false })
    expect(await removed).toMatchObject({ ok: false, error: { code: 'in-use' } })
    await lab.call('machine.resume', { machine: 'lab1' })
    await lab.done('snapshot.take', { machine: 'lab1', name: 'halted', halt: true })
    expect((await lab.machine('lab1')).state.kind).toBe('stopped')
    expect((await lab.done('snapshot.restore', { snapshot: 'paused', keep: false })).machine.state.kind).toBe('paused')
    expect((await lab.done('snapshot.restore', { snapshot: 'halted', keep: false })).machine.state.kind).toBe('running')
  })

  it('keeps what it stands on from being written to, whoever asks', async () => {
    const lab = await withoutGuest()
    await write(lab, 'a')
    await lab.done('snapshot.take', { machine: 'lab1', name: 'one' })
    await write(lab, 'b')
    expect(failureIn(await lab.ended('overlay.commit', { ...D, history: false }))).toMatchObject({ code: 'in-use', message: expect.stringContaining('a part of the snapshot “one” too') as unknown })
    const holders = async (): Promise<string[]> => (await lab.call('disk.show', D)).files.map(({ snapshots }) => snapshots.map(({ name }) => name).join())
    expect(await holders()).toEqual(['', 'one'])
    await lab.done('overlay.renew', D)
    await lab.call('settings.edit', { historyBudget: '1M' })
    await write(lab, 'c')
    await lab.done('overlay.renew', D)
    await lab.done('snapshot.restore', { snapshot: 'one', keep: false })
    await reads(lab, 'a')
    await lab.call('snapshot.remove', { snapshot: 'one' })
    await write(lab, 'd')
    await lab.done('overlay.commit', { ...D, history: false })
    await reads(lab, 'd')
  })

  it('is renamed, gets a note, and makes new machines of other names', async () => {
    const lab = await withoutGuest()
    await lab.done('snapshot.take', { machine: 'lab1', name: 'one' })
    await lab.call('snapshot.rename', { snapshot: 'one', name: 'base' })
    expect(await lab.call('snapshot.note', { snapshot: 'base', note: 'empty' })).toMatchObject({ name: 'base', note: 'empty' })
    const { machine } = await lab.done('snapshot.restore', { snapshot: 'base', as: 'lab2' })
    expect(machine).toMatchObject({ name: 'lab2', definition: { cpus: 1 } })
    expect(await lab.refused('snapshot.show', { snapshot: 'nobody' })).toMatchObject({ code: 'not-found' })
    expect(failureIn(await lab.ended('snapshot.restore', { snapshot: 'base', as: 'lab2' }))).toMatchObject({ code: 'already-exists' })
    expect(await listed(lab)).toEqual(['base'])
  })
})

describe('what goes wrong', () => {
  it('QEMU killed while its memory is written leaves no snapshot, and the disk as the guest left it', async () => {
    const lab = await withoutGuest({ memory: '512M' })
    await write(lab, 'a')
    await lab.done('machine.start', { machine: 'lab1' })
    const { state } = await lab.machine('lab1')
    const { taskId } = await lab.call('snapshot.take', { machine: 'lab1' })
    await until(lab, async () => (await lab.call('task.show', { taskId })).log.some(({ line }) => line === 'memory is being written out'))
    process.kill((state as { pid: number }).pid, 'SIGKILL')
    const task = await lab.call('task.wait', { taskId })
    if (task.state.kind === 'done') return // it was quicker than the kill
    expect(failureIn(task)).toMatchObject({ code: 'program-failed', message: 'QEMU of “lab1” ended while its snapshot was being taken.' })
    expect(folders(lab)).toEqual([])
    await until(lab, async () => (await lab.machine('lab1')).state.kind === 'crashed')
    await reads(lab, 'a')
    await lab.done('machine.start', { machine: 'lab1' })
  })

  it('the program that takes the memory killed leaves no snapshot, the guest goes on, and the next one is taken', async () => {
    const lab = await withoutGuest({ memory: '512M' })
    await lab.done('machine.start', { machine: 'lab1' })
    const { taskId } = await lab.call('snapshot.take', { machine: 'lab1' })
    await until(lab, async () => receiverOf(lab) !== null || 'finishedAtMs' in (await lab.call('task.show', { taskId })))
    process.kill(receiverOf(lab)!, 'SIGKILL')
    expect(failureIn(await lab.call('task.wait', { taskId })).code).toMatch(/^(program-failed|qmp)$/)
    expect(folders(lab)).toEqual([])
    expect((await lab.machine('lab1')).state.kind).toBe('running')
    await lab.done('snapshot.take', { machine: 'lab1', name: 'next' })
    expect(receiverOf(lab)).toBeNull()
  })

  it('a snapshot whose files were changed is refused before anything is touched, and the machine goes on', async () => {
    const lab = await withoutGuest()
    await lab.done('machine.start', { machine: 'lab1' })
    const { id } = await lab.done('snapshot.take', { machine: 'lab1', name: 'one' })
    const file = (name: string): string => join(lab.home, 'library/snapshots', id, name)
    const { size } = statSync(file('devices'))
    const byte = (at: number): void => void execFileSync('dd', ['if=/dev/urandom', `of=${file('devices')}`, 'bs=64', 'count=1', 'conv=notrunc', `seek=${at}`], { stdio: 'ignore' })
    byte(Math.floor(size / 128))
    expect(failureIn(await lab.ended('snapshot.restore', { snapshot: 'one' }))).toMatchObject({ code: 'bad-file', message: expect.stringContaining('device state') as string })
    truncateSync(file('ram'), MiB)
    expect(failureIn(await lab.ended('snapshot.fork', { snapshot: 'one' }))).toMatchObject({ code: 'bad-file', message: expect.stringContaining('memory') as string })
    expect((await lab.machine('lab1')).state.kind).toBe('running')
    writeFileSync(file('snapshot.json'), '{')
    await lab.reopen()
    expect(await listed(lab)).toEqual([])
    expect(existsSync(file('ram'))).toBe(true)
  })

  it('what QEMU cannot load leaves the machine as it was, and no clone', async () => {
    const lab = await withoutGuest()
    await write(lab, 'a')
    await lab.done('machine.start', { machine: 'lab1' })
    const { id } = await lab.done('snapshot.take', { machine: 'lab1', name: 'one' })
    // Sound by all that can be checked beforehand: the record says that this is how it was written.
    const folder = join(lab.home, 'library/snapshots', id)
    const damaged = Buffer.alloc(4096, 7)
    writeFileSync(join(folder, 'devices'), damaged)
    const record = JSON.parse(execFileSync('cat', [join(folder, 'snapshot.json')], { encoding: 'utf8' })) as { memory: { devicesSha256: string } }
    record.memory.devicesSha256 = execFileSync('sha256sum', [join(folder, 'devices')], { encoding: 'utf8' }).split(' ')[0]!
    writeFileSync(join(folder, 'snapshot.json'), JSON.stringify(record))
    await lab.reopen()
    expect(failureIn(await lab.ended('snapshot.restore', { snapshot: 'one', as: 'lab2' }))).toMatchObject({ code: 'program-failed', message: expect.stringContaining('could not go on') as string })
    expect((await lab.call('machine.list', {})).map((machine) => machine.name)).toEqual(['lab1'])
    await lab.done('machine.stop', { machine: 'lab1', force: true })
    await write(lab, 'b', MiB)
    expect(failureIn(await lab.ended('snapshot.restore', { snapshot: 'one', keep: false }))).toMatchObject({ code: 'program-failed' })
    await reads(lab, 'b', MiB)
    await lab.done('machine.start', { machine: 'lab1' })
  })
})
