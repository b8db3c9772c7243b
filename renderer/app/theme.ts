import type { Settings } from '#contract'
import { useSettings } from './world/host'

/**
 * Light or dark, as `data-theme` on the root. The system's choice reaches the page as a media query, and so does the setting
 * in the app (the main process applies it there); the attribute makes both the same everywhere.
 */
export function startTheme(still: boolean): () => void {
  const system = window.matchMedia('(prefers-color-scheme: dark)')
  const apply = (): void => {
    const theme = useSettings.getState().settings?.theme ?? 'system'
    document.documentElement.dataset.theme = resolveTheme(theme, system.matches)
  }
  if (still) document.documentElement.dataset.still = ''
  apply()
  system.addEventListener('change', apply)
  const unsubscribe = useSettings.subscribe(apply)
  return () => {
    system.removeEventListener('change', apply)
    unsubscribe()
  }
}

export const resolveTheme = (theme: Settings['theme'], systemIsDark: boolean): 'light' | 'dark' =>
  theme === 'system' ? (systemIsDark ? 'dark' : 'light') : theme
