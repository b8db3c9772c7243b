import { Failure } from '#contract'
import type { NetworkPaths } from '../library/paths'
import { freePort, unplugDevice } from '../machine/hot-plug'
import type { ManagedMachine } from '../machine/machine'
import { endSwitch, ensureSwitch } from '../machine/network-switch'
import type { Qemu } from '../machine/qemu'
import { Turns } from './turns'
import { macOfNode } from './cluster-guest'

/** A machine's interface on the network of the cluster, and the other end of it. */
export const LINK = 'cluster-link'
const NETDEV = 'cluster-net'
const MOST_TRIES = 3

/**
 * The network over which the nodes of the cluster agree on locks: a switch of its own, that nothing else is connected to. Its interface is plugged
 * into machines that run and is no part of their definition: no restart is needed, and no machine keeps what it does not use.
 */
export class ClusterNetwork {
  private readonly turns = new Turns()

  constructor(private readonly paths: NetworkPaths) {}

  /** @throws missing-program (vde_switch), unsupported (all ports are taken), qmp */
  async plug(machine: ManagedMachine, number: number, signal: AbortSignal): Promise<void> {
    const qemu = machine.live('connected')
    const { qmp } = qemu
    if (await hasLink(machine)) return
    await this.turns.take(async () => {
      const sock = await ensureSwitch(this.paths, signal)
      await removeNetdev(qemu)
      await qmp.execute('netdev_add', { type: 'vde', id: NETDEV, sock })
    })
    for (let tries = 1; ; tries++) {
      try {
        const bus = await freePort(qmp)
        return void (await qmp.execute('device_add', { driver: 'virtio-net-pci', id: LINK, netdev: NETDEV, mac: macOfNode(number), romfile: '', bus }))
      } catch (error) {
        // A disk that was plugged in at the same moment has the port.
        if (tries < MOST_TRIES && error instanceof Failure && error.error.code === 'qmp') continue
        await removeNetdev(qemu)
        throw error
      }
    }
  }

  /** @throws time-out (the guest keeps it) */
  async unplug(machine: ManagedMachine, timeoutSeconds: number, signal: AbortSignal): Promise<void> {
    const qemu = machine.live('asked')
    if (await hasLink(machine)) await unplugDevice(qemu.qmp, { device: LINK, label: 'the network of the cluster', timeoutSeconds, signal })
    await removeNetdev(qemu)
  }

  /** Nobody uses it now. */
  end(): Promise<void> {
    return this.turns.take(() => endSwitch(this.paths))
  }
}

export async function hasLink(machine: ManagedMachine): Promise<boolean> {
  return (await machine.live('asked').qmp.execute('qom-list', { path: '/machine/peripheral' })).some(({ name }) => name === LINK)
}

/** One without a device was left by a Strata that was ended in between: it may be for a switch that is no more. */
async function removeNetdev({ qmp }: Qemu): Promise<void> {
  await qmp.execute('netdev_del', { id: NETDEV }).catch((error: unknown) => {
    if (!(error instanceof Failure) || error.error.code !== 'qmp') throw error // else: there is none
  })
}
