import { existsSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { failureIn, openLab, until, type Lab } from '../support/lab'
import { smallFileSystem } from '../support/scratch'

/** A machine without a system starts in a moment; its firmware finds nothing to boot and takes no notice of ACPI. */
const EMPTY = { source: 'none', disk: '10M', memory: '64M', cpus: 1, network: [] }
const pidOf = async (lab: Lab, name: string): Promise<number> => {
  const { state } = await lab.machine(name)
  if (!('pid' in state)) throw new Error(`${name} is ${state.kind}`)
  return state.pid
}
const runRecord = (lab: Lab, name: string): string => join(lab.home, 'library/machines', name, 'run.json')

describe('a machine from the built-in guest', () => {
  it('is created, started, used through its agent, and stopped in good order', async () => {
    const lab = await openLab()
    await lab.done('machine.create', { name: 'Übung 1', tag: ['course'] })
    const started = await lab.done('machine.start', { machine: 'Übung 1', wait: 'agent' })
    expect(started).toMatchObject({ state: { kind: 'running' }, agent: true, accelerator: 'tcg' })
    const ran = await lab.call('guest.exec', { machine: 'Übung 1', command: ['sh', '-c', 'hostname; echo wrong >&2; exit 3'] })
    expect(ran).toMatchObject({ exitCode: 3, stdout: 'ubung-1\n', stderr: 'wrong\n' })
    expect((await lab.call('guest.exec', { machine: 'Übung 1', command: ['cat'], input: 'from the host' })).stdout).toBe('from the host')
    expect((await lab.call('guest.info', { machine: 'Übung 1' })).hostname).toBe('ubung-1')
    expect((await lab.call('monitor.run', { machine: 'Übung 1', line: 'info status' })).output).toContain('running')
    expect(await lab.call('qmp.run', { machine: 'Übung 1', command: 'query-name' })).toEqual({ return: { name: 'Übung 1' } })
    const screen = await lab.call('machine.screenshot', { machine: 'Übung 1' })
    expect(Buffer.from(screen.pngBase64 ?? '', 'base64').subarray(1, 4).toString()).toBe('PNG')
    expect((await lab.call('machine.metrics', { machine: 'Übung 1' })).diskReadBytes).toBeGreaterThan(0)
    const stopped = await lab.done('machine.stop', { machine: 'Übung 1' })
    expect(stopped.state).toMatchObject({ kind: 'stopped', exit: { reason: 'The guest powered off.' } })
  })

  it('keeps on its disk what its guest wrote', async () => {
    const lab = await openLab()
    await lab.done('machine.create', { name: 'lab1' })
    await lab.done('machine.start', { machine: 'lab1', wait: 'agent' })
    await lab.call('guest.exec', { machine: 'lab1', command: ['sh', '-c', 'echo kept > /root/file'] })
    await lab.done('machine.stop', { machine: 'lab1' })
    await lab.done('machine.start', { machine: 'lab1', wait: 'agent' })
    expect((await lab.call('guest.exec', { machine: 'lab1', command: ['cat', '/root/file'] })).stdout).toBe('kept\n')
  })

  it('reaches another one over an isolated network', async () => {
    const lab = await openLab()
    for (const [name, address] of [['a', '10.9.0.1/24'], ['b', '10.9.0.2/24']] as const) {
      await lab.done('machine.create', { name, network: ['isolated:lab'], display: false })
      await lab.done('machine.start', { machine: name, wait: 'agent' })
      await lab.call('guest.exec', { machine: name, command: ['sh', '-c', `until [ -e /sys/class/net/eth0 ]; do sleep 0.1; done; ip link set eth0 up; ip addr add ${address} dev eth0`] })
    }
    const ping = await lab.call('guest.exec', { machine: 'a', command: ['ping', '-c', '2', '-W', '5', '10.9.0.2'] })
    expect(ping).toMatchObject({ exitCode: 0 })
  })
})

describe('firmware', () => {
  it('UEFI boots the built-in guest', async () => {
    const lab = await openLab()
    await lab.done('machine.create', { name: 'efi', firmware: 'uefi' })
    await lab.done('machine.start', { machine: 'efi', wait: 'agent', timeoutSeconds: 60 })
    const found = await lab.call('guest.exec', { machine: 'efi', command: ['test', '-d', '/sys/firmware/efi'] })
    expect(found.exitCode).toBe(0)
  })
})

describe('a machine’s console', () => {
  it('shows everything since the start to every viewer, and takes input', async () => {
    const lab = await openLab()
    await lab.done('machine.create', { name: 'lab1' })
    await lab.done('machine.start', { machine: 'lab1', wait: 'agent' })
    const opened = await lab.core.openStream('console', { machine: 'lab1' })
    if (!opened.ok) throw new Error(opened.error.message)
    let seen = ''
    opened.value.on('data', (bytes: Buffer) => (seen += bytes.toString()))
    await until(lab, () => seen.includes('# '))
    opened.value.write('echo sum-$((6*7))\n')
    await until(lab, () => seen.includes('sum-42'))
    const second = await lab.core.openStream('console', { machine: 'lab1' })
    if (!second.ok) throw new Error(second.error.message)
    let again = ''
    second.value.on('data', (bytes: Buffer) => (again += bytes.toString()))
    await until(lab, () => again.includes('sum-42'))
    const ended = new Promise((resolve) => opened.value.on('end', resolve))
    await lab.done('machine.stop', { machine: 'lab1', force: true })
    await ended
    second.value.destroy()
    expect((await lab.call('console.log', { machine: 'lab1' })).text).toContain('sum-42')
  })

  it('gives its connection up in a flood until the next key, and nothing of the flood or the keys is lost', async () => {
    const lab = await openLab()
    await lab.done('machine.create', { name: 'lab1' })
    await lab.done('machine.start', { machine: 'lab1', wait: 'agent' })
    const opened = await lab.core.openStream('console', { machine: 'lab1' })
    if (!opened.ok) throw new Error(opened.error.message)
    const viewer = opened.value.resume()
    const connected = async (): Promise<boolean> =>
      !(await lab.call('monitor.run', { machine: 'lab1', line: 'info chardev' })).output.includes('serial0: filename=disconnected')
    const printing = lab.call('guest.exec', { machine: 'lab1', command: ['sh', '-c', 'seq 1 150000 > /dev/ttyS0; echo flood-over > /dev/ttyS0'] })
    for (let key = 0; key < 6; key++) {
      viewer.write(' ')
      await until(lab, connected)
      await until(lab, async () => !(await connected()))
    }
    await printing
    await until(lab, async () => (await lab.call('console.log', { machine: 'lab1' })).text.includes('flood-over'))
    // The shell echoes the keys among the numbers.
    const text = (await lab.call('console.log', { machine: 'lab1', tailBytes: 4 * 2 ** 20 })).text.replaceAll(' ', '')
    const numbers = Array.from({ length: 150_000 }, (_, index) => index + 1).join('\r\n')
    // A byte that QEMU could not write at once is in its log twice: what is looked for is whether one is missing.
    let at = 0
    for (const character of text.slice(text.indexOf('1\r\n2\r\n3'))) if (character === numbers[at]) at++
    expect(at).toBe(numbers.length)
    viewer.write('echo sum-$((6*7))\n')
    await until(lab, async () => (await lab.call('console.log', { machine: 'lab1' })).text.includes('sum-42'))
    viewer.destroy()
  })

  it('of a machine that never ran is empty, and is an end at once', async () => {
    const lab = await openLab()
    await lab.done('machine.create', { name: 'lab1', ...EMPTY })
    expect(await lab.call('console.log', { machine: 'lab1' })).toEqual({ text: '', totalBytes: 0 })
    const opened = await lab.core.openStream('console', { machine: 'lab1' })
    if (!opened.ok) throw new Error(opened.error.message)
    expect(await opened.value.toArray()).toEqual([])
  })
})

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

describe('a start that cannot be', () => {
  it('names the host port that is in use', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    onTestFinished(() => void server.close())
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : 0
    const lab = await openLab()
    await lab.done('machine.create', { name: 'lab1', ...EMPTY, network: ['user'], forward: [`tcp:${port}:22`] })
    const error = failureIn(await lab.ended('machine.start', { machine: 'lab1' }))
    expect(error).toMatchObject({ code: 'qemu-exited', message: `The host port ${port}/tcp that is to be forwarded is already in use.` })
    expect((await lab.machine('lab1')).state.kind).toBe('created')
  })

  it('names a file that is missing', async () => {
    const lab = await openLab()
    await lab.done('machine.create', { name: 'lab1', ...EMPTY })
    rmSync(join(lab.home, 'library/machines/lab1/disks/disk0.qcow2'))
    expect(failureIn(await lab.ended('machine.start', { machine: 'lab1' }))).toMatchObject({ code: 'not-found' })
  })

  it('says that QEMU is missing, and how to install it', async () => {
    const lab = await openLab({ environment: { PATH: '/nowhere' } })
    expect((await lab.call('host.show', {})).qemuMissing?.install).toContain('qemu-system-x86')
    await lab.core.close()
    await lab.reopen()
    expect(await lab.call('machine.list', {})).toEqual([])
  })
})

