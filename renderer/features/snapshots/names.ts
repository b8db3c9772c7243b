import { Name, NAME_RULE } from '#contract'
import { allMachines } from '../../app'

/** What is wrong with a name, in one sentence; null when nothing is. */
export const nameProblem = (name: string): string | null => (Name.safeParse(name).success ? null : NAME_RULE)

/** The same of a new machine's. */
export function machineNameProblem(name: string): string | null {
  const taken = allMachines().find((machine) => machine.name.toLowerCase() === name.normalize('NFC').toLowerCase())
  return nameProblem(name) ?? (taken ? `There is a machine called ${taken.name} already.` : null)
}

export function freeName(machine: string): string {
  for (let n = 1; ; n++) if (machineNameProblem(`${machine}-${n}`) === null) return `${machine}-${n}`
}
