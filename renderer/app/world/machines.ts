import { create } from 'zustand'
import type { Machine } from '#contract'

/** The core's machines as last told. An entry is replaced whole when it changes, so a row renders only when its own does. */
interface Machines {
  /** False until they have been read once: an empty list means nothing before. */
  loaded: boolean
  byId: Readonly<Record<string, Machine>>
}

export const useMachines = create<Machines>(() => ({ loaded: false, byId: {} }))

export const machinesMirror = {
  read: 'machine.list',
  replace: (machines: Machine[]) =>
    useMachines.setState({ loaded: true, byId: Object.fromEntries(machines.map((machine) => [machine.id, machine])) }),
  upsert: (machine: Machine) => useMachines.setState(({ byId }) => ({ byId: { ...byId, [machine.id]: machine } })),
  remove: (id: string) =>
    useMachines.setState(({ byId }) => {
      if (!(id in byId)) return {}
      const { [id]: _removed, ...rest } = byId
      return { byId: rest }
    })
} as const

export const machineById = (id: string): Machine | undefined => useMachines.getState().byId[id]
export const allMachines = (): Machine[] => Object.values(useMachines.getState().byId)
/** Renders again when this machine changes. */
export const useMachine = (id: string): Machine | undefined => useMachines((state) => state.byId[id])
