import { readdirSync, readFileSync } from 'node:fs'
import type { Lab } from './lab'

/** Processes of QEMUs that were started to stand by for a machine of this lab, or run it since. */
export function standingBy({ home }: Pick<Lab, 'home'>): number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return []
    try {
      const words = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0')
      return words.includes('defer') && words.some((word) => word.includes(home)) ? [Number(name)] : []
    } catch {
      return [] // it has ended meanwhile
    }
  })
}
