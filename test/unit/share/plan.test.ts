import { describe, expect, it } from 'vitest'
import { NO_LIMITS, type MachineState } from '#contract'
import { clientOfExport, exportId, planServer, type Situation } from '#core/share/plan'
import { versionFor } from '#core/share/versions'
import { daemonArguments } from '#core/share/daemon'
import { runtimePaths } from '#core/library/paths'

const off: MachineState = { kind: 'created' }
const running: MachineState = { kind: 'running', pid: 1, sinceMs: 0 }
const starting: MachineState = { kind: 'starting', sinceMs: 0 }
const unreachable: MachineState = { kind: 'unreachable', pid: 1, message: '' }
const planned = (owner: MachineState | null, more: Partial<Situation> = {}): string => planServer({ owner, ending: false, occupied: false, needed: 1, ...more })

describe('who serves a shared disk', () => {
  it('is nobody while no client runs, whatever the owner does', () => {
    for (const owner of [off, running, starting, unreachable, null]) expect(planned(owner, { needed: 0 })).toBe('idle')
  })

  it('is the owner while it runs, and a storage daemon while it is off', () => {
    expect(planned(running)).toBe('machine')
    expect(planned({ kind: 'paused', pid: 1, sinceMs: 0, reason: '' })).toBe('machine')
    expect(planned(off)).toBe('daemon')
  })

  it('is neither while the files pass from one to the other', () => {
    expect(planned(starting)).toBe('moving')
    expect(planned(off, { occupied: true })).toBe('moving')
    expect(planned(running, { ending: true })).toBe('moving')
  })

  it('is never a daemon while a QEMU may have the files open, or nobody knows the files', () => {
    expect(planned(unreachable)).toBe('moving')
    expect(planned(null)).toBe('moving')
  })
})

describe('what a client is served', () => {
  const ids = { owner: '11111111-0000-4000-8000-000000000000', reader: '22222222-0000-4000-8000-000000000000' }
  const record = { mode: 'rw' as const, machineId: ids.owner, writer: null, clients: [{ machineId: ids.reader, addedAtMs: 0, version: 3, limits: NO_LIMITS }] }

  it('is the version that it was given, unless it writes', () => {
    expect(versionFor(record, ids.reader)).toBe(3)
    expect(versionFor({ ...record, writer: ids.reader }, ids.reader)).toBeNull()
    expect(versionFor(record, ids.owner)).toBeNull()
  })

  it('is told by the name of its export', () => {
    const named = (writes: boolean, version: number | null, writeThrough = false): string => exportId('01234567', ids.reader, { transport: 'vhost-user-blk', writes, version, writeThrough })
    expect([named(false, null), named(true, null), named(false, 3)]).toEqual(['share-01234567-22222222', 'share-01234567-22222222-w', 'share-01234567-22222222-v3'])
    // How writes are answered makes another export of who writes, and changes nothing for others.
    expect([named(true, null, true), named(false, null, true)]).toEqual(['share-01234567-22222222-wt', 'share-01234567-22222222'])
    expect(clientOfExport('share-01234567-22222222-nbd-wt', '01234567')).toBe('22222222')
  })
})

describe('the storage daemon', () => {
  it('is started with a monitor and the image; a comma in a path is doubled', () => {
    const runtime = runtimePaths('/run, s').share('01234567')
    expect(daemonArguments(runtime, { driver: 'qcow2', 'node-name': 'disk0-1' })).toEqual([
      ...['--chardev', 'socket,id=qmp,path=/run,, s/share-01234567/qmp.sock,server=on,wait=off'],
      ...['--monitor', 'chardev=qmp'],
      ...['--blockdev', '{"driver":"qcow2","node-name":"disk0-1"}']
    ])
  })
})
