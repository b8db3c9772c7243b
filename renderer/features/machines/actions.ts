import type { Machine, Result } from '#contract'
import {
  allMachines,
  attempt,
  attemptTask,
  call,
  callTask,
  currentPlace,
  dismissToast,
  goTo,
  goToMachine,
  machineById,
  shell,
  toast,
  toastError,
  useHost
} from '../../app'
import { formatCount } from '../../ui/format'
import { whyNot, type MachineAction } from './allowed'
import { byName } from './list/filter'

/** What the window does to machines: operations of the contract, with what the user is told when they fail or can be undone. */
const possible = (ids: readonly string[], action: MachineAction): Machine[] =>
  ids.map(machineById).filter((machine) => machine !== undefined && whyNot(action, machine, useHost.getState().host) === null) as Machine[]

export function startMachines(ids: readonly string[]): void {
  for (const machine of possible(ids, 'start')) void attemptTask('machine.start', { machine: machine.id })
}

/** Lets their guests write to throw-away overlays: what becomes of those is asked when they are off. */
export function startTemporarily(ids: readonly string[]): void {
  for (const machine of possible(ids, 'start')) void attemptTask('machine.start', { machine: machine.id, temporary: true })
}

/** Starts one and shows its console: for a machine that has just been made. */
export async function startAndShow(id: string): Promise<void> {
  goToMachine(id, 'console')
  await attemptTask('machine.start', { machine: id })
}

export function stopMachines(ids: readonly string[]): void {
  for (const machine of possible(ids, 'stop')) void stopOne(machine)
}

/** A guest that lets the time pass is no failure to report: its state says so, and offers force. */
async function stopOne(machine: Machine): Promise<void> {
  const stopped = await callTask('machine.stop', { machine: machine.id })
  if (!stopped.ok && stopped.error.code !== 'time-out') toastError(stopped.error)
}

export function forceOff(ids: readonly string[]): void {
  for (const machine of possible(ids, 'force-off')) void attemptTask('machine.stop', { machine: machine.id, force: true })
}

const each = (ids: readonly string[], action: 'pause' | 'resume' | 'reset'): void => {
  for (const machine of possible(ids, action)) void attempt(`machine.${action}`, { machine: machine.id })
}
export const pauseMachines = (ids: readonly string[]): void => each(ids, 'pause')
export const resumeMachines = (ids: readonly string[]): void => each(ids, 'resume')
export const resetMachines = (ids: readonly string[]): void => each(ids, 'reset')

/** Into the trash, without a question: the message offers to undo it. */
export async function removeMachines(ids: readonly string[]): Promise<void> {
  const machines = possible(ids, 'remove')
  const removed: { trashId: string; name: string }[] = []
  const next = neighbourOf(machines)
  for (const machine of machines) {
    const result = await attempt('machine.remove', { machine: machine.id })
    if (result.ok) removed.push(result.value)
  }
  if (removed.length === 0) return
  const place = currentPlace()
  if (place.kind === 'machine' && !machineById(place.id)) goTo(next ? { ...place, id: next.id } : { kind: 'home' })
  const skipped = ids.length - machines.length
  const what = removed.length === 1 ? `“${removed[0]?.name}” was deleted.` : `${formatCount(removed.length, 'machine')} were deleted.`
  const id = toast(what, {
    note:
      skipped > 0
        ? `${formatCount(skipped, 'machine')} could not be deleted while running.`
        : 'Its disks wait in the trash until it is emptied.',
    actions: [{ label: 'Undo', keys: 'Ctrl+Z', run: () => void restoreRemoved(removed.map((one) => one.trashId)) }]
  })
  lastRemoval = { toast: id, trashIds: removed.map((one) => one.trashId) }
}

/** Which machine to show when these are gone: the next one in the list, else the one before. */
function neighbourOf(gone: readonly Machine[]): Machine | undefined {
  const order = allMachines().sort(byName)
  const last = order.findLastIndex((machine) => gone.includes(machine))
  const stays = (machine: Machine): boolean => !gone.includes(machine)
  return order.slice(last + 1).find(stays) ?? order.slice(0, Math.max(0, last)).findLast(stays)
}

let lastRemoval: { toast: number; trashIds: string[] } | null = null

export const canUndoRemoval = (): boolean => lastRemoval !== null

/** Brings back what was deleted last. */
export async function undoRemoval(): Promise<void> {
  if (!lastRemoval) return
  const { toast: shown, trashIds } = lastRemoval
  dismissToast(shown)
  await restoreRemoved(trashIds)
}

export async function restoreRemoved(trashIds: readonly string[]): Promise<void> {
  lastRemoval = null
  for (const removed of trashIds) {
    const result = await attempt('machine.restore-removed', { removed })
    if (result.ok && trashIds.length === 1) goTo({ kind: 'machine', id: result.value.id, tab: 'overview' })
  }
}

export async function renameMachine(id: string, name: string): Promise<Result<Machine>> {
  return call('machine.rename', { machine: id, name })
}

/** A picture of the guest's screen, to a file that the user chooses. */
export async function saveScreenshot(id: string): Promise<void> {
  const machine = machineById(id)
  if (!machine) return
  const file = await shell().chooseSaveFile({ title: `Save the screen of ${machine.name}`, suggestedName: `${machine.name}.png` })
  if (file === null) return
  const result = await attempt('machine.screenshot', { machine: id, file })
  if (result.ok)
    toast(`The screen was saved.`, {
      tone: 'good',
      note: `${result.value.file ?? file}, ${result.value.widthPixels} × ${result.value.heightPixels} pixels`
    })
}

/** The least `labN` that is free. */
export function freeName(base = 'lab'): string {
  const taken = new Set(allMachines().map((machine) => machine.name.toLowerCase()))
  for (let number = 1; ; number++) if (!taken.has(`${base}${number}`)) return `${base}${number}`
}
