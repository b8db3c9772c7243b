import { z } from 'zod'
import { DiskMap, DiskView, ImageFile } from '../models/disk'
import { Image, ImageFormat } from '../models/image'
import { operation } from '../operation'
import { DiskSize, FilePath, Name } from '../values'
import { machineRef } from './machine'

export const diskRef = z.string().regex(/^[a-z][a-z0-9]{0,15}$/, 'a disk is called disk0, disk1, ...').default('disk0').meta({ description: 'which disk', cli: '<disk>' })
const one = z.object({ machine: machineRef, disk: diskRef })
const force = z.boolean().default(false).meta({ description: 'take it though the guest has it mounted: what it has not written to it yet is lost' })
const imageRef = z.string().min(1).meta({ description: 'name or id of the image', cli: '<image>' })

export const diskOperations = {
  'disk.list': operation({
    help: 'list every image file: layers of disks, and the images that they stand on',
    input: z.object({ machine: machineRef.optional().meta({ description: 'only what this machine needs' }) }),
    result: z.array(ImageFile),
    reads: true
  }),
  'disk.show': operation({ help: 'show a disk: its layers, their sizes and health, and its history', input: one, result: DiskView, reads: true, positional: ['machine', 'disk'] }),
  'disk.map': operation({
    help: 'show where each layer of a disk holds data',
    input: one.extend({ most: z.number().int().min(16).max(100_000).default(2000).meta({ description: 'at most this many ranges a layer; nearby ones are joined' }) }),
    result: DiskMap,
    reads: true,
    positional: ['machine', 'disk']
  }),
  'disk.create': operation({
    help: 'give a machine another, empty disk; a running guest sees it at once',
    input: z.object({ machine: machineRef, size: DiskSize.meta({ description: 'size of the disk: 1G', cli: '<size>' }) }),
    result: DiskView,
    task: true,
    positional: ['machine', 'size']
  }),
  'disk.attach': operation({
    help: 'give a machine another disk that stands on an image of the library',
    input: z.object({
      machine: machineRef,
      image: imageRef,
      copy: z.boolean().default(false).meta({ description: 'copy the image whole instead of standing an overlay on it' })
    }),
    result: DiskView,
    task: true,
    positional: ['machine', 'image']
  }),
  'disk.import': operation({
    help: 'give a machine another disk, copied from an image file',
    input: z.object({
      machine: machineRef,
      path: FilePath.meta({ description: 'the file', cli: '<file>' }),
      format: ImageFormat.optional().meta({ description: 'say raw for a raw image whose first bytes look like another format' })
    }),
    result: DiskView,
    task: true,
    positional: ['machine', 'path']
  }),
  'disk.detach': operation({
    help: 'take a disk from a machine and keep it as an image of the library; a running guest is asked to let go of it',
    input: one.extend({
      name: Name.optional().meta({ description: 'its name in the library' }),
      timeoutSeconds: z.number().positive().max(600).default(20).meta({ description: 'how long the guest may take' }),
      force
    }),
    result: Image,
    task: true,
    positional: ['machine', 'disk']
  }),
  'disk.remove': operation({
    help: 'take a disk from a machine and delete it for good',
    input: one.extend({ timeoutSeconds: z.number().positive().max(600).default(20).meta({ description: 'how long the guest may take to let go' }), force }),
    result: z.object({ removed: z.string(), freedBytes: z.number() }),
    task: true,
    positional: ['machine', 'disk']
  }),
  'disk.resize': operation({
    help: 'make a disk larger; a running guest sees it at once',
    input: one.extend({ size: DiskSize.meta({ description: 'the new size', cli: '<size>' }) }),
    result: DiskView,
    task: true,
    positional: ['machine', 'disk', 'size']
  }),
  'disk.check': operation({
    help: 'check every layer of a disk of a stopped machine for damage',
    input: one,
    result: z.object({ files: z.array(z.object({ path: z.string(), leakedClusters: z.number(), problems: z.string().nullable() })) }),
    task: true,
    positional: ['machine', 'disk']
  }),
  'disk.repair': operation({
    help: 'repair the layers of a disk of a stopped machine (qemu-img check -r); a copy of each repaired file is kept',
    input: one.extend({ leaksOnly: z.boolean().default(false).meta({ description: 'free lost clusters, touch nothing else' }) }),
    result: z.object({ repaired: z.array(z.string()), copies: z.array(z.string()) }),
    task: true,
    positional: ['machine', 'disk']
  }),
  'disk.rebase': operation({
    help: 'let a disk of a stopped machine stand on another image; what the guest sees stays the same',
    input: one.extend({
      image: imageRef,
      moved: z.boolean().default(false).meta({ description: 'it is the same image in another place: nothing is compared or copied' })
    }),
    result: DiskView,
    task: true,
    positional: ['machine', 'disk', 'image']
  }),
  'disk.find': operation({
    help: 'say where a missing file of a disk is now: it is checked to be the very file, and used again',
    input: one.extend({
      path: FilePath.meta({ description: 'where it is', cli: '<file>' }),
      unchecked: z.boolean().default(false).meta({ description: 'take it though its time is another than recorded, or nothing is recorded that it could be compared with' })
    }),
    result: DiskView,
    task: true,
    positional: ['machine', 'disk', 'path']
  }),
  'disk.flatten': operation({
    help: 'make a disk one file that stands on nothing; also while the guest runs',
    input: one.extend({ forget: z.boolean().default(false).meta({ description: 'give up the history that goes with it' }) }),
    result: DiskView,
    task: true,
    positional: ['machine', 'disk']
  }),
  'disk.clone': operation({
    help: 'give another machine a copy of a disk: whole, or linked (both stand on the same, from now on frozen, layers)',
    input: one.extend({
      to: machineRef.meta({ description: 'the machine that gets it', cli: '<machine>' }),
      linked: z.boolean().default(false).meta({ description: 'share what there is now; what was written is committed for that' }),
      forget: z.boolean().default(false).meta({ description: 'give up commits that were undone, where a linked clone commits what was written' })
    }),
    result: DiskView,
    task: true,
    positional: ['machine', 'disk']
  }),
  'disk.export': operation({
    help: 'write what a disk holds to a file that stands on nothing',
    input: one.extend({
      file: FilePath.meta({ description: 'where to', cli: '<file>' }),
      format: z.enum(['raw', 'qcow2', 'vmdk', 'vdi', 'vhdx']).default('qcow2').meta({ description: 'its format' })
    }),
    result: z.object({ file: z.string(), fileSizeBytes: z.number() }),
    task: true,
    positional: ['machine', 'disk', 'file']
  }),
  'disk.convert': operation({
    help: 'make an image of another format from an image of the library',
    input: z.object({ image: imageRef, format: z.enum(['raw', 'qcow2']).meta({ description: 'its format' }), name: Name.meta({ description: 'name of the new image' }) }),
    result: Image,
    task: true,
    positional: ['image']
  })
}
