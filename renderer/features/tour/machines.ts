import { call, closeOverlay, goTo, useLabs, useMachines, useSnapshots } from '../../app'
import { need, needTask } from './actions'

export const TOUR_NAMES = ['tour-1', 'tour-2'] as const
export const TOUR_LAB = 'tour-lab'

/** The two machines that the tour makes, by id once they are there, and what of its doings has to be ended. */
export interface TourMachines {
  first: string
  second: string
  ringLoad: string | null
  snapshot: string | null
}

/** Ends what is shared of these machines. */
export async function endShares(owners: readonly string[]): Promise<void> {
  const shares = await call('share.list', {})
  if (!shares.ok) throw new Error(shares.error.message)
  for (const { id, machineId } of shares.value) if (owners.includes(machineId)) await needTask('share.remove', { share: id })
}

/** Ends what the tour has begun at the ring lab. */
export async function stopRing(tour: TourMachines): Promise<void> {
  if (tour.ringLoad === null) return
  await call('task.cancel', { taskId: tour.ringLoad }) // it may have ended by itself
  await need('task.wait', { taskId: tour.ringLoad })
  tour.ringLoad = null
  await need('ring.stop', {})
}

/** Machines of an earlier tour that was cut off: of its names, and with its tag. A user's own machine is never one. */
export const leftovers = (): string[] =>
  Object.values(useMachines.getState().byId)
    .filter((machine) => (TOUR_NAMES as readonly string[]).includes(machine.name) && machine.definition?.tags.includes('tour'))
    .map((machine) => machine.id)

/**
 * Takes machines away.
 * @param forGood not only into the trash: for those that this tour has made itself
 */
export async function removeTourMachines(ids: readonly string[], forGood: boolean): Promise<void> {
  closeOverlay()
  goTo({ kind: 'home' })
  await removeTourLab(ids, forGood)
  await endShares(ids)
  for (const id of ids) {
    const machine = useMachines.getState().byId[id]
    if (!machine) continue
    if ('pid' in machine.state) await needTask('machine.stop', { machine: id, force: true })
    const removed = await call('machine.remove', { machine: id })
    if (!removed.ok) throw new Error(removed.error.message)
    if (forGood) await need('machine.empty-trash', { trashId: removed.value.trashId })
  }
}

/** The class lab, and the snapshots that were taken of these machines. */
async function removeTourLab(ids: readonly string[], forGood: boolean): Promise<void> {
  const lab = Object.values(useLabs.getState().byId).find(({ name, snapshot }) => name === TOUR_LAB && snapshot?.machine === TOUR_NAMES[1])
  if (lab) {
    await needTask('lab.remove', { lab: lab.id })
    const trash = await call('machine.list-removed', {})
    const own = trash.ok ? trash.value.filter(({ name }) => lab.machines.some((machine) => machine.name === name)) : []
    if (forGood) for (const { trashId } of own) await need('machine.empty-trash', { trashId })
  }
  const snapshots = Object.values(useSnapshots.getState().byId).filter(({ machineId }) => ids.includes(machineId))
  for (const { id } of snapshots) await need('snapshot.remove', { snapshot: id })
}
