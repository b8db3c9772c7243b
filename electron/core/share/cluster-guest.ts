import { failure, Failure } from '#contract'
import type { ManagedMachine } from '../machine/machine'
import { inGuest } from './guest-disk'

/** There is one cluster in a library, as a kernel can be in one only. A guest's number in it, its address and the name of its node follow from each other. */
export const CLUSTER_NAME = 'strata'
export const MOST_NODES = 254
export const addressOfNode = (number: number): string => `10.213.0.${number}`
export const macOfNode = (number: number): string => `52:54:01:d5:00:${number.toString(16).padStart(2, '0')}`

/** A guest takes about ten seconds to mount: it listens for the heartbeats of others first. On a busy host it may take much longer. */
const MOUNT_TIMEOUT_MS = 180_000
const UNSUPPORTED = 3

/** Says whether a guest can be in a cluster at all. @throws unsupported, no-agent */
export async function requireClusterAble(machine: ManagedMachine): Promise<void> {
  const lacks = await inGuest(machine, NEEDS, [])
  if (lacks === '') return
  throw failure('unsupported', `“${machine.name}” cannot use a disk that all write to: its guest lacks ${lacks}.`, {
    next: 'Install ocfs2-tools and a kernel with OCFS2 there (Debian: linux-image-amd64). The built-in guest has both; a machine that stands on an older one of it has not.'
  })
}

const NEEDS = `
modprobe -q ocfs2_stack_o2cb 2>/dev/null || [ -e /sys/fs/ocfs2/cluster_stack ] || lacks="the kernel module ocfs2_stack_o2cb"
PATH=$PATH:/usr/sbin:/sbin
for program in mkfs.ocfs2 mount.ocfs2 ocfs2_hb_ctl; do
  command -v $program > /dev/null || lacks="\${lacks:+$lacks, }the program $program"
done
printf '%s' "$lacks"`

/**
 * Makes a guest a node of the cluster, or tells one that is of new nodes: all of it goes to the kernel (configfs), and is gone with its next start.
 * @param nic the address of its cluster link on the PCI bus
 */
export async function joinInGuest(machine: ManagedMachine, own: number, nic: string, nodes: readonly number[]): Promise<void> {
  const known = nodes.map((number) => `${number},${addressOfNode(number)}`).join(' ')
  await inGuest(machine, JOIN, [CLUSTER_NAME, String(own), addressOfNode(own), nic, known])
}

/**
 * Node names are made of numbers, so a node that is known already is as it should be. A guest whose own number has changed is in no cluster file
 * system, and its cluster is made anew. The file system for locks (ocfs2_dlmfs) is what mkfs and fsck ask whether another node has the disk.
 */
const JOIN = `
modprobe -a configfs ocfs2 ocfs2_stack_o2cb ocfs2_dlmfs || exit 1
grep -q ' configfs ' /proc/mounts || mount -t configfs configfs /sys/kernel/config || exit 1
grep -q ' ocfs2_dlmfs ' /proc/mounts || { mkdir -p /dlm && mount -t ocfs2_dlmfs ocfs2_dlmfs /dlm; } || exit 1
[ "$(cat /sys/fs/ocfs2/cluster_stack)" = o2cb ] || echo o2cb > /sys/fs/ocfs2/cluster_stack || exit 1

tries=0
until interface=$(ls "/sys/bus/pci/devices/$4"/virtio*/net 2>/dev/null | head -n 1) && [ -n "$interface" ]; do
  tries=$((tries + 1))
  [ $tries -lt 100 ] || { echo 'the network of the cluster does not show up' >&2; exit 1; }
  sleep 0.1
done
ip link set "$interface" up
ip addr show dev "$interface" | grep -q " $3/" || ip addr add "$3/24" dev "$interface" || exit 1

cluster=/sys/kernel/config/cluster/$1
for other in /sys/kernel/config/cluster/*; do
  [ ! -d "$other" ] || [ "$other" = "$cluster" ] || { echo "it is in another cluster: \${other##*/}" >&2; exit 1; }
done
for node in "$cluster"/node/*; do
  [ -d "$node" ] && [ "$(cat "$node/local")" = 1 ] && [ "\${node##*/}" != "n$2" ] && rmdir "$cluster"/node/* "$cluster"
done
mkdir -p "$cluster" || exit 1
for known in $5; do
  number=\${known%,*} node=$cluster/node/n\${known%,*}
  [ -d "$node" ] && continue
  mkdir "$node" && echo 7777 > "$node/ipv4_port" && echo "\${known#*,}" > "$node/ipv4_address" && echo "$number" > "$node/num" || exit 1
done
[ "$(cat "$cluster/node/n$2/local")" = 1 ] || echo 1 > "$cluster/node/n$2/local"`

