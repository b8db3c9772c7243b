import { z } from 'zod'
import { CommitRecord, DiskView } from '../models/disk'
import { operation } from '../operation'
import { diskRef } from './disk'
import { machineRef } from './machine'

const one = z.object({ machine: machineRef, disk: diskRef })
const note = z.string().max(500).default('').meta({ description: 'what it is, for the history' })
const discard = z.boolean().default(false).meta({ description: 'throw away what was written since the last commit' })
const commit = one.extend({
  note,
  history: z.boolean().default(true).meta({ description: 'keep it undoable; without, it is merged into the layer below at once' }),
  into: z.string().optional().meta({ description: 'merge it, and what lies between, into this layer further down (its node name)' }),
  forget: z.boolean().default(false).meta({ description: 'give up commits that were undone, or that a merge makes final' })
})
const sequence = z.number().int().positive()

export const overlayOperations = {
  'overlay.create': operation({
    help: 'put an empty overlay on a disk: what is written from now on can be committed or thrown away',
    input: one.extend({ note }),
    result: DiskView,
    task: true,
    positional: ['machine', 'disk']
  }),
  'overlay.commit': operation({ help: 'commit what was written: it can be undone later', input: commit, result: DiskView, task: true, positional: ['machine', 'disk'] }),
  'overlay.renew': operation({ help: 'commit, and go on with an empty overlay under the running guest', input: commit, result: DiskView, task: true, positional: ['machine', 'disk'] }),
  'overlay.undo': operation({
    help: 'take a disk of a stopped machine back to the state before a commit; by default before the last one',
    input: one.extend({
      to: sequence.optional().meta({ description: 'to the state before this commit' }),
      at: z.string().optional().meta({ description: 'to the state as of this time: 2026-01-31T14:00, or 14:00 for today' }),
      discard
    }),
    result: DiskView,
    task: true,
    positional: ['machine', 'disk']
  }),
  'overlay.redo': operation({
    help: 'bring back commits that were undone; by default one',
    input: one.extend({ to: sequence.optional().meta({ description: 'up to and with this commit' }), discard }),
    result: DiskView,
    task: true,
    positional: ['machine', 'disk']
  }),
  'overlay.history': operation({ help: 'show the commits of a disk, and which can be undone or redone', input: one, result: z.array(CommitRecord), reads: true, positional: ['machine', 'disk'] }),
  'overlay.discard': operation({
    help: 'throw away what was written to a disk of a stopped machine since its last commit or overlay',
    input: one,
    result: DiskView,
    task: true,
    positional: ['machine', 'disk']
  }),
  'overlay.keep': operation({ help: 'keep the overlay of a temporary run', input: one.extend({ note }), result: DiskView, task: true, positional: ['machine', 'disk'] })
}
