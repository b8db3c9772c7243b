import { Name } from '#contract'
import { allMachines } from '../../app'
import { wrongName } from '../task-dialog'

/** What is wrong with a machine's name, in the contract's own words; null when nothing is. */
export function nameProblem(name: string, except?: string): string | null {
  const wrong = wrongName(name)
  if (wrong !== null) return wrong
  const wanted = Name.parse(name).toLowerCase()
  const taken = allMachines().find((machine) => machine.name !== except && machine.name.toLowerCase() === wanted)
  return taken ? `There is a machine called ${taken.name} already.` : null
}
