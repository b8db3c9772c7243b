import { failure, ImageFormat, toAppError, type Host, type ImageRecord, type Machine, type ParsedInputOf } from '#contract'
import type { Context } from '../context'
import { convertImage, createDisk, createOverlay } from '../disk/qemu-img'
import { activeLayer } from '../disk/stack'
import { findFirmware } from '../host/capabilities'
import { copySmall, ensurePrivateFolder, fileFacts, listFolder, removeFile, removeTree, writeJsonAtomic } from '../host/files'
import { machinePaths, type MachinePaths } from '../library/paths'
import type { Work } from '../task/work'
import { checkSshKeys, writeCloudInitSeed } from './cloud-init'
import { planMachine, type DiskPlan, type Limits, type MachinePlan } from './definition'

export const limitsOf = (host: Host): Limits => ({ cpus: host.cpu.count, memoryBytes: host.memory.totalBytes })

/**
 * Makes a machine: everything in a folder of its own first, which then gets the machine's name. So a machine is whole from
 * the moment it exists, and what is cut off before leaves nothing.
 */
export async function createMachine(input: ParsedInputOf<'machine.create'>, context: Context, work: Work): Promise<Machine> {
  await context.machines.requireFreeName(input.name)
  checkSshKeys(input.sshKey ?? [])
  if (input.kernel !== undefined) await fileFacts(input.kernel) // it has to be there
  if (input.source === 'none') return makeMachine(input, null, context, work)
  return context.images.use(input.source, input.name, (image) => makeMachine(input, image, context, work))
}

async function makeMachine(input: ParsedInputOf<'machine.create'>, image: ImageRecord | null, context: Context, work: Work): Promise<Machine> {
  const plan = planMachine(input, image, limitsOf(context.host.value), Date.now())
  requireAvailable(plan, context.host.value)
  const folder = await context.library.unfinished()
  work.onUndo(() => removeTree(folder))
  const paths = machinePaths(folder)
  await ensurePrivateFolder(paths.disks)
  for (const disk of plan.disks) await makeDisk(disk, paths, work)
  await prepareFirmware(plan.definition.firmware, paths)
  const { cloudInit, id } = plan.definition
  if (cloudInit) await writeCloudInitSeed(paths.cloudInitSeed, cloudInit, id)
  await writeJsonAtomic(paths.definition, plan.definition)
  work.pointOfNoReturn()
  return (await context.machines.add(plan.definition, folder)).view()
}

export async function makeDisk(plan: DiskPlan, paths: MachinePaths, work: Work): Promise<void> {
  const layer = activeLayer(plan.disk)
  const path = paths.disk(layer.file)
  switch (plan.kind) {
    case 'empty':
      work.phase('making an empty disk')
      return createDisk(path, plan.disk.sizeBytes)
    case 'overlay':
      work.phase('making an overlay')
      return createOverlay(path, plan.image, plan.disk.sizeBytes)
    case 'copy':
      work.phase('copying the image')
      return convertImage(plan.image, { path, format: layer.format, sizeBytes: plan.disk.sizeBytes }, work)
  }
}

/**
 * Makes the files of a disk that a machine is given: if that fails none of them stays, nor does any of one that was cut off. Layers of another
 * disk may be among those, by another name, and as long as they are there nothing is merged into them. To be called while the machine is
 * reserved: the next disk that it is given may have the same name.
 * @param id of no disk that is recorded
 */
export async function makeFilesOf<T>(id: string, paths: MachinePaths, work: Work, make: () => Promise<T>): Promise<T> {
  await removeLeft(id, paths)
  try {
    return await make()
  } catch (error) {
    await removeLeft(id, paths).catch((left: unknown) => work.log(`What was made of ${id} could not be removed: ${toAppError(left).message}`))
    throw error
  }
}

async function removeLeft(id: string, paths: MachinePaths): Promise<void> {
  const layer = new RegExp(`^${id}(-\\d+)?\\.(${ImageFormat.options.join('|')})$`)
  for (const name of await listFolder(paths.disks)) if (layer.test(name)) await removeFile(paths.disk(name))
}

/** A UEFI machine has variables of its own. */
export async function prepareFirmware(firmware: 'bios' | 'uefi', paths: MachinePaths): Promise<void> {
  if (firmware === 'bios') return
  const files = await findFirmware()
  if (!files) throw failure('missing-program', 'The UEFI firmware (OVMF) is not installed.', { program: 'OVMF', install: 'sudo apt-get install ovmf', next: 'Install it: sudo apt-get install ovmf' })
  await copySmall(files.variables, paths.uefiVariables)
}

/** Refuses what this host cannot do, before anything is made. */
export function requireAvailable({ definition }: Pick<MachinePlan, 'definition'>, host: Host): void {
  const needed = [
    { wanted: definition.firmware === 'uefi', what: 'UEFI', is: host.uefi },
    { wanted: definition.tpm, what: 'A TPM', is: host.tpm },
    { wanted: definition.accelerator === 'kvm', what: 'KVM', is: host.accelerators.kvm },
    { wanted: definition.nics.some((nic) => nic.network.kind === 'bridge'), what: 'A bridged network', is: host.bridge },
    { wanted: definition.nics.some((nic) => nic.network.kind === 'isolated'), what: 'An isolated network', is: host.isolatedNetworks }
  ]
  for (const { wanted, what, is } of needed) {
    if (!wanted || is.available) continue
    throw failure('unsupported', `${what} cannot be had on this computer: ${is.reason}.`, is.install ? { next: `Run: ${is.install}` } : {})
  }
}
