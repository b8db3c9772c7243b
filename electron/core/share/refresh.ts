import { failure, toAppError, type RefreshedReader, type ShareRefresh } from '#contract'
import type { ManagedMachine } from '../machine/machine'
import { isLive } from '../machine/state'
import { EACH, inGuest, pciAddress } from './guest-disk'
import { deviceId, mayWrite } from './plan'
import type { ManagedShare } from './share'
import { versionFor } from './versions'

/** A guest that takes longer than this to write out or to mount is told as such. */
const TIMEOUT_MS = 60_000

/**
 * The writer's guest writes out all it holds back, then every reader's mounts the disk anew. A reader that was refreshed sees what had been written
 * at the flush. What is written afterwards it may see in part, until the next refresh: nothing tells a plain file system of it.
 * @throws wrong-state (a cluster file system needs none), and what the writer's agent throws
 */
export async function refresh(share: ManagedShare): Promise<ShareRefresh> {
  const { record, label } = share
  if (record.mode === 'cluster') {
    throw failure('wrong-state', `On ${label} all write: its file system keeps them in step by itself.`, { name: label, state: 'cluster' })
  }
  const machines = [...(share.owner ? [share.owner] : []), ...share.clients].filter(({ state }) => isLive(state))
  const writer = machines.find(({ definition: { id } }) => mayWrite(record, id)) ?? null
  const startedAt = performance.now()
  if (writer) await inGuest(writer, FLUSH, [await addressIn(share, writer)], TIMEOUT_MS)
  const flushedAt = performance.now()
  const readers = await Promise.all(machines.filter((machine) => machine !== writer && hasIt(share, machine)).map((machine) => refreshOne(share, machine, flushedAt)))
  return { writer: writer?.name ?? null, flushMs: flushedAt - startedAt, readers }
}

const isOwner = (share: ManagedShare, { definition: { id } }: ManagedMachine): boolean => id === share.record.machineId
const hasIt = (share: ManagedShare, machine: ManagedMachine): boolean => isOwner(share, machine) || share.hasDevice(machine.definition.id)

/** Of a machine's device for a shared disk on its PCI bus. @throws not-found */
export async function addressIn(share: ManagedShare, machine: ManagedMachine): Promise<string> {
  const device = isOwner(share, machine) ? `${share.record.disk}-device` : deviceId(share.record.id)
  const address = await pciAddress(machine.live('asked').qmp, device)
  if (address !== null) return address
  throw failure('not-found', `“${machine.name}” does not have the disk now.`, { what: 'disk', name: device, next: 'Try again in a moment.' })
}

async function refreshOne(share: ManagedShare, machine: ManagedMachine, flushedAt: number): Promise<RefreshedReader> {
  const base = { machineId: machine.definition.id, machine: machine.name, reason: null }
  const version = versionFor(share.record, machine.definition.id)
  if (version !== null) return { ...base, state: 'unasked', folders: [], afterMs: 0, reason: `It reads version ${version}, which does not change: publish the next one.` }
  try {
    const lines = (await inGuest(machine, RENEW, [await addressIn(share, machine)], TIMEOUT_MS)).split('\n').filter((line) => line !== '')
    const folders = lines.map((line) => line.slice(line.indexOf(' ') + 1))
    const state = lines.length === 0 ? 'unmounted' : lines.some((line) => line.startsWith('busy ')) ? 'busy' : 'fresh'
    return { ...base, state, folders, afterMs: performance.now() - flushedAt }
  } catch (error) {
    return { ...base, state: 'unasked', folders: [], afterMs: performance.now() - flushedAt, reason: toAppError(error).message }
  }
}

/**
 * A freeze writes out the journal too, into the places where who does not read the journal looks; a mere sync does not. The root is not frozen: what
 * is to thaw it runs from there.
 */
const FLUSH = `
each() {
  if [ "$2" != / ] && fsfreeze --freeze "$2" 2>/dev/null; then fsfreeze --unfreeze "$2" || exit 1; fi
}
${EACH}
sync
blockdev --flushbufs "/dev/$name" 2>/dev/null
true`

/** Only mounting anew lets a guest forget all it knows of a file system; while a program uses it, what is not in use is forgotten. */
const RENEW = `
each() {
  if umount "$2" 2>/dev/null; then
    blockdev --flushbufs "$1" 2>/dev/null
    mount -t "$3" -o "$4,noload" "$1" "$2" 2>/dev/null || mount -t "$3" -o "$4" "$1" "$2" || exit 1
    echo "fresh $2"
  else
    echo 3 > /proc/sys/vm/drop_caches
    echo "busy $2"
  fi
}
${EACH}
true`
