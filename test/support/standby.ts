import { readdirSync, readFileSync } from 'node:fs'
import type { Lab } from './lab'

/** Processes of QEMUs that were started to stand by for a machine of this lab, or run it since. */
export const standingBy = (lab: Pick<Lab, 'home'>): number[] => processesOf(lab, 'defer')

/** Processes of all QEMUs of this lab. */
export const qemusOf = (lab: Pick<Lab, 'home'>): number[] => processesOf(lab, '-uuid')

/** Those with this word and one that names the lab's folder among their arguments. */
function processesOf({ home }: Pick<Lab, 'home'>, wanted: string): number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return []
    try {
      const words = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0')
      return words.includes(wanted) && words.some((word) => word.includes(home)) ? [Number(name)] : []
    } catch {
      return [] // it has ended meanwhile
    }
  })
}
