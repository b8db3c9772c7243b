import type { OperationName } from '#contract'
import { asTask, type Context, type Handlers } from '../context'
import { deployLab, recreateLab, removeLab, startLab, stopLab } from '../lab/operations'
import { withMemory } from '../snapshot/archive'

const nameOf = (input: { lab: string }, { labs }: Context): string => labs.get(input.lab).name

/** What the machine is called that is made anew; null when all of them are. */
function placeOf(input: { lab: string; machine?: string | undefined }, { labs }: Context): string | null {
  if (input.machine === undefined) return null
  return labs.view(labs.get(input.lab)).machines.find(({ machineId }) => machineId === input.machine)?.name ?? input.machine
}

export const labHandlers: Handlers<Extract<OperationName, `lab.${string}`>> = {
  'lab.deploy': asTask('lab.deploy', (input) => `Make the class lab ${input.prefix}`, (input) => input.prefix, (input, context, work) =>
    withMemory(input.from, context, work, () => deployLab(input, context, work))
  ),
  'lab.list': async (_input, { labs }) => labs.all().map((lab) => labs.view(lab)),
  'lab.recreate': asTask('lab.recreate', (input, context) => `Make ${placeOf(input, context) ?? `the machines of ${nameOf(input, context)}`} anew`, nameOf, (input, context, work) => {
    const { snapshotId } = context.labs.get(input.lab)
    const act = () => recreateLab(input, context, work)
    return context.snapshots.has(snapshotId) ? withMemory(snapshotId, context, work, act) : act()
  }),
  'lab.start': asTask('lab.start', (input, context) => `Start ${nameOf(input, context)}`, nameOf, startLab),
  'lab.stop': asTask('lab.stop', (input, context) => `${input.force ? 'Force off' : 'Stop'} ${nameOf(input, context)}`, nameOf, stopLab),
  'lab.remove': asTask('lab.remove', (input, context) => `Remove ${nameOf(input, context)}`, nameOf, removeLab)
}
