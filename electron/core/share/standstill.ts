import type { ManagedMachine } from '../machine/machine'
import { isLive } from '../machine/state'
import { signalProcess } from '../host/process'
import type { Turns } from './turns'

/**
 * Takes the exports from whoever serves. QEMU's export keeps no account of the requests that are under way for another process to go on
 * from: a client that sees the end of the connection goes by what is answered by then, and those that are answered out of order, or a moment
 * later, would be lost. So the clients' processes stand still until all that was taken is answered.
 * @param look at each client, before it stands still
 */
export function withoutRequests(turns: Turns, clients: readonly ManagedMachine[], look: (client: ManagedMachine) => Promise<void>, act: () => Promise<void>): Promise<void> {
  return turns.take(async () => {
    const live = clients.flatMap((machine) => (isLive(machine.state) ? [{ machine, qemu: machine.live('asked') }] : []))
    for (const { machine } of live) await look(machine)
    const held = live.filter(({ qemu: { record } }) => signalProcess(record.pid, record.startTicks, 'SIGSTOP'))
    try {
      await act()
    } finally {
      for (const { qemu } of held) signalProcess(qemu.record.pid, qemu.record.startTicks, 'SIGCONT')
    }
  })
}
