import { randomBytes } from 'node:crypto'
import { Failure, type Machine, type MachineDefinition, type Renewal } from '#contract'
import { hostnameOf } from '../machine/command-line'
import type { ManagedMachine } from '../machine/machine'

/** An agent that answered when the snapshot was taken does so again, if late where many machines go on at once. */
const AGENT_TIMEOUT_MS = 60_000
const UNKNOWN_AGENT_TIMEOUT_MS = 2_000
const SCRIPT_TIMEOUT_MS = 60_000
/** Twice what Linux keeps as its seed. */
const NOISE_BYTES = 64

/**
 * What the guest does to be another one. Each step says `done NAME` or `left NAME: why`, so that what was renewed can be told. Plain sh, as it has to
 * run in small guests too. Nearly all of it is done by the shell itself: twenty guests do it at once, and each program is a process that an
 * emulated processor makes, and code that QEMU translates and keeps (docs/decisions.md).
 * Arguments: host name, machine id, seconds since 1970, then for each interface its old and new MAC address, and the end of the IPv6 addresses that the
 * kernel makes of the old one. Standard input: a line of random characters.
 */
const SCRIPT = `
set -f
name=$1 id=$2 now=$3 changed= renew=
shift 3
read -r noise
echo "$noise" >/dev/urandom && echo "done entropy" || echo "left entropy: /dev/urandom cannot be written to"
date -u -s "@$now" >/dev/null 2>&1 && echo "done clock" || echo "left clock: date cannot set it"
read -r old </proc/sys/kernel/hostname
if echo "$name" >/proc/sys/kernel/hostname; then
  [ -e /etc/hostname ] && echo "$name" >/etc/hostname
  if [ -w /etc/hosts ]; then
    hosts= found=
    while IFS= read -r line || [ -n "$line" ]; do
      words=
      for word in $line; do
        [ "$word" = "$old" ] && [ -n "$words" ] && word=$name && changed=yes
        words="$words\${words:+ }$word"
      done
      [ -n "$changed" ] && line=$words found=yes changed=
      hosts="$hosts$line
"
    done </etc/hosts
    [ -n "$found" ] && printf %s "$hosts" >/etc/hosts
  fi
  echo "done hostname"
else
  echo "left hostname: it cannot be set"
fi
if [ -e /etc/machine-id ]; then
  echo "$id" >/etc/machine-id && echo "done machine-id" || echo "left machine-id: it cannot be written"
  [ -f /var/lib/dbus/machine-id ] && [ ! -L /var/lib/dbus/machine-id ] && echo "$id" >/var/lib/dbus/machine-id
else
  echo "left machine-id: the guest has none"
fi
set +f
while [ $# -ge 3 ]; do
  found=
  for path in /sys/class/net/*; do
    address=
    read -r address <"$path/address"
    [ "$address" = "$1" ] && found=\${path##*/}
  done
  if [ -z "$found" ]; then
    echo "left mac: no interface has $1"
  elif ip link set "$found" address "$2" 2>/dev/null || { ip link set "$found" down && ip link set "$found" address "$2" && ip link set "$found" up; }; then
    echo "done mac"
    renew=yes
    # Addresses that the kernel made of the old one stay, and every clone would have them: it makes all anew.
    while read -r ipv6 rest; do
      case $ipv6:$rest in
        *"$3":*" $found")
          echo 1 >"/proc/sys/net/ipv6/conf/$found/disable_ipv6" && echo 0 >"/proc/sys/net/ipv6/conf/$found/disable_ipv6"
          break
          ;;
      esac
    done </proc/net/if_inet6
  else
    echo "left mac: $found does not take another one"
  fi
  shift 3
done
# Its address of the network belongs to the old one: asked for again. Other clients do so when the link comes back.
if [ -n "$renew" ]; then
  clients=
  for file in /run/udhcpc*.pid; do
    [ -r "$file" ] && read -r pid <"$file" && clients="$clients $pid"
  done
  [ -z "$clients" ] && command -v udhcpc >/dev/null && clients=$(pidof udhcpc)
  for pid in $clients; do
    client=
    [ -r "/proc/$pid/comm" ] && read -r client <"/proc/$pid/comm"
    [ "$client" = udhcpc ] && kill -USR2 "$pid" && kill -USR1 "$pid"
  done
fi
`

