import { failure, type DiskContent, type ShareMount } from '#contract'
import type { ManagedMachine } from '../machine/machine'
import type { Work } from '../task/work'
import { deviceOf } from './cluster'
import { findInGuest, mountInGuest } from './guest-disk'
import { seenInGuest } from './seat'
import { mayWrite } from './plan'
import type { ManagedShare } from './share'
import type { Shares } from './shares'

/** What bears no files of its own. */
const NO_FILES = ['nothing', 'unknown', 'LVM', 'LUKS', 'swap']

/**
 * Mounts a shared disk in a guest that runs, through its agent; one that has it mounted keeps it where it is.
 * @throws not-found (the machine does not have it), wrong-state, unsupported (nothing to mount), no-agent, program-failed
 */
export async function mountShare(shares: Shares, share: ManagedShare, machine: ManagedMachine, folder: string | undefined, work: Work): Promise<ShareMount> {
  const { record, label } = share
  machine.live('asked')
  if (share.owner !== machine && !share.clients.includes(machine)) {
    throw failure('not-found', `“${machine.name}” does not have ${label}.`, { what: 'client', name: machine.name, next: 'Give it to it first: share attach.' })
  }
  const id = deviceOf(share, machine)
  const writes = mayWrite(record, machine.definition.id)
  if (record.cluster) await shares.cluster.join(share, [machine], work)
  await seenInGuest(machine, id, work.signal)
  const { mounts } = await findInGuest(machine, id)
  if (mounts[0]) return { machine: machine.name, device: mounts[0].device, folder: mounts[0].folder, writes }
  const place = folder ?? `/mnt/${share.owner?.name.replaceAll(/[^\w.-]/g, '-') ?? record.id}-${record.disk}`
  const partition = share.owner ? partitionWithFiles(await shares.contents(share.owner, record.disk), label) : ''
  return { machine: machine.name, device: await mountInGuest(machine, id, { partition, folder: place, writes }), folder: place, writes }
}

/** What the guest adds to the disk's name: `1` for its first partition. @throws unsupported */
function partitionWithFiles(contents: readonly DiskContent[], label: string): string {
  const found = contents.find(({ kind }) => !NO_FILES.includes(kind))
  if (found) return found.partition === null ? '' : String(found.partition)
  const empty = contents.every(({ kind }) => kind === 'nothing')
  throw failure('unsupported', empty ? `${label} is empty: there is no file system on it yet.` : `On ${label} is nothing that can be mounted as it is.`, {
    next: 'Make a file system on it, in the guest that writes: mkfs.ext4'
  })
}
