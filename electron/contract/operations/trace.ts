import { z } from 'zod'
import { Trace } from '../models/trace'
import { operation } from '../operation'
import { machineRef } from './machine'

const one = z.object({
  machine: machineRef,
  viewer: z.string().min(1).max(64).optional().meta({ description: 'who looks: a viewer that has not looked for a while is taken to have gone, and the X-ray ends with its last viewer' })
})

export const traceOperations = {
  'trace.start': operation({
    help: 'start the X-ray of a running machine: what QEMU reads and writes in each layer of its disks',
    input: one,
    result: Trace,
    positional: ['machine']
  }),
  'trace.show': operation({
    help: 'show what the X-ray of a machine has seen; with --seconds, look for so long first',
    input: one.extend({ seconds: z.number().positive().max(600).optional().meta({ description: 'start it, look for so long, and end it' }) }),
    result: Trace,
    reads: true,
    positional: ['machine']
  }),
  'trace.stop': operation({
    help: 'end the X-ray of a machine; without a viewer for everybody',
    input: one,
    result: z.object({ machine: z.string(), ended: z.boolean() }),
    positional: ['machine']
  })
}
