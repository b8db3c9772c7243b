import { z } from 'zod'
import { Share, ShareMode } from '../models/share'
import { operation } from '../operation'
import { machineRef } from './machine'

/** A disk of a machine in one word: `lab1:disk0`. A machine's name holds no colon. */
const diskOf = z
  .string()
  .regex(/^[^:]+(:[a-z][a-z0-9]{0,15})?$/, 'write machine:disk, for example lab1:disk0')
  .meta({ description: 'which disk: lab1:disk0; lab1 alone is its first one', cli: '<machine:disk>' })
const share = z.string().min(1).meta({ description: 'the disk that is shared (lab1:disk0), or the id of the share', cli: '<share>' })
const timeoutSeconds = z.number().positive().max(600).default(20).meta({ description: 'how long each guest may take to let go' })
const nextStart = z.boolean().default(false).meta({ description: 'a machine that runs without shareable memory gets both at its next start' })

export const shareOperations = {
  'share.create': operation({
    help: 'share a disk with other machines: running guests see it at once, those that are off at their next start',
    input: z.object({
      disk: diskOf,
      to: z.array(machineRef).max(64).default([]).meta({ description: 'a machine that gets it; may be given several times', cli: '<machine>' }),
      mode: ShareMode.default('ro').meta({ description: 'ro: they can read it, and QEMU refuses what they write' }),
      nextStart
    }),
    result: Share,
    task: true,
    positional: ['disk']
  }),
  'share.list': operation({ help: 'list the shared disks: who serves each, and who has it', input: z.object({}), result: z.array(Share), reads: true }),
  'share.show': operation({ help: 'show one shared disk', input: z.object({ share }), result: Share, reads: true, positional: ['share'] }),
  'share.attach': operation({
    help: 'give one machine more a shared disk',
    input: z.object({ share, machine: machineRef, nextStart }),
    result: Share,
    task: true,
    positional: ['share', 'machine']
  }),
  'share.detach': operation({
    help: 'take a shared disk from a machine; a running guest is asked to let go of it',
    input: z.object({ share, machine: machineRef, timeoutSeconds }),
    result: Share,
    task: true,
    positional: ['share', 'machine']
  }),
  'share.remove': operation({
    help: 'end a share: every guest that has it is asked to let go, then it is the owner’s alone',
    input: z.object({ share, timeoutSeconds }),
    result: z.object({ removed: z.string() }),
    task: true,
    positional: ['share']
  })
}
