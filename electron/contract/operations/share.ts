import { z } from 'zod'
import { DiskContent, Share, ShareBench, ShareLoad, ShareMode, ShareMount, SharePublication, ShareRefresh, ShareWorkload } from '../models/share'
import { operation } from '../operation'
import { Size } from '../values'
import { machineRef } from './machine'

/** A disk of a machine in one word: `lab1:disk0`. A machine's name holds no colon. */
const diskOf = z
  .string()
  .regex(/^[^:]+(:[a-z][a-z0-9]{0,15})?$/, 'write machine:disk, for example lab1:disk0')
  .meta({ description: 'which disk: lab1:disk0; lab1 alone is its first one', cli: '<machine:disk>' })
const share = z.string().min(1).meta({ description: 'the disk that is shared (lab1:disk0), or the id of the share', cli: '<share>' })
/** With less a guest seems to hang. The most that QEMU takes is 10^15 (throttle.h: THROTTLE_VALUE_MAX). */
const BytesPerSecond = Size.refine((bytes) => bytes === 0 || (bytes >= 2 ** 16 && bytes <= 10 ** 15), 'a bound is at least 64K, and at most 900T; 0 for none')
const HoldOrNot = z.union([z.literal(0), z.number().int().min(5).max(86_400)], 'a time to wait is 5 to 86400 seconds; 0 for as long as it takes')
const hold = HoldOrNot.meta({ description: 'for so many seconds guests wait when nobody can serve the disk, then they get I/O errors; 0: as long as it takes', cli: '<seconds>' })
const writeThrough = z.boolean().meta({
  description: 'what a client writes is on the host’s disk before it is answered: nothing is lost with a process that is killed, and small writes take about four times as long'
})
const timeoutSeconds = z.number().positive().max(600).default(20).meta({ description: 'how long each guest may take to let go' })
const force = z
  .boolean()
  .default(false)
  .meta({ description: 'do not unmount it first: programs that use it get I/O errors, and what a writer has not written to it yet is lost; a cluster file system is unmounted all the same' })
const nextStart = z.boolean().default(false).meta({ description: 'a machine that runs without shareable memory waits for its next start, instead of getting the disk over NBD now' })

export const shareOperations = {
  'share.create': operation({
    help: 'share a disk with other machines: running guests see it at once, those that are off at their next start',
    input: z.object({
      disk: diskOf,
      to: z.array(machineRef).max(64).default([]).meta({ description: 'a machine that gets it; may be given several times', cli: '<machine>' }),
      mode: ShareMode.default('ro').meta({
        description: 'ro: they can read it, and QEMU refuses what they write; rw: one machine writes at a time (share hand-over); cluster: all write, on OCFS2, which is made on an empty disk and mounted in every guest'
      }),
      mount: z.string().startsWith('/').default('/shared').meta({ description: 'cluster: the folder that every guest gets it on' }),
      bare: z.boolean().default(false).meta({ description: 'cluster: all may write, and nothing is set up in the guests' }),
      hold: hold.default(0),
      writeThrough: writeThrough.default(false),
      force: z.boolean().default(false).meta({ description: 'cluster: also on a file system that several writers damage' }),
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
  'share.edit': operation({
    help: 'change how a disk is shared, also while it is used; what is not named stays as it is',
    input: z.object({ share, hold: hold.optional(), writeThrough: writeThrough.optional() }),
    result: Share,
    positional: ['share']
  }),
  'share.restart': operation({
    help: 'end a storage daemon that serves a disk and hangs, and let another take its place, as if it had been killed',
    input: z.object({
      share,
      force: z.boolean().default(false).meta({ description: 'also one that answers, or whose storage does not' })
    }),
    result: Share,
    task: true,
    positional: ['share']
  }),
  'share.limit': operation({
    help: 'bound what a machine may ask of a shared disk, also while it runs; what is not named stays as it is',
    input: z.object({
      share,
      machine: machineRef,
      requests: z.number().int().min(0).max(10_000_000).optional().meta({ description: 'reads and writes in a second; 0 for no bound', cli: '<number>' }),
      bytes: BytesPerSecond.optional().meta({ description: 'bytes in a second, read and written: 10M; 0 for no bound', cli: '<size>' })
    }),
    result: Share,
    positional: ['share', 'machine']
  }),
  'share.contents': operation({
    help: 'tell what file system lies on a disk, by its marks',
    input: z.object({ disk: diskOf }),
    result: z.array(DiskContent),
    reads: true,
    positional: ['disk']
  }),
  'share.hand-over': operation({
    help: 'let another machine write to a disk that is shared rw: the one that wrote unmounts it, they change places',
    input: z.object({
      share,
      machine: machineRef.meta({ description: 'the one that is to write', cli: '<machine>' }),
      mount: z.string().startsWith('/').optional().meta({ description: 'folder in its guest to mount the disk on; by default where it was mounted before' }),
      unmounted: z.boolean().default(false).meta({ description: 'the guests are not asked: you have unmounted it yourself in both' }),
      timeoutSeconds
    }),
    result: Share,
    task: true,
    positional: ['share', 'machine']
  }),
  'share.mount': operation({
    help: 'mount a shared disk in a running guest, through its agent: to write where the machine may, else to read',
    input: z.object({
      share,
      machine: machineRef,
      folder: z.string().startsWith('/').optional().meta({ description: 'folder in the guest; by default that of the cluster, or /mnt/NAME' })
    }),
    result: ShareMount,
    task: true,
    positional: ['share', 'machine']
  }),
  'share.load': operation({
    help: 'read once what the owner and each client have asked of a shared disk, and how long that took',
    input: z.object({ share }),
    result: ShareLoad,
    reads: true,
    positional: ['share']
  }),
  'share.refresh': operation({
    help: 'let every reader see what the writer has written: it flushes, they mount the disk anew, through the guest agents',
    input: z.object({ share }),
    result: ShareRefresh,
    positional: ['share']
  }),
  'share.publish': operation({
    help: 'give every reader the disk as it is now, as a new disk that does not change, while the writer goes on',
    input: z.object({
      share,
      live: z.boolean().default(false).meta({ description: 'the other way: readers get the disk itself again, as it changes' }),
      timeoutSeconds
    }),
    result: SharePublication,
    task: true,
    positional: ['share']
  }),
  'share.bench': operation({
    help: 'measure in a guest how fast a shared disk is: three equal scratch disks, by vhost-user-blk, by NBD, and its own; needs fio there',
    input: z.object({
      machine: machineRef,
      seconds: z.number().min(0.2).max(10).default(1).meta({ description: 'how long each run takes; there are six kinds, three disks, and the rounds' }),
      rounds: z.number().int().min(1).max(9).default(3).meta({ description: 'how often, in turn; the median counts' }),
      workloads: z.array(ShareWorkload).min(1).optional().meta({ description: 'which kinds of load; all of them by default', cli: '<kind>' })
    }),
    result: ShareBench,
    task: true,
    positional: ['machine']
  }),
  'share.detach': operation({
    help: 'take a shared disk from a machine; a running guest unmounts it, and is asked to let go of it',
    input: z.object({ share, machine: machineRef, timeoutSeconds, force }),
    result: Share,
    task: true,
    positional: ['share', 'machine']
  }),
  'share.remove': operation({
    help: 'end a share: every guest that has it unmounts it and lets go, then it is the owner’s alone',
    input: z.object({ share, timeoutSeconds, force }),
    result: z.object({ removed: z.string() }),
    task: true,
    positional: ['share']
  })
}
