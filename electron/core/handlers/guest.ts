import { failure, parseQmpLine, type OperationName } from '#contract'
import type { Handlers } from '../context'
import { readTail } from '../host/files'

export const guestHandlers: Handlers<Extract<OperationName, `guest.${string}` | `console.${string}` | `monitor.${string}` | `qmp.${string}`>> = {
  'guest.ping': async (input, { machines }, signal) => ({ roundTripMs: await machines.get(input.machine).live('asked').agent.ping({ signal }) }),
  'guest.info': (input, { machines }, signal) => machines.get(input.machine).live('asked').agent.info({ signal }),
  'guest.exec': (input, { machines }, signal) =>
    machines.get(input.machine).live('used').agent.exec(input.command, { input: input.input, timeoutMs: input.timeoutSeconds * 1000, signal }),
  'console.log': (input, { machines }) => readTail(machines.get(input.machine).paths.consoleLog, input.tailBytes),
  'monitor.run': async (input, { machines }) => {
    const { qmp } = machines.get(input.machine).live('monitored')
    const output = await qmp.execute('human-monitor-command', { 'command-line': input.line }, { timeoutMs: 300_000 })
    return { output: output.replaceAll('\r\n', '\n') }
  },
  'qmp.run': async (input, { machines }, signal) => {
    const line = parseQmpLine(input.command)
    if (typeof line === 'string') throw failure('bad-input', line, { field: 'command' })
    const { qmp } = machines.get(input.machine).live('monitored')
    return { return: await qmp.executeAny(line.command, input.arguments ?? line.arguments ?? {}, { signal, timeoutMs: 300_000 }) }
  }
}
