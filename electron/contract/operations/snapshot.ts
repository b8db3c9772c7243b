import { z } from 'zod'
import { Machine } from '../models/machine'
import { Renewal, Snapshot, SnapshotPlan } from '../models/snapshot'
import { operation } from '../operation'
import { FilePath, Name } from '../values'
import { machineRef } from './machine'

const snapshotRef = z.string().min(1).meta({ description: 'id of the snapshot, or its name', cli: '<snapshot>' })
const one = z.object({ snapshot: snapshotRef })
const note = z.string().max(2000).meta({ description: 'what it is' })

export const snapshotOperations = {
  'snapshot.take': operation({
    help: 'take a snapshot of a machine: memory, devices and disks at one instant; a running guest goes on',
    input: z.object({
      machine: machineRef,
      name: Name.optional().meta({ description: 'its name; by default the time' }),
      note: note.default(''),
      halt: z.boolean().default(false).meta({ description: 'switch the machine off afterwards' }),
      forget: z.boolean().default(false).meta({ description: 'give up disk commits that were undone' })
    }),
    result: Snapshot,
    task: true,
    positional: ['machine', 'name']
  }),
  'snapshot.plan': operation({
    help: 'tell what taking a snapshot now would mean for the guest: how long it would stand still, and why',
    input: z.object({ machine: machineRef }),
    result: SnapshotPlan,
    reads: true,
    positional: ['machine']
  }),
  'snapshot.list': operation({
    help: 'list the snapshots, oldest first',
    input: z.object({ machine: machineRef.optional().meta({ description: 'only those of this machine' }) }),
    result: z.array(Snapshot),
    reads: true,
    positional: ['machine']
  }),
  'snapshot.show': operation({ help: 'show a snapshot', input: one, result: Snapshot, reads: true, positional: ['snapshot'] }),
  'snapshot.screen': operation({
    help: 'show the screen as it was (PNG in base64)',
    input: one,
    result: z.object({ pngBase64: z.string().nullable() }),
    reads: true,
    positional: ['snapshot']
  }),
  'snapshot.rename': operation({ help: 'give a snapshot another name', input: one.extend({ name: Name }), result: Snapshot, positional: ['snapshot', 'name'] }),
  'snapshot.note': operation({ help: 'write down what a snapshot is', input: one.extend({ note }), result: Snapshot, positional: ['snapshot', 'note'] }),
  'snapshot.remove': operation({
    help: 'delete a snapshot for good; those before and after it, and machines made from it, stay as they are',
    input: one,
    result: z.object({ removed: z.string(), freedBytes: z.number() }),
    positional: ['snapshot']
  }),
  'snapshot.archive': operation({
    help: 'save the memory of a snapshot into the store, where what it has in common with others is stored once',
    input: one.extend({ evict: z.boolean().default(false).meta({ description: 'take its memory file out of the cache at once: going on from it loads it from the store first' }) }),
    result: Snapshot,
    task: true,
    positional: ['snapshot']
  }),
  'snapshot.verify': operation({
    help: 'check all that a restore would need: memory, devices, layers, and what is in the store',
    input: one,
    result: z.object({ snapshot: z.string(), name: z.string(), problems: z.array(z.object({ file: z.string(), problem: z.string() })) }),
    task: true,
    positional: ['snapshot']
  }),
  'snapshot.export': operation({
    help: 'write a snapshot into one file, with all that another computer needs to use it',
    input: one.extend({
      file: FilePath.meta({ description: 'the file to write', cli: '<file>' }),
      memory: FilePath.optional().meta({ description: 'write memory into a file of its own, flat and not compressed', cli: '<file>' }),
      images: z.boolean().default(true).meta({ description: 'with the images that its disks stand on' }),
      replace: z.boolean().default(false).meta({ description: 'take the place of a file that is there' })
    }),
    result: z.object({ file: z.string(), memory: z.string().nullable(), sizeBytes: z.number() }),
    task: true,
    positional: ['snapshot', 'file']
  }),
  'snapshot.import': operation({
    help: 'bring in a snapshot from a file; whether it can be used here is checked first',
    input: z.object({
      file: FilePath.meta({ description: 'what “snapshot export” wrote', cli: '<file>' }),
      memory: FilePath.optional().meta({ description: 'its memory, where that is in a file of its own', cli: '<file>' }),
      anew: z.boolean().default(false).meta({ description: 'as another snapshot than the one that may be here already' }),
      kernel: FilePath.optional().meta({ description: 'the kernel that the machine was booted with, where that was a file', cli: '<file>' })
    }),
    result: Snapshot,
    task: true,
    positional: ['file']
  }),
  'snapshot.prepare': operation({
    help: 'have a QEMU stand by, so that the machine is taken back to a snapshot sooner; it ends after ten minutes, or when the library is closed',
    input: one,
    result: z.object({ ready: z.boolean(), reason: z.string().nullable() }),
    positional: ['snapshot']
  }),
  'snapshot.restore': operation({
    help: 'take the machine back to a snapshot, or make a new machine from it',
    input: one.extend({
      as: Name.optional().meta({ description: 'make a new machine of this name; the present one stays as it is' }),
      keep: z.boolean().default(true).meta({ description: 'take a snapshot of the present state first' }),
      paused: z.boolean().default(false).meta({ description: 'do not let the guest go on yet' })
    }),
    result: z.object({ machine: Machine, kept: Snapshot.nullable(), renewal: Renewal.nullable() }),
    task: true,
    positional: ['snapshot']
  }),
  'snapshot.fork': operation({
    help: 'make several machines from one snapshot, each with an identity of its own; they share what none of them changes',
    input: one.extend({
      count: z.number().int().min(1).max(64).default(1).meta({ description: 'how many' }),
      prefix: Name.optional().meta({ description: 'their names: PREFIX-1, PREFIX-2, ...; by default the machine’s name' }),
      start: z.boolean().default(true).meta({ description: 'let them run at once' })
    }),
    result: z.object({ machines: z.array(Machine), renewals: z.array(Renewal) }),
    task: true,
    positional: ['snapshot', 'count']
  })
}