/** Waits until the guest agent of a machine that goes on answers. One that does not is told of by the renewal, which asks it for more. */
export async function answers(machine: ManagedMachine): Promise<void> {
  try {
    await machine.live('asked').agent.waitUntilReady({ timeoutMs: AGENT_TIMEOUT_MS })
    machine.noteAgent(true)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
  }
}

/**
 * Makes a guest that goes on from a snapshot another one than that it was: through its agent, while its network is still unplugged.
 * @param before the machine in the snapshot
 * @param hadAgent whether its guest agent answered then
 */
export async function renewIdentity(machine: ManagedMachine, before: MachineDefinition, hadAgent: boolean): Promise<Renewal> {
  const { agent } = machine.live('renewed')
  const hostname = hostnameOf(machine.name)
  const machineId = machine.definition.id.replaceAll('-', '')
  const macs = machine.definition.nics.flatMap((nic, index) => {
    const old = before.nics[index]?.mac
    return old && old !== nic.mac ? [old, nic.mac, interfaceIdentifier(old)] : []
  })
  const words: Record<string, string> = {
    entropy: 'random numbers',
    clock: 'clock',
    hostname: `host name: ${hostname}`,
    'machine-id': `machine id: ${machineId}`,
    mac: `network addresses: ${machine.definition.nics.map((nic) => nic.mac).join(', ')}`
  }
  const renewal: Renewal = { machine: machine.name, renewed: ['VM generation id'], left: [] }
  const told = new Set<string>()
  try {
    await agent.waitUntilReady({ timeoutMs: hadAgent ? AGENT_TIMEOUT_MS : UNKNOWN_AGENT_TIMEOUT_MS })
    machine.noteAgent(true)
    const command = ['/bin/sh', '-c', SCRIPT, 'renew', hostname, machineId, String(Math.round(Date.now() / 1000)), ...macs]
    const { stdout, exitCode } = await agent.exec(command, { input: `${randomBytes(NOISE_BYTES).toString('base64')}\n`, timeoutMs: SCRIPT_TIMEOUT_MS })
    for (const line of stdout.split('\n')) {
      const [, how, what, why] = /^(done|left) ([a-z-]+)(?:: (.*))?$/.exec(line) ?? []
      if (how === 'done') renewal.renewed.push(words[what!] ?? what!)
      else if (how === 'left') renewal.left.push(`${words[what!] ?? what!} (${why ?? 'no reason given'})`)
      if (what !== undefined) told.add(what)
    }
    const untold = Object.keys(words).filter((what) => !told.has(what) && (what !== 'mac' || macs.length > 0))
    renewal.left.push(...untold.map((what) => `${words[what]} (the guest's shell ended before, with exit code ${exitCode})`))
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    renewal.left.push(`all that is in the guest (${error.message.replace(/\.$/, '')})`)
  }
  return renewal
}

/** The last half of an IPv6 address that is made of a MAC address, as /proc/net/if_inet6 writes it. Source: RFC 4291, appendix A. */
export function interfaceIdentifier(mac: string): string {
  const [first = '', ...rest] = mac.toLowerCase().split(':')
  const flipped = (parseInt(first, 16) ^ 2).toString(16).padStart(2, '0')
  return [flipped, ...rest.slice(0, 2), 'fffe', ...rest.slice(2)].join('')
}

/** Plugs the network in, or pulls it: a guest that still has another's address must not be heard. */
export async function setLinks(machine: ManagedMachine, definition: Pick<MachineDefinition, 'nics'>, up: boolean): Promise<void> {
  const { qmp } = machine.live('connected')
  for (const index of definition.nics.keys()) await qmp.execute('set_link', { name: `net${index}-device`, up })
}

export type Renewed = { machine: Machine; renewal: Renewal | null }
