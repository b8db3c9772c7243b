import { failure, Failure } from '#contract'
import type { ManagedMachine } from '../machine/machine'
import type { QmpSession } from '../qmp/session'
import type { PciDeviceInfo } from '../qmp/commands'

/** Where a guest has a disk mounted. */
export interface Mount {
  /** `/dev/vdb`, `/dev/vdb1` */
  device: string
  folder: string
  type: string
}

/** What a guest does with a disk now. */
export interface GuestDisk {
  /** `/dev/vdb` */
  device: string
  mounts: Mount[]
  /** What else stands on it: LVM, encryption, RAID, swap. */
  holders: string[]
}

/** Long enough for a guest that has much to write out. */
const SCRIPT_TIMEOUT_MS = 60_000

/**
 * What a guest calls a disk, by the place of its device on the PCI bus: names such as /dev/vdb depend on the order of finding them.
 * @param deviceId of the device in QEMU
 * @throws no-agent, unsupported (not a Linux guest), not-found (the guest does not see it)
 */
export async function findInGuest(machine: ManagedMachine, deviceId: string): Promise<GuestDisk> {
  const { qmp } = machine.live('asked')
  const address = await pciAddress(qmp, deviceId)
  const out = address === null ? null : await inGuest(machine, FIND, [address])
  if (!out) throw failure('not-found', `The guest of “${machine.name}” does not see the disk.`, { what: 'disk', name: deviceId, next: 'Give it a moment, and try again.' })
  const [device = '', ...lines] = out.split('\n')
  const mounts = lines.filter((line) => line.startsWith('m ')).map((line) => mountOf(line.split(' ')))
  return { device, mounts, holders: lines.filter((line) => line.startsWith('h ')).map((line) => line.slice(2)) }
}

/** /proc/mounts writes a blank as \040. */
const mountOf = ([, device = '', folder = '', type = '']: string[]): Mount => ({ device, folder: folder.replaceAll('\\040', ' '), type })

const FIND = `
name=$(ls "/sys/bus/pci/devices/$1"/virtio*/block 2>/dev/null | head -n 1)
[ -n "$name" ] || exit 0
echo "/dev/$name"
while read -r device folder type rest; do
  case "$device" in "/dev/$name" | "/dev/$name"[0-9]* | "/dev/$name"p[0-9]*) echo "m $device $folder $type" ;; esac
done < /proc/mounts
while read -r device rest; do
  case "$device" in "/dev/$name" | "/dev/$name"[0-9]*) echo "h swap on $device" ;; esac
done < /proc/swaps
ls "/sys/block/$name/holders" "/sys/block/$name"/*/holders 2>/dev/null | grep -v -e '^$' -e ':$' | sed 's/^/h /'
true`

/**
 * Writes out what the guest holds back, and unmounts the disk everywhere; the guest keeps nothing of it in its memory.
 * @param next what can be done when a program uses it
 * @returns where it was mounted @throws in-use (names what uses it)
 */
export async function unmountInGuest(machine: ManagedMachine, deviceId: string, next = 'End in the guest what uses it, and try again.'): Promise<Mount[]> {
  const { device, mounts, holders } = await findInGuest(machine, deviceId)
  const busy = (what: string, by: string): Failure => failure('in-use', `${what} is in use in “${machine.name}”${sayPrograms(by)}, and cannot be unmounted.`, { what, next, cause: by })
  if (holders.length > 0) throw busy(device, holders.join(', '))
  for (const mount of mounts.toReversed()) {
    await inGuest(machine, UNMOUNT, [mount.folder]).catch((error: unknown) => {
      if (!(error instanceof Failure)) throw error
      const { code, causes } = error.error
      // One that has much to write out, and nobody who serves it, waits.
      throw code === 'program-failed' || code === 'time-out' ? busy(mount.folder, causes.join(' ') || error.message) : error
    })
  }
  await inGuest(machine, 'sync; blockdev --flushbufs "$1" 2>/dev/null || true', [device])
  return mounts
}

