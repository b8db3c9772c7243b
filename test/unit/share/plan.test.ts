import { describe, expect, it } from 'vitest'
import type { MachineState } from '#contract'
import { planServer, type Situation } from '#core/share/plan'
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
