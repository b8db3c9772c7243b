import { create } from 'zustand'
import type { Host, Settings } from '#contract'

/** The computer, null until it has been read. */
export const useHost = create<{ host: Host | null }>(() => ({ host: null }))
export const hostMirror = {
  read: 'host.show',
  replace: (host: Host) => useHost.setState({ host })
} as const

/** The settings, null until they have been read. */
export const useSettings = create<{ settings: Settings | null }>(() => ({ settings: null }))
export const settingsMirror = {
  read: 'settings.show',
  replace: (settings: Settings) => useSettings.setState({ settings })
} as const
