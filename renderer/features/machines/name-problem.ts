import { Name } from '#contract'
import { allMachines } from '../../app'

/** What is wrong with a machine's name, in the contract's own words; null when nothing is. */
export function nameProblem(name: string, except?: string): string | null {
  const parsed = Name.safeParse(name)
  if (!parsed.success) return upper(parsed.error.issues[0]?.message ?? 'this is not a name') + '.'
  const taken = allMachines().find((machine) => machine.name !== except && machine.name.toLowerCase() === parsed.data.toLowerCase())
  return taken ? `There is a machine called ${taken.name} already.` : null
}

const upper = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
