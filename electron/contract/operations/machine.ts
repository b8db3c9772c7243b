import { z } from 'zod'
import { Firmware, Machine, MetricsSample } from '../models/machine'
import { Renewal } from '../models/snapshot'
import { operation } from '../operation'
import { DiskSize, FilePath, Forward, Name, Network, Size } from '../values'

export const machineRef = z.string().min(1).meta({ description: 'name or id of the machine', cli: '<machine>' })
const one = z.object({ machine: machineRef })
const tag = z.string().trim().min(1).max(32).regex(/^[^,\n]+$/)

/** What `machine.create` and `machine.edit` have in common; all optional. */
const settable = {
  cpus: z.number().int().min(1).max(255).optional().meta({ description: 'virtual processors' }),
  memory: Size.optional().meta({ description: 'guest memory: 256M, 2G' }),
  network: z.array(Network).max(8).optional().meta({ description: 'network interfaces: user, isolated:NAME, bridge:NAME; none for an empty list' }),
  forward: z.array(Forward).max(64).optional().meta({ description: 'port forwards of the first user network: tcp:2222:22' }),
  firmware: Firmware.optional().meta({ description: 'bios or uefi' }),
  tpm: z.boolean().optional().meta({ description: 'a TPM 2.0 (swtpm)' }),
  display: z.boolean().optional().meta({ description: 'a screen' }),
  sharedMemory: z.boolean().optional().meta({ description: 'memory that other processes can map; needed to use shared disks' }),
  accelerator: z.enum(['auto', 'kvm', 'tcg']).optional().meta({ description: 'auto takes KVM where it works' }),
  notes: z.string().max(10_000).optional().meta({ description: 'free text' }),
  tag: z.array(tag).max(32).optional().meta({ description: 'tags to find it by' })
}

export const machineOperations = {
  'machine.create': operation({
    help: 'create a machine',
    input: z.object({
      name: Name,
      source: z.string().min(1).default('builtin').meta({ description: 'builtin, none, or the name of an image in the library' }),
      disk: DiskSize.optional().meta({ description: 'size of its disk: 1G; by default what the source needs, 0 for none' }),
      kernel: FilePath.optional().meta({ description: 'a kernel to boot directly; for sources that have none of their own', cli: '<file>' }),
      append: z.string().max(2000).default('console=ttyS0').meta({ description: 'what that kernel is told' }),
      copy: z.boolean().default(false).meta({ description: 'copy the image whole instead of standing an overlay on it' }),
      ...settable,
      hostname: z.string().max(63).optional().meta({ description: 'cloud images: host name, by default the machine name' }),
      user: z.string().regex(/^[a-z_][a-z0-9_-]{0,31}$/).optional().meta({ description: 'cloud images: the user to create' }),
      sshKey: z.array(z.string().min(1)).optional().meta({ description: 'cloud images: public SSH keys of that user; without one it has a password on the console' })
    }),
    result: Machine,
    task: true,
    positional: ['name']
  }),
  'machine.list': operation({
    help: 'list the machines',
    input: z.object({ tag: z.string().optional().meta({ description: 'only those with this tag' }) }),
    result: z.array(Machine),
    reads: true
  }),
  'machine.show': operation({ help: 'show a machine', input: one, result: Machine, reads: true, positional: ['machine'] }),
  'machine.edit': operation({
    help: 'change a machine; what is not named stays, and what a running machine cannot take waits for its next start',
    input: one.extend(settable),
    result: Machine,
    positional: ['machine']
  }),
  'machine.rename': operation({ help: 'give a stopped machine another name', input: one.extend({ name: Name }), result: Machine, positional: ['machine', 'name'] }),
  'machine.clone': operation({
    help: 'make another machine like this one; of a running one, one that goes on from here',
    input: one.extend({ name: Name.meta({ description: 'name of the new machine' }) }),
    result: z.object({ machine: Machine, renewal: Renewal.nullable() }),
    task: true,
    positional: ['machine', 'name']
  }),
  'machine.start': operation({
    help: 'start a machine',
    input: one.extend({
      wait: z.enum(['running', 'agent']).default('running').meta({ description: 'done when QEMU runs it, or when its guest agent answers' }),
      timeoutSeconds: z.number().positive().max(3600).default(120).meta({ description: 'how long to wait' }),
      paused: z.boolean().default(false).meta({ description: 'stop before the first instruction' }),
      temporary: z.boolean().default(false).meta({ description: 'let it write to throw-away overlays; when it is off, keep, commit or discard them' })
    }),
    result: Machine,
    task: true,
    positional: ['machine']
  }),
  'machine.stop': operation({
    help: 'ask the guest to power off (agent, then ACPI power button); with --force, end QEMU at once',
    input: one.extend({
      force: z.boolean().default(false).meta({ description: 'like pulling the plug: what the guest has not written is lost' }),
      timeoutSeconds: z.number().positive().max(3600).optional().meta({ description: 'how long the guest may take; by default the setting' })
    }),
    result: Machine,
    task: true,
    positional: ['machine']
  }),
  'machine.pause': operation({ help: 'pause a running machine', input: one, result: Machine, positional: ['machine'] }),
  'machine.resume': operation({ help: 'let a paused machine go on', input: one, result: Machine, positional: ['machine'] }),
  'machine.reset': operation({ help: 'press the reset button', input: one, result: Machine, positional: ['machine'] }),
  'machine.remove': operation({
    help: 'delete a stopped machine and its disks; it waits in the trash until the trash is emptied',
    input: one,
    result: z.object({ trashId: z.string(), name: z.string() }),
    positional: ['machine']
  }),
  'machine.restore-removed': operation({
    help: 'bring back a deleted machine',
    input: z.object({ removed: z.string().min(1).meta({ description: 'trash id, or the name it had', cli: '<removed>' }) }),
    result: Machine,
    positional: ['removed']
  }),
  'machine.list-removed': operation({
    help: 'list the deleted machines that can be brought back',
    input: z.object({}),
    result: z.array(z.object({ trashId: z.string(), name: z.string(), removedAtMs: z.number(), diskBytes: z.number() })),
    reads: true
  }),
  'machine.empty-trash': operation({
    help: 'delete removed machines for good',
    input: z.object({ trashId: z.string().optional().meta({ description: 'only this one' }) }),
    result: z.object({ freedBytes: z.number() })
  }),
  'machine.screenshot': operation({
    help: 'take a picture of the screen (PNG)',
    input: one.extend({ file: FilePath.optional().meta({ description: 'where to write it; without it the answer holds it in base64', cli: '<file>' }) }),
    result: z.object({ widthPixels: z.number(), heightPixels: z.number(), file: z.string().nullable(), pngBase64: z.string().nullable() }),
    reads: true,
    positional: ['machine']
  }),
  'machine.metrics': operation({
    help: 'read the counters of a running machine once',
    input: one,
    result: MetricsSample,
    reads: true,
    positional: ['machine']
  }),
  'machine.command-line': operation({
    help: 'show the QEMU command line that a start would run',
    input: one,
    result: z.object({ program: z.string(), arguments: z.array(z.string()) }),
    reads: true,
    positional: ['machine']
  })
}
