import { describe, expect, it } from 'vitest'
import { openLab } from '../support/lab'

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

  it('powers off when it can, when it is asked to before its guest is up', async () => {
    const lab = await openLab()
    await lab.done('machine.create', { name: 'lab1', display: false, network: [] })
    await lab.done('machine.start', { machine: 'lab1' })
    const stopped = await lab.done('machine.stop', { machine: 'lab1', timeoutSeconds: 60 })
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
