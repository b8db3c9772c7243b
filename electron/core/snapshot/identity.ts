import { randomBytes } from 'node:crypto'
import { Failure, type Machine, type MachineDefinition, type Renewal } from '#contract'
import { hostnameOf } from '../machine/command-line'
import type { ManagedMachine } from '../machine/machine'

/** An agent that answered when the snapshot was taken does so again, if late where many machines go on at once. */
const AGENT_TIMEOUT_MS = 60_000
const UNKNOWN_AGENT_TIMEOUT_MS = 2_000
const SCRIPT_TIMEOUT_MS = 60_000

/**
 * What the guest does to be another one. Each step says `done NAME` or `left NAME: why`, so that what was renewed can be told. Plain sh: it
 * has to run in small guests too, and with few programs, as twenty guests do it at once.
 * Arguments: host name, machine id, seconds since 1970, then pairs of old and new MAC addresses. Standard input: random bytes.
 */
const SCRIPT = `
name=$1 id=$2 now=$3
shift 3
cat >/dev/urandom 2>/dev/null && echo "done entropy" || echo "left entropy: /dev/urandom cannot be written to"
date -u -s "@$now" >/dev/null 2>&1 && echo "done clock" || echo "left clock: date cannot set it"
read -r old </proc/sys/kernel/hostname
if echo "$name" >/proc/sys/kernel/hostname; then
  [ -e /etc/hostname ] && echo "$name" >/etc/hostname
  [ -w /etc/hosts ] && sed -i "s/\\([[:space:]]\\)$old\\([[:space:]]\\|$\\)/\\1$name\\2/g" /etc/hosts
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
while [ $# -ge 2 ]; do
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
  else
    echo "left mac: $found does not take another one"
  fi
  shift 2
done
# Its address of the network belongs to the old one: asked for again. Other clients do so when the link comes back.
if [ -n "$renew" ] && command -v udhcpc >/dev/null; then
  for pid in $(pidof udhcpc); do kill -USR2 "$pid"; kill -USR1 "$pid"; done
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
    return old && old !== nic.mac ? [old, nic.mac] : []
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
    const { stdout, exitCode } = await agent.exec(command, { input: randomBytes(256).toString('hex'), timeoutMs: SCRIPT_TIMEOUT_MS })
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
    renewal.left.push(`all that is in the guest: ${error.message}`)
  }
  return renewal
}

/** Plugs the network in, or pulls it: a guest that still has another's address must not be heard. */
export async function setLinks(machine: ManagedMachine, definition: Pick<MachineDefinition, 'nics'>, up: boolean): Promise<void> {
  const { qmp } = machine.live('connected')
  for (const index of definition.nics.keys()) await qmp.execute('set_link', { name: `net${index}-device`, up })
}

export type Renewed = { machine: Machine; renewal: Renewal | null }
