import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Disk, DiskView } from '#contract'
import type { Lab } from './lab'
import { readPattern, writePattern } from './pattern'

const MiB = 2 ** 20
export const D = { machine: 'lab1', disk: 'disk0' }

/** What the disk reads as, by the commits that are applied: letters at three places. */
const STATES: Record<string, string> = { '': 'a__', '1': 'ab_', '12': 'cb_' }
const PLACES = [0, 8 * MiB, 16 * MiB]

/**
 * A disk with two commits, and changes that are not committed: `a` in the base, commit 1 adds `b`, commit 2 puts `c` over `a`, the active
 * layer holds `d`.
 */
export async function prepare(lab: Lab): Promise<void> {
  await lab.done('machine.create', { name: 'lab1', source: 'none', disk: '24M', memory: '64M', cpus: 1, network: [] })
  const write = async (letter: string, place: number): Promise<void> => writePattern(await lab.call('disk.show', D), letter, PLACES[place]!, 2 * MiB)
  await write('a', 0)
  await lab.done('overlay.create', D)
  await write('b', 1)
  await lab.done('overlay.renew', D)
  await write('c', 0)
  await lab.done('overlay.renew', D)
  await write('d', 2)
}

export interface Fault {
  operation: string
  input?: object
  live: boolean
  whom: 'app' | 'both'
  /** The active layer's changes may be gone at the end: the operation was to discard them. */
  discards?: boolean
}

/** Runs the operation with a kill at this step. @returns false when it ended before that step came */
export function strike(lab: Lab, fault: Fault, step: number): boolean {
  const worker = join(import.meta.dirname, 'overlay-worker.ts')
  const args = ['--import', 'tsx', worker, String(step), fault.whom, fault.operation, JSON.stringify({ ...D, ...fault.input })]
  const ended = spawnSync(process.execPath, args, { env: { ...lab.environment, STRATA_GUEST: '/nonexistent' }, encoding: 'utf8', timeout: 60_000 })
  if (ended.signal === 'SIGKILL') return true
  if (ended.status !== 0) throw new Error(`the worker failed: ${ended.stderr}`)
  const { state } = JSON.parse(ended.stdout) as { state: { value?: { state?: { kind: string } } } }
  if (state.value?.state?.kind !== 'done') throw new Error(`${fault.operation} did not succeed undisturbed: ${ended.stdout}`)
  return false
}

/** After the library was opened again: waits for what is finished by itself, and throws when anything is lost, wrong or left lying about. */
export async function examine(lab: Lab, { discards = false }: Fault): Promise<void> {
  for (const task of await lab.call('task.list', {})) await lab.call('task.wait', { taskId: task.id })
  const machine = await lab.machine('lab1')
  if ('pid' in machine.state) await lab.done('machine.stop', { machine: 'lab1', force: true })
  await lab.done('machine.start', { machine: 'lab1' }) // finishes what is pending still, and QEMU opens all of it
  await lab.done('machine.stop', { machine: 'lab1', force: true })
  const view = await lab.call('disk.show', D)
  requireContent(view, discards)
  const { files } = await lab.done('disk.check', D)
  const damaged = files.filter((file) => file.problems !== null)
  if (damaged.length > 0) throw new Error(`damaged: ${JSON.stringify(damaged)}`)
  requireNoStrays(lab, view.disk)
}

/** The bytes are those of the commits that the history says are applied. */
function requireContent(view: DiskView, discards: boolean): void {
  const { history } = view.disk
  const applied = history.filter((entry) => entry.sequence <= 2 && (entry.state === 'applied' || entry.state === 'merged')).map((entry) => entry.sequence)
  const letters = STATES[applied.join('')]
  if (letters === undefined) throw new Error(`the history tells what never was: ${JSON.stringify(history)}`)
  for (const [index, letter] of [...letters].slice(0, 2).entries()) readPattern(view, letter === '_' ? '\0' : letter, PLACES[index]!, 2 * MiB)
  try {
    readPattern(view, 'd', PLACES[2]!, 2 * MiB)
  } catch (error) {
    if (!discards) throw error
    readPattern(view, '\0', PLACES[2]!, 2 * MiB)
  }
}

/** Every file in the folder is in the record, and the other way round. */
function requireNoStrays(lab: Lab, disk: Disk): void {
  const recorded = [...disk.layers, ...disk.undone].map((layer) => layer.file).sort()
  const found = readdirSync(join(lab.home, 'library/machines/lab1/disks')).sort()
  const missing = recorded.filter((file) => !found.includes(file))
  if (missing.length > 0) throw new Error(`recorded, and not there: ${missing.join(', ')}`)
  // A file that was made and not yet recorded may stay until its number is used: at most one.
  const strays = found.filter((file) => !recorded.includes(file))
  if (strays.length > 1) throw new Error(`left lying about: ${strays.join(', ')}`)
}

/** Every operation that changes what stands on what, each way it can be cut off. */
export const FAULTS: readonly Fault[] = [
  { operation: 'overlay.create', live: false, whom: 'app' },
  { operation: 'overlay.create', live: true, whom: 'app' },
  { operation: 'overlay.create', live: true, whom: 'both' },
  { operation: 'overlay.renew', live: false, whom: 'app' },
  { operation: 'overlay.renew', live: true, whom: 'app' },
  { operation: 'overlay.renew', live: true, whom: 'both' },
  { operation: 'overlay.renew', input: { history: false }, live: false, whom: 'app' },
  { operation: 'overlay.renew', input: { history: false }, live: true, whom: 'app' },
  { operation: 'overlay.renew', input: { history: false }, live: true, whom: 'both' },
  { operation: 'overlay.commit', input: { into: 'disk0-1', forget: true }, live: false, whom: 'app' },
  { operation: 'overlay.commit', input: { into: 'disk0-1', forget: true }, live: true, whom: 'app' },
  { operation: 'overlay.commit', input: { into: 'disk0-1', forget: true }, live: true, whom: 'both' },
  { operation: 'overlay.undo', input: { discard: true }, live: false, whom: 'app', discards: true },
  { operation: 'overlay.undo', input: { to: 1, discard: true }, live: false, whom: 'app', discards: true },
  { operation: 'overlay.discard', live: false, whom: 'app', discards: true },
  { operation: 'disk.flatten', input: { forget: true }, live: false, whom: 'app' },
  { operation: 'disk.flatten', input: { forget: true }, live: true, whom: 'app' },
  { operation: 'disk.flatten', input: { forget: true }, live: true, whom: 'both' }
]

export const nameOf = ({ operation, input, live, whom }: Fault): string =>
  `${operation}${input ? ` ${JSON.stringify(input)}` : ''}, machine ${live ? 'running' : 'off'}, ${whom === 'both' ? 'app and QEMU' : 'app'} killed`
