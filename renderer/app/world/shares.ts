import { create } from 'zustand'
import type { Share } from '#contract'

interface Shares {
  loaded: boolean
  byId: Readonly<Record<string, Share>>
}

export const useShares = create<Shares>(() => ({ loaded: false, byId: {} }))

export const sharesMirror = {
  read: 'share.list',
  replace: (shares: Share[]) => useShares.setState({ loaded: true, byId: Object.fromEntries(shares.map((share) => [share.id, share])) }),
  upsert: (share: Share) => useShares.setState(({ byId }) => ({ byId: { ...byId, [share.id]: share } })),
  remove: (id: string) =>
    useShares.setState(({ byId }) => {
      if (!(id in byId)) return {}
      const { [id]: _removed, ...rest } = byId
      return { byId: rest }
    })
} as const