describe('an image that is removed while a machine is made on it', () => {
  it('stays, or the machine is refused: never both, whoever is first', async () => {
    const lab = await openLab()
    const file = join(lab.home, 'disk.raw')
    const ends = new Set<string>()
    for (let round = 0; round < 24; round++) {
      writeFileSync(file, Buffer.alloc(2 ** 20, 1))
      const name = `disk${round}`
      const image = await lab.done('image.import', { path: file, name, kind: 'disk', format: 'raw' })
      const [made, removed] = await Promise.all([
        lab.ended('machine.create', { name: `lab${round}`, source: name, copy: round % 2 === 0 }),
        delay(round / 2).then(() => lab.core.call('image.remove', { image: name }))
      ])
      ends.add(made.state.kind)
      if (made.state.kind === 'done') {
        expect(removed).toMatchObject({ ok: false, error: { code: 'in-use', holder: expect.stringMatching(`^lab${round}`) as string } })
        expect(existsSync(image.path)).toBe(true)
      } else {
        expect(failureIn(made).code).toBe('not-found')
        expect(removed.ok).toBe(true)
        expect(existsSync(image.path)).toBe(false)
      }
    }
    expect([...ends].sort()).toEqual(['done', 'failed'])
  })
})

describe('the library of machines', () => {
  it('brings a deleted machine back, as it was', async () => {
    const lab = await openLab()
    await lab.done('machine.create', { name: 'lab1', ...EMPTY, tag: ['kept'] })
    const { trashId } = await lab.call('machine.remove', { machine: 'lab1' })
    expect(await lab.call('machine.list', {})).toEqual([])
    await lab.reopen()
    expect(await lab.call('machine.list-removed', {})).toMatchObject([{ trashId, name: 'lab1' }])
    expect((await lab.call('machine.restore-removed', { removed: 'lab1' })).definition?.tags).toEqual(['kept'])
    await lab.done('machine.start', { machine: 'lab1' })
    expect(await lab.refused('machine.remove', { machine: 'lab1' })).toMatchObject({ code: 'wrong-state' })
  })

  it('is cleared of what writes that were cut off left: of ours only, and of old ones only', async () => {
    const lab = await openLab()
    await lab.done('machine.create', { name: 'lab1', ...EMPTY })
    await lab.done('machine.create', { name: 'lab2', ...EMPTY })
    const { trashId } = await lab.call('machine.remove', { machine: 'lab2' })
    await lab.core.close()
    const library = join(lab.home, 'library')
    const left = ['.settings.json.0123456789ab', 'machines/lab1/.machine.json.0123456789ab', 'cache/.qemu.json.0123456789ab', `trash/${trashId}/machine/.exit.json.0123456789ab`]
    const kept = ['.settings.json.ba9876543210', '.mine', 'machines/lab1/.notes.txt', 'machines/lab1/disks/.disk0.qcow2.0123456789ab', '0123456789ab']
    for (const file of [...left, ...kept]) writeFileSync(join(library, file), 'half')
    const old = Date.now() / 1000 - 3600
    for (const file of [...left, ...kept.slice(1)]) utimesSync(join(library, file), old, old)
    mkdirSync(join(library, '.folder.0123456789ab'))
    utimesSync(join(library, '.folder.0123456789ab'), old, old)
    await lab.reopen()
    expect(left.filter((file) => existsSync(join(library, file)))).toEqual([])
    expect([...kept, '.folder.0123456789ab'].filter((file) => !existsSync(join(library, file)))).toEqual([])
    await lab.done('machine.start', { machine: 'lab1' })
  })

  it('renames a machine with its folder, and refuses names that are taken or look taken', async () => {
    const lab = await openLab()
    await lab.done('machine.create', { name: 'lab1', ...EMPTY })
    await lab.done('machine.create', { name: 'lab2', ...EMPTY })
    expect((await lab.call('machine.rename', { machine: 'lab1', name: 'Größe' })).name).toBe('Größe')
    expect(await lab.refused('machine.rename', { machine: 'lab2', name: 'GRÖSSE'.replace('SS', 'ß') })).toMatchObject({ code: 'already-exists' })
    expect(failureIn(await lab.ended('machine.create', { name: 'LAB2', ...EMPTY }))).toMatchObject({ code: 'already-exists' })
    await lab.reopen()
    await lab.done('machine.start', { machine: 'Größe' })
  })

  it('refuses bad input by the name of its field', async () => {
    const lab = await openLab()
    for (const [input, field] of [
      [{ name: '' }, 'name'],
      [{ name: '../../etc' }, 'name'],
      [{ name: 'a', memory: 'lots' }, 'memory'],
      [{ name: 'a', cpus: '2' }, 'cpus'],
      [{ name: 'a', forward: ['tcp:0:22'] }, 'forward.0'],
      [{ name: 'a', network: ['bridge:../x'] }, 'network.0'],
      [{ name: 'a', colour: 'red' }, 'colour']
    ] as const) {
      expect(await lab.refused('machine.create', input)).toMatchObject({ code: 'bad-input', field })
    }
    expect(await lab.refused('machine.fly' as never, {})).toMatchObject({ code: 'unknown-operation' })
    expect(await lab.refused('machine.show', { machine: 'nobody' })).toMatchObject({ code: 'not-found' })
  })

  it('lists a damaged machine, and one of a newer version, with the reason, and leaves their files alone', async () => {
    const lab = await openLab()
    await lab.done('machine.create', { name: 'bad', ...EMPTY })
    await lab.done('machine.create', { name: 'newer', ...EMPTY })
    const newer = join(lab.home, 'library/machines/newer/machine.json')
    const text = readFileSync(newer, 'utf8').replace('"schemaVersion": 1', '"schemaVersion": 99')
    await lab.core.close()
    writeFileSync(join(lab.home, 'library/machines/bad/machine.json'), '{"schemaVersion": 1, "name"')
    writeFileSync(newer, text)
    await lab.reopen()
    expect((await lab.call('machine.list', {})).map((machine) => machine.state)).toMatchObject([
      { kind: 'broken', message: expect.stringContaining('damaged') as string },
      { kind: 'broken', message: expect.stringContaining('newer version') as string }
    ])
    expect(await lab.refused('machine.edit', { machine: 'newer', cpus: 1 })).toMatchObject({ code: 'bad-file' })
    expect(readFileSync(newer, 'utf8')).toBe(text)
  })

  it('leaves nothing behind when the disk is full', async () => {
    const home = smallFileSystem(2 * 2 ** 20)
    if (home === null) return expect(process.getuid?.()).not.toBe(0)
    const lab = await openLab({ home })
    writeFileSync(join(home, 'filler'), Buffer.alloc(2 ** 20))
    const fill = (): void => {
      try {
        for (let n = 0; ; n++) writeFileSync(join(home, `filler${n}`), Buffer.alloc(4096))
      } catch {
        // full now
      }
    }
    fill()
    const task = await lab.core.call('machine.create', { name: 'lab1', ...EMPTY })
    if (task.ok) {
      const ended = await lab.call('task.wait', { taskId: (task.value as { taskId: string }).taskId })
      expect(failureIn(ended)).toMatchObject({ code: 'no-space' })
    }
    expect(await lab.call('machine.list', {})).toEqual([])
    rmSync(join(home, 'filler'))
    await lab.done('machine.create', { name: 'lab1', ...EMPTY })
  })

  it('has one owner at a time', async () => {
    const lab = await openLab()
    const second = await openLab({ home: lab.home }).catch((error: unknown) => error)
    expect(second).toMatchObject({ error: { code: 'library-owned' } })
  })
})
