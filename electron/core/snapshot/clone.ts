import type { ParsedInputOf, ResultOf } from '#contract'
import type { Context } from '../context'
import type { Work } from '../task/work'
import { makeClone, noteWhole, runClone } from './restore'
import { takeReserved } from './take'

/** `machine.clone`: a snapshot that nobody gets to see, and a machine from it. What both stand on are files that each has a name for. */
export async function cloneMachine(input: ParsedInputOf<'machine.clone'>, context: Context, work: Work): Promise<ResultOf<'machine.clone'>> {
  const machine = context.machines.get(input.machine)
  await context.machines.requireFreeName(input.name)
  await machine.inOrder
  const release = machine.reserve('it is being cloned')
  try {
    const note = `To make “${input.name}” from it.`
    const record = await takeReserved(machine, { name: input.name, note, halt: false, forget: false }, context, { ...work, pointOfNoReturn: () => {} })
    try {
      const clone = await makeClone(record, input.name, context, work)
      const { renewal } = await runClone(clone, record, false, context, work)
      work.pointOfNoReturn()
      await noteWhole(clone)
      return { machine: clone.view(), renewal }
    } finally {
      await context.snapshots.remove(record)
    }
  } finally {
    release()
  }
}
