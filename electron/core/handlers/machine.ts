import { failure, type OperationName } from '#contract'
import { asTask, type Context, type Handlers } from '../context'
import { QEMU } from '../host/capabilities'
import { readProcessStats } from '../host/process'
import { buildCommandLine } from '../machine/command-line'
import { createMachine, limitsOf, requireAvailable } from '../machine/create'
import { editDefinition } from '../machine/definition'
import { cloneMachine } from '../snapshot/clone'
import { takeScreenshot } from '../machine/screenshot'
import { launchContext } from '../machine/launch-context'
import { startMachine } from '../machine/start'

const nameOf = (input: { machine: string }, context: Context): string => context.machines.get(input.machine).name

export const machineHandlers: Handlers<Extract<OperationName, `machine.${string}`>> = {
  'machine.create': asTask('machine.create', (input) => `Create ${input.name}`, (input) => input.name, createMachine),
  'machine.clone': asTask('machine.clone', (input, context) => `Clone ${nameOf(input, context)} as ${input.name}`, (input) => input.name, cloneMachine),
  'machine.list': async (input, { machines }) =>
    machines.list().filter((machine) => input.tag === undefined || machine.definition?.tags.includes(input.tag)),
  'machine.show': async (input, { machines }) => {
    const machine = machines.list().find((view) => view.id === input.machine || view.name === input.machine.normalize('NFC'))
    return machine ?? machines.get(input.machine).view()
  },
  'machine.edit': async (input, { machines, host }) => {
    const machine = machines.get(input.machine)
    const edited = editDefinition(machine.definition, input, limitsOf(host.value))
    requireAvailable({ definition: edited }, host.value)
    await machines.redefine(machine, edited)
    return machine.view()
  },
  'machine.rename': async (input, { machines }) => {
    const machine = machines.get(input.machine)
    await machines.rename(machine, input.name)
    return machine.view()
  },
  'machine.start': asTask('machine.start', (input, context) => `Start ${nameOf(input, context)}`, nameOf, startMachine),
  'machine.stop': asTask('machine.stop', (input, context) => `${input.force ? 'Force off' : 'Stop'} ${nameOf(input, context)}`, nameOf, async (input, context, work) => {
    const machine = context.machines.get(input.machine)
    if (input.force) {
      await context.shares.ownerEnds(machine)
      await machine.forceOff(() => context.machines.endUnreachable(machine))
    } else await machine.stop(work, (input.timeoutSeconds ?? context.settings.value.stopTimeoutSeconds) * 1000)
    return machine.view()
  }),
  'machine.pause': async (input, { machines }) => {
    const machine = machines.get(input.machine)
    await machine.pause()
    return machine.view()
  },
  'machine.resume': async (input, { machines }) => {
    const machine = machines.get(input.machine)
    await machine.resume()
    return machine.view()
  },
  'machine.reset': async (input, { machines }) => {
    const machine = machines.get(input.machine)
    await machine.reset()
    return machine.view()
  },
  'machine.remove': async (input, { machines, shares }) => {
    const machine = machines.get(input.machine)
    shares.requireUnshared(machine, null, 'deleted')
    return machines.remove(machine)
  },
  'machine.restore-removed': async (input, { machines }) => (await machines.restoreRemoved(input.removed)).view(),
  'machine.list-removed': (_input, { machines }) => machines.listRemoved(),
  'machine.empty-trash': async (input, { machines }) => ({ freedBytes: await machines.emptyTrash(input.trashId) }),
  'machine.screenshot': (input, { machines }) => takeScreenshot(machines.get(input.machine), input.file ?? null),
  'machine.metrics': async (input, { machines }) => {
    const machine = machines.get(input.machine)
    const { record, qmp, agent } = machine.live('measured')
    const stats = readProcessStats(record.pid)
    if (!stats) throw failure('wrong-state', `“${machine.name}” has just ended.`, { name: machine.name, state: 'stopped' })
    const disks = await qmp.execute('query-blockstats')
    const network = machine.view().agent ? await agent.networkBytes({ timeoutMs: 800 }).catch(() => null) : null // an agent may lack it
    return {
      atMs: Date.now(),
      ...stats,
      diskReadBytes: disks.reduce((bytes, disk) => bytes + disk.stats.rd_bytes, 0),
      diskWrittenBytes: disks.reduce((bytes, disk) => bytes + disk.stats.wr_bytes, 0),
      networkReceivedBytes: network?.received ?? null,
      networkSentBytes: network?.sent ?? null
    }
  },
  'machine.command-line': async (input, context) => {
    const machine = context.machines.get(input.machine)
    return { program: QEMU, arguments: buildCommandLine(machine.definition, await launchContext(machine, context.library, context.host.value, false)) }
  }
}
