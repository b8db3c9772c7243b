import { z } from 'zod'
import { Lab } from '../models/lab'
import { Renewal } from '../models/snapshot'
import { operation } from '../operation'
import { Name } from '../values'

const labRef = z.string().min(1).meta({ description: 'id of the class lab, or its name', cli: '<lab>' })
const one = z.object({ lab: labRef })

export const labOperations = {
  'lab.deploy': operation({
    help: 'make a class lab: many machines from one snapshot, kept as one thing',
    input: z.object({
      from: z.string().min(1).meta({ description: 'id of the snapshot, or its name', cli: '<snapshot>' }),
      count: z.number().int().min(1).max(64).meta({ description: 'how many machines' }),
      prefix: Name.meta({ description: 'what it is called; its machines are PREFIX-1, PREFIX-2, ...' }),
      start: z.boolean().default(true).meta({ description: 'let them run at once' })
    }),
    result: z.object({ lab: Lab, renewals: z.array(Renewal) }),
    task: true,
  }),
  'lab.list': operation({ help: 'list the class labs', input: z.object({}), result: z.array(Lab), reads: true }),
  'lab.recreate': operation({
    help: 'make a lab’s machines anew from its snapshot; what was done in them is lost',
    input: one.extend({ machine: z.string().optional().meta({ description: 'only this one', cli: '<machine>' }) }),
    result: z.object({ lab: Lab, renewals: z.array(Renewal) }),
    task: true,
    positional: ['lab', 'machine']
  }),
  'lab.start': operation({ help: 'start the machines of a lab that are off', input: one, result: Lab, task: true, positional: ['lab'] }),
  'lab.stop': operation({
    help: 'ask the guests of a lab to power off',
    input: one.extend({ force: z.boolean().default(false).meta({ description: 'like pulling the plug, all at once' }) }),
    result: Lab,
    task: true,
    positional: ['lab']
  }),
  'lab.remove': operation({
    help: 'remove a lab and its machines; the machines wait in the trash',
    input: one,
    result: z.object({ removed: z.string(), machines: z.number() }),
    task: true,
    positional: ['lab']
  })
}
