import { create } from 'zustand'
import type { Snapshot } from '#contract'

/** The core's snapshots as last told. */
interface Snapshots {
  loaded: boolean
  byId: Readonly<Record<string, Snapshot>>
}

export const useSnapshots = create<Snapshots>(() => ({ loaded: false, byId: {} }))

export const snapshotsMirror = {
  replace: (snapshots: Snapshot[]) => useSnapshots.setState({ loaded: true, byId: Object.fromEntries(snapshots.map((snapshot) => [snapshot.id, snapshot])) }),
  upsert: (snapshot: Snapshot) => useSnapshots.setState(({ byId }) => ({ byId: { ...byId, [snapshot.id]: snapshot } })),
  remove: (id: string) =>
    useSnapshots.setState(({ byId }) => {
      if (!(id in byId)) return {}
      const { [id]: _removed, ...rest } = byId
      return { byId: rest }
    })
} as const
