import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Lab } from './lab'
import { readPattern, writePattern } from './pattern'
import { standingBy } from './standby'

const MiB = 2 ** 20
const D = { machine: 'lab1', disk: 'disk0' }

export interface SnapshotFault {
  operation: 'snapshot.take' | 'snapshot.restore'
  input: object
  live: boolean
  whom: 'app' | 'both'
  /** A QEMU stands by for it. */
  standby?: true
}

/** A machine with a snapshot `one` of a disk with `a`, which holds `b` now. It is closed for a worker to open. */
export async function prepare(lab: Lab, { live, standby }: SnapshotFault): Promise<void> {
  await lab.done('machine.create', { name: 'lab1', source: 'none', disk: '24M', memory: '64M', cpus: 1, network: [] })
  writePattern(await lab.call('disk.show', D), 'a', 0, MiB)
  await lab.done('snapshot.take', { machine: 'lab1', name: 'one' })
  writePattern(await lab.call('disk.show', D), 'b', 0, MiB)
  if (live) await lab.done('machine.start', { machine: 'lab1' })
  if (standby) await lab.done('snapshot.take', { machine: 'lab1', name: 'live' })
  await lab.core.close()
}

/** Runs the operation with a kill at this step. @returns false when it ended before that step came */
export function strike(lab: Lab, fault: SnapshotFault, step: number): boolean {
  return struck(lab, fault, String(step))
}

/** The same with any operation. @param moment a step, or a method as "before Labs.add" */
export function struck(lab: Pick<Lab, 'environment'>, fault: Pick<SnapshotFault, 'input' | 'whom' | 'standby'> & { operation: string }, moment: string): boolean {
  const args = ['--import', 'tsx', join(import.meta.dirname, 'overlay-worker.ts'), moment, fault.whom, fault.operation, JSON.stringify(fault.input)]
  const ended = spawnSync(process.execPath, args, { env: { ...lab.environment, STRATA_GUEST: '/nonexistent', ...(fault.standby ? { STRATA_PREPARE: 'live' } : {}) }, encoding: 'utf8', timeout: 60_000 })
  if (ended.signal === 'SIGKILL') return true
  if (ended.status !== 0) throw new Error(`the worker failed: ${ended.stderr}`)
  return false
}

/** After the library was opened again: throws when anything that is listed is not whole, or the machine is neither what it was nor what it was to be. */
export async function examine(lab: Lab, fault: SnapshotFault): Promise<void> {
  if (readdirSync(join(lab.home, 'library/unfinished')).length > 0) throw new Error('something half made lies about')
  const { state } = await lab.machine('lab1')
  const left = standingBy(lab).filter((pid) => !('pid' in state) || pid !== state.pid)
  if (left.length > 0) throw new Error(`a QEMU still stands by: ${left.join(', ')}`)
  if (fault.operation === 'snapshot.take' && fault.whom === 'app' && fault.live && state.kind !== 'running') throw new Error(`the guest does not go on: ${JSON.stringify(state)}`)
  if ('pid' in state) await lab.done('machine.stop', { machine: 'lab1', force: true })
  const view = await lab.call('disk.show', D)
  try {
    readPattern(view, 'b', 0, MiB)
  } catch (error) {
    if (fault.operation !== 'snapshot.restore') throw error
    readPattern(view, 'a', 0, MiB)
  }
  await lab.done('machine.start', { machine: 'lab1' })
  for (const snapshot of await lab.call('snapshot.list', {})) {
    const { machine } = await lab.done('snapshot.restore', { snapshot: snapshot.id, keep: false })
    if ('pid' in machine.state) await lab.done('machine.stop', { machine: 'lab1', force: true })
    readPattern(await lab.call('disk.show', D), snapshot.name === 'one' ? 'a' : 'b', 0, MiB)
  }
}

export const nameOf = ({ operation, live, whom, standby }: SnapshotFault): string => `${operation}, machine ${live ? 'running' : 'off'}, ${whom === 'both' ? 'app and QEMU' : 'app'} killed${standby ? ' while a QEMU stands by' : ''}`

export const SNAPSHOT_FAULTS: readonly SnapshotFault[] = [
  { operation: 'snapshot.take', input: { machine: 'lab1' }, live: true, whom: 'app' },
  { operation: 'snapshot.take', input: { machine: 'lab1' }, live: true, whom: 'both' },
  { operation: 'snapshot.take', input: { machine: 'lab1' }, live: false, whom: 'app' },
  { operation: 'snapshot.restore', input: { snapshot: 'one', keep: false }, live: true, whom: 'app' },
  { operation: 'snapshot.restore', input: { snapshot: 'one' }, live: true, whom: 'app' },
  { operation: 'snapshot.restore', input: { snapshot: 'live', keep: false }, live: true, whom: 'app', standby: true }
]