function sayPrograms(words: string): string {
  const programs = words.split('\n').filter((line) => / \(process \d+\)$/.test(line))
  return programs.length === 0 ? '' : ` by ${programs.join(', ')}`
}

/** What keeps a folder busy is told by process, as far as the guest shows it. */
const UNMOUNT = `
umount "$1" && exit 0
for process in /proc/[0-9]*; do
  for link in "$process"/cwd "$process"/root "$process"/exe "$process"/fd/*; do
    case "$(readlink "$link" 2>/dev/null)" in "$1" | "$1"/*) echo "$(cat "$process/comm") (process \${process#/proc/})" >&2; break ;; esac
  done
done
exit 1`

/** Mounts a disk. A reader does not touch the journal, which is the writer's. @returns the device */
export async function mountInGuest(machine: ManagedMachine, deviceId: string, where: { partition: string; folder: string; writes: boolean }): Promise<string> {
  const { device } = await findInGuest(machine, deviceId)
  const part = device + where.partition
  await inGuest(machine, MOUNT, [part, where.folder, where.writes ? 'rw' : 'ro'])
  return part
}

/** Without replaying the journal: `noload` for ext3 and ext4, `norecovery` for XFS and others; file systems without one know neither. */
const MOUNT = `
mkdir -p "$2" || exit 1
[ "$3" = rw ] && exec mount "$1" "$2"
mount -o ro,noload "$1" "$2" 2>/dev/null || mount -o ro,norecovery "$1" "$2" 2>/dev/null || exec mount -o ro "$1" "$2"`

/** `1` of /dev/vdb1, `p1` of /dev/nbd0p1; nothing for the whole disk. */
export const partitionOf = (disk: string, mount: Mount): string => mount.device.slice(disk.length)

/** Calls `each DEVICE FOLDER TYPE OPTIONS` for every place where the disk at a PCI address is mounted, as the list is now. */
export const EACH = `
name=$(ls "/sys/bus/pci/devices/$1"/virtio*/block 2>/dev/null | head -n 1)
[ -n "$name" ] || exit 0
mounts=$(cat /proc/mounts)
while read -r device folder type options rest; do
  case "$device" in "/dev/$name" | "/dev/$name"[0-9]*) each "$device" "$(printf '%b' "$folder")" "$type" "$options" ;; esac
done <<END
$mounts
END`

/** Runs a script in a guest's shell. @throws no-agent, unsupported, program-failed (with its words) */
export async function inGuest(machine: ManagedMachine, script: string, args: readonly string[], timeoutMs = SCRIPT_TIMEOUT_MS): Promise<string> {
  const { agent } = machine.live('asked')
  const { exitCode, stdout, stderr } = await agent.exec(['/bin/sh', '-c', script, 'sh', ...args], { timeoutMs }).catch((error: unknown) => {
    throw error instanceof Failure && error.error.code === 'qmp' ? noShell(machine, error) : error
  })
  if (exitCode === 0) return stdout.trim()
  throw failure('program-failed', `“${machine.name}” could not do it: ${stderr.trim() || 'it did not say why'}.`, { program: 'sh', exitCode, cause: stderr.trim() })
}

const noShell = (machine: ManagedMachine, cause: Failure): Failure =>
  failure('unsupported', `The guest of “${machine.name}” runs no shell for its agent: only Linux guests can be told to mount and unmount.`, { next: 'Do it in the guest yourself, and say so: --unmounted.', cause })

/** `0000:01:00.0`; null when there is no such device. */
export async function pciAddress(qmp: QmpSession, deviceId: string): Promise<string | null> {
  const hex = (value: number): string => value.toString(16).padStart(2, '0')
  const search = (devices: readonly PciDeviceInfo[]): PciDeviceInfo | undefined =>
    devices.find(({ qdev_id: id }) => id === deviceId) ?? devices.map(({ pci_bridge: bridge }) => search(bridge?.devices ?? [])).find((found) => found !== undefined)
  const found = (await qmp.execute('query-pci')).map(({ devices }) => search(devices)).find((one) => one !== undefined)
  return found ? `0000:${hex(found.bus)}:${hex(found.slot)}.${found.function}` : null
}