/** Takes a guest out of the cluster, unless a file system of it is mounted. */
export const leaveInGuest = (machine: ManagedMachine): Promise<string> =>
  inGuest(
    machine,
    `
grep -q ' ocfs2 ' /proc/mounts && exit 0
cluster=/sys/kernel/config/cluster/$1
[ ! -d "$cluster" ] || rmdir "$cluster"/node/* "$cluster"`,
    [CLUSTER_NAME]
  )

/**
 * @param disk the address of the disk on the PCI bus
 * @param slots how many nodes can have it mounted at once; each has a journal of its own
 */
export async function makeFileSystem(machine: ManagedMachine, disk: string, label: string, { slots, journalMiB }: { slots: number; journalMiB: number }): Promise<void> {
  await inGuest(machine, MAKE, [disk, label, String(slots), `${journalMiB}M`], MOUNT_TIMEOUT_MS)
}

const BLOCK = `
tries=0
until name=$(ls "/sys/bus/pci/devices/$1"/virtio*/block 2>/dev/null | head -n 1) && [ -n "$name" ]; do
  tries=$((tries + 1))
  [ $tries -lt 100 ] || { echo 'the disk does not show up' >&2; exit 1; }
  sleep 0.1
done
PATH=$PATH:/usr/sbin:/sbin`

const MAKE = `${BLOCK}
out=$(mkfs.ocfs2 -q -b 4K -C 4K -N "$3" -J size="$4" -L "$2" --cluster-stack=o2cb --cluster-name=${CLUSTER_NAME} --fs-feature-level=max-features "/dev/$name" < /dev/null 2>&1) && exit 0
echo "$out" | tail -n 3 >&2
exit 1`

/** Mounts a cluster file system, where it is not yet. @returns the folder that it is mounted on */
export async function mountClusterDisk(machine: ManagedMachine, disk: string, folder: string): Promise<string> {
  try {
    return await inGuest(machine, MOUNT, [disk, folder], MOUNT_TIMEOUT_MS)
  } catch (error) {
    if (!(error instanceof Failure) || error.error.code !== 'program-failed' || error.error.exitCode !== UNSUPPORTED) throw error
    throw failure('in-use', `“${machine.name}” has something else mounted on ${folder}.`, { what: folder, next: 'Name another folder: --mount.' })
  }
}

const MOUNT = `${BLOCK}
while read -r device mounted rest; do
  [ "$device" != "/dev/$name" ] || { printf '%b' "$mounted"; exit 0; }
  [ "$mounted" != "$2" ] || exit ${UNSUPPORTED}
done < /proc/mounts
mkdir -p "$2" && mount.ocfs2 "/dev/$name" "$2" && printf '%s' "$2"`

/** What one node writes the others read. */
export const writeMark = (machine: ManagedMachine, folder: string, mark: string): Promise<string> => inGuest(machine, 'echo "$2" > "$1/.strata-check"', [folder, mark])
export const readMark = (machine: ManagedMachine, folder: string): Promise<string> => inGuest(machine, 'cat "$1/.strata-check"', [folder])
export const removeMark = (machine: ManagedMachine, folder: string): Promise<string> => inGuest(machine, 'rm -f "$1/.strata-check"', [folder])
