import { failure, type Machine, type ParsedInputOf } from '#contract'
import type { Context } from '../context'
import { exists } from '../host/files'
import type { Work } from '../task/work'
import type { Incoming, LaunchContext } from './command-line'
import { prepareFirmware, requireAvailable } from './create'
import { activeLayer } from '../disk/stack'
import { DiskTarget, freezeLayers, requireFile, reserved, verifyLayers } from './disk-target'
import { followImages } from './find-file'
import { launchContext } from './launch-context'
import type { ManagedMachine } from './machine'
import { ensureSwitch } from './network-switch'
import { finishPending, putOverlay } from './overlays'
import type { StandbyQemu } from './standby-qemu'
import { requireState } from './state'

/** Cancelled before QEMU runs, nothing is left of the start; cancelled while it waits for the agent, the machine runs on. */
export async function startMachine(input: ParsedInputOf<'machine.start'>, context: Context, work: Work): Promise<Machine> {
  const machine = context.machines.get(input.machine)
  const shares = context.shares.members.withClient(machine)
  const atStandstill = shares.length > 0 || context.shares.readsItsOwn(machine)
  await withFiles(machine, context, async () => {
    await prepareDisks(machine, context, input.temporary, work)
    await machine.start(work, (signal) => prepareLaunch(machine, context, { paused: input.paused || atStandstill }, signal))
  })
  if (atStandstill) await addShares(machine, context, input.paused, work)
  if (input.wait === 'agent' && !input.paused) await machine.waitForAgent(work, input.timeoutSeconds * 1000)
  return machine.view()
}

/** A storage daemon that serves a disk of it closes its files first; once QEMU has them open, or has not come up, they are served again. */
async function withFiles(machine: ManagedMachine, context: Context, act: () => Promise<void>): Promise<void> {
  requireState(machine.name, machine.state, ['created', 'stopped', 'crashed'], 'started')
  const release = await context.shares.occupyAll(machine)
  try {
    await act()
  } finally {
    release()
  }
}

/** Before the first instruction, so that the guest finds the disks of others at its boot as it does its own. */
async function addShares(machine: ManagedMachine, context: Context, paused: boolean, work: Work): Promise<void> {
  work.phase('plugging in shared disks')
  try {
    await context.shares.guard(machine)
    await context.shares.members.plugAll(machine, work)
  } finally {
    if (!paused) await machine.resume()
  }
}

/** Starts QEMU with the memory and devices of a snapshot; it loads them, and stands still. @param standby one that may be ready for that */
export async function startFromSnapshot(machine: ManagedMachine, context: Context, incoming: Incoming, work: Work, standby: StandbyQemu | null): Promise<void> {
  await machine.start(work, (signal) => prepareLaunch(machine, context, { paused: true, incoming }, signal), standby)
}

/** A guest never writes to a layer that is committed, and in a temporary run only to throw-away ones. */
async function prepareDisks(machine: ManagedMachine, context: Context, temporary: boolean, work: Work): Promise<void> {
  for (const { id } of machine.definition.disks) {
    const target = new DiskTarget(context, machine, id)
    await reserved(target, 'is being made ready', async () => {
      await finishPending(target, work)
      const active = activeLayer(target.disk)
      if (active.commit || (temporary && !active.temporary)) await putOverlay(target, { temporary })
    })
  }
  await freezeLayers(machine, (disks) => context.machines.redefine(machine, { ...machine.definition, disks }))
}

/** Finds out, and starts, what QEMU needs around it. @throws unsupported, not-found (a file it stands on), missing-program */
async function prepareLaunch(machine: ManagedMachine, context: Context, how: { paused: boolean; incoming?: Incoming }, signal: AbortSignal): Promise<LaunchContext> {
  await followImages(machine, context)
  const { definition, paths } = machine
  const host = context.host.value.qemu ? context.host.value : await context.host.look(true)
  if (host.qemuMissing) {
    const { install, message } = host.qemuMissing
    throw failure('missing-program', message, { program: 'qemu-system-x86_64', install, next: `Install it: ${install}` })
  }
  requireAvailable({ definition }, host)
  await requireFiles(machine)
  await verifyLayers(machine)
  for (const { image } of definition.disks) if (image) await context.images.verifyById(image.imageId)
  const launch = { ...(await launchContext(machine, context.library, context.host.value, how.paused)), incoming: how.incoming ?? null }
  if (definition.firmware === 'uefi' && !(await exists(paths.uefiVariables))) await prepareFirmware('uefi', paths)
  const networks = Object.keys(launch.switches)
  await Promise.all(networks.map((name) => ensureSwitch(context.library.runtime.network(name), signal)))
  return launch
}

/** Every file that the machine stands on. @throws not-found */
async function requireFiles(machine: ManagedMachine): Promise<void> {
  const { definition, paths } = machine
  const files = [
    ...definition.disks.flatMap((disk) => [...disk.layers.map((layer) => paths.disk(layer.file)), ...(disk.image ? [disk.image.path] : [])]),
    ...definition.cdroms.map((cdrom) => cdrom.path),
    ...(definition.kernel ? [definition.kernel.kernel, ...(definition.kernel.initrd ? [definition.kernel.initrd] : [])] : [])
  ]
  for (const path of files) await requireFile(machine, path)
}
