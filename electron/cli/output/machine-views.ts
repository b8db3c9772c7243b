import type { Machine, ResultOf } from '#contract'
import { formatForward, formatNetwork } from '#contract/format'
import type { Paint } from './paint'
import { ago, block, formatSize, none } from './text'

/** Machines in the order of their names, numbers by value. */
export const byName = (a: Machine, b: Machine): number => a.name.localeCompare(b.name, 'en', { numeric: true })

/** A machine as a line of a table. */
export function machineRow(machine: Machine, paint: Paint): string[] {
  const { definition } = machine
  const state = stateWord(machine, paint)
  if (!definition) return [machine.name, state, '-', '-', formatSize(machine.diskBytes), '-', '-']
  const networks = definition.nics.map((nic) => [formatNetwork(nic.network), ...nic.forwards.map(formatForward)].join(' '))
  return [machine.name, state, String(definition.cpus), formatSize(definition.memoryBytes), formatSize(machine.diskBytes), none(networks), none(definition.tags)]
}

/** The state of a machine in one word, in its colour. */
export function stateWord(machine: Pick<Machine, 'state'>, paint: Paint): string {
  const { kind } = machine.state
  switch (kind) {
    case 'running':
      return paint.green(kind)
    case 'paused':
      return paint.yellow(kind)
    case 'starting':
    case 'stopping':
      return paint.blue(kind)
    case 'crashed':
    case 'unreachable':
    case 'broken':
      return paint.red(kind)
    case 'created':
    case 'stopped':
      return kind
  }
}

function stateDetail({ state }: Machine): string {
  switch (state.kind) {
    case 'created':
      return ''
    case 'starting':
      return ` for ${ago(state.sinceMs)}`
    case 'running':
      return ` for ${ago(state.sinceMs)}, process ${state.pid}`
    case 'paused':
      return ` for ${ago(state.sinceMs)}, process ${state.pid}: ${state.reason}`
    case 'stopping':
      return state.overdue ? ', and the guest takes longer than asked: --force ends it' : `, asked ${ago(state.sinceMs)} ago`
    case 'stopped':
    case 'crashed':
      return ` ${ago(state.exit.atMs)} ago: ${state.exit.reason}`
    case 'unreachable':
      return `, process ${state.pid}: ${state.message}`
    case 'broken':
      return `: ${state.message}`
  }
}

/** All that is known of a machine. */
export function machineBlock(machine: Machine, paint: Paint): string {
  const { definition } = machine
  const head: [string, string][] = [
    ['Name', paint.bold(machine.name)],
    ['State', stateWord(machine, paint) + stateDetail(machine)]
  ]
  if (machine.agent !== null) head.push(['Guest agent', machine.agent ? 'answers' : 'has not answered yet'])
  if (!definition) return block([...head, ['Id', machine.id]], paint.dim)
  const media = [
    ...definition.disks.map((disk) => `${disk.id}: ${formatSize(disk.sizeBytes)}, ${disk.layers.length === 1 ? 'one layer' : `${disk.layers.length} layers`}${disk.image ? ` on ${disk.image.path}` : ''}`),
    ...definition.cdroms.map((cdrom) => `CD: ${cdrom.path}`)
  ]
  const extras = [definition.firmware.toUpperCase(), definition.tpm ? 'TPM' : '', definition.display ? 'screen' : 'no screen', definition.sharedMemory ? 'shared memory' : '', definition.cloudInit ? 'cloud-init' : '']
  return (
    block(
      [
        ...head,
        ['Processors', `${definition.cpus}, ${machine.accelerator.toUpperCase()}${definition.accelerator === 'auto' ? ' (chosen by itself)' : ''}`],
        ['Memory', formatSize(definition.memoryBytes)],
        ['Disks', media.join('\n') || '-'],
        ['Takes', `${formatSize(machine.diskBytes)} of the host`],
        ['Networks', definition.nics.map((nic) => [formatNetwork(nic.network), nic.mac, ...nic.forwards.map(formatForward)].join('  ')).join('\n') || '-'],
        ['Devices', extras.filter(Boolean).join(', ')],
        ['Tags', none(definition.tags)],
        ...(definition.notes === '' ? [] : [['Notes', definition.notes] as const]),
        ['Id', machine.id]
      ],
      paint.dim
    ) + pendingLine(machine, paint)
  )
}

/** What waits for the next start; nothing where nothing does. */
export const pendingLine = (machine: Machine, paint: Paint): string => (machine.pending.length > 0 ? paint.yellow(`Waits for its next start: ${machine.pending.join(', ')}.`) + '\n' : '')

/** What the guest agent tells of its guest. */
export function guestBlock(info: ResultOf<'guest.info'>, paint: Paint): string {
  const interfaces = info.interfaces.map((one) => [one.name, one.mac ?? '', ...one.addresses].filter(Boolean).join('  '))
  const fileSystems = info.fileSystems.map((one) => {
    const size = one.totalBytes === null ? '' : `  ${formatSize(one.usedBytes ?? 0)} of ${formatSize(one.totalBytes)} used`
    return `${one.mountpoint}  ${one.type}${size}`
  })
  return block(
    [
      ['Host name', info.hostname ?? '-'],
      ['System', info.system ?? '-'],
      ['Kernel', info.kernel ?? '-'],
      ['Agent', info.agentVersion],
      ['Interfaces', interfaces.join('\n') || '-'],
      ['File systems', fileSystems.join('\n') || '-']
    ],
    paint.dim
  )
}
