import type { ShareCounters, ShareLoad } from '#contract'
import type { ManagedMachine } from '../machine/machine'
import { isLive } from '../machine/state'
import { deviceOf } from './cluster'
import { inGuest, pciAddress } from './guest-disk'
import type { ManagedShare } from './share'

/** It is asked for again and again: an agent that does not answer at once is left out. */
const TIMEOUT_MS = 3_000
const SECTOR = 512
const MS_NS = 1e6

/** What the owner and each client that has the disk have asked of it. Who cannot be asked is left out. */
export async function shareLoad(share: ManagedShare): Promise<ShareLoad> {
  const { owner, clients, record } = share
  const having = [...(owner ? [owner] : []), ...clients.filter(({ definition }) => share.hasDevice(definition.id))].filter((machine) => isLive(machine.state))
  const counters = await Promise.all(
    having.map((machine) => countersOf(machine, deviceOf(share, machine), machine.definition.id === record.machineId).catch(() => null)) // it is ending, or has no agent
  )
  return { atMs: Date.now(), counters: counters.filter((one) => one !== null) }
}

/**
 * QEMU counts the requests of devices whose blocks it has itself: those of the owner, and of clients over NBD. What goes by vhost-user-blk neither end
 * counts (QEMU 7.2): there the guest's own figures count, which are what it waited for.
 */
async function countersOf(machine: ManagedMachine, device: string, isOwner: boolean): Promise<ShareCounters | null> {
  const { qmp } = machine.live('asked')
  const machineId = machine.definition.id
  const found = (await qmp.execute('query-blockstats')).find(({ qdev }) => qdev !== undefined && qdev.split('/').includes(device))
  if (found) {
    const { stats } = found
    return {
      machineId,
      reads: stats.rd_operations,
      writes: stats.wr_operations,
      readBytes: stats.rd_bytes,
      writtenBytes: stats.wr_bytes,
      readMs: stats.rd_total_time_ns / MS_NS,
      writeMs: stats.wr_total_time_ns / MS_NS
    }
  }
  const address = isOwner ? null : await pciAddress(qmp, device)
  return address === null ? null : fromGuest(machineId, await inGuest(machine, 'cat "/sys/bus/pci/devices/$1"/virtio*/block/*/stat', [address], TIMEOUT_MS))
}

/** Source: Documentation/block/stat.rst. Sectors are of 512 bytes, whatever the disk's are. */
export function fromGuest(machineId: string, line: string): ShareCounters | null {
  const [reads, , readSectors, readMs, writes, , writtenSectors, writeMs] = line.trim().split(/\s+/).map(Number)
  if (writeMs === undefined || ![reads, readSectors, readMs, writes, writtenSectors, writeMs].every(Number.isFinite)) return null
  return { machineId, reads: reads!, writes: writes!, readBytes: readSectors! * SECTOR, writtenBytes: writtenSectors! * SECTOR, readMs: readMs!, writeMs }
}
