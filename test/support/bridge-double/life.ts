import {
  failure,
  type GuestInfo,
  type Image,
  type Machine,
  type MachineDefinition,
  type MetricsSample,
  type ParsedInputOf
} from '#contract'
import { newDefinition, newImage } from './samples'
import type { Work, World } from './world'

/** What happens in the double's world when an operation asks for it: machines come, go and use up the computer. */
export function requireFree(name: string, { machines }: World): void {
  if ([...machines.values()].some((machine) => machine.name === name))
    throw failure('already-exists', `There is a machine “${name}” already.`, { what: 'machine', name })
}

export const usesImage = ({ definition }: Machine, image: Image): boolean =>
  definition?.disks.some((disk) => disk.image?.imageId === image.id) ?? false

export function requireAgent(machine: Machine): Machine {
  if (machine.agent !== true) throw failure('no-agent', `The guest agent of “${machine.name}” does not answer.`, { name: machine.name })
  return machine
}

export async function importImage(
  path: string,
  name: string,
  kind: Image['kind'] | null,
  reference: boolean,
  world: World,
  work: Work
): Promise<Image> {
  if (path.includes('damaged')) {
    work.phase('checking')
    await work.pass(200)
    throw failure('bad-file', `“${path}” is damaged.`, {
      path,
      next: 'Get the file again.',
      cause: "qemu-img: Could not open '" + path + "': Image is corrupt"
    })
  }
  for (let part = 1; part <= 10; part++) {
    work.phase(reference ? 'checking' : 'copying', part / 10)
    await work.pass(250)
  }
  const image = newImage(world.newId('image'), name, kind ?? (path.endsWith('.iso') ? 'iso' : 'disk'), { path, referenced: reference })
  world.images.set(image.id, image)
  world.emit({ kind: 'image-changed', image })
  return image
}

export async function createMachine(input: ParsedInputOf<'machine.create'>, world: World, work: Work): Promise<Machine> {
  const image =
    input.source === 'builtin'
      ? [...world.images.values()].find((one) => one.kind === 'guest')
      : [...world.images.values()].find((one) => one.name === input.source)
  if (!image && input.source !== 'builtin' && input.source !== 'none')
    throw failure('not-found', `There is no image “${input.source}”.`, { what: 'image', name: input.source })
  work.phase(input.copy ? 'copying the image' : 'creating the disk')
  await work.pass(input.copy ? 4000 : 120)
  const definition = newDefinition(world.newId('machine'), input.name, image ?? null, edits(null, input))
  return world.put({
    definition,
    id: definition.id,
    name: definition.name,
    state: { kind: 'created' },
    pending: [],
    accelerator: 'tcg',
    agent: null,
    diskBytes: 196_608
  })
}

/** The parts of a definition that `machine.create` and `machine.edit` set. */
export function edits(current: MachineDefinition | null, input: Partial<ParsedInputOf<'machine.create'>>): Partial<MachineDefinition> {
  const { cpus, memory, firmware, tpm, display, sharedMemory, accelerator, notes, tag, network, forward } = input
  const named = { cpus, memoryBytes: memory, firmware, tpm, display, sharedMemory, accelerator, notes, tags: tag }
  const networks = network ?? current?.nics.map((nic) => nic.network) ?? [{ kind: 'user' as const }]
  const forwards = forward ?? current?.nics.flatMap((nic) => nic.forwards) ?? []
  const first = networks.findIndex((one) => one.kind === 'user')
  const nics = networks.map((one, index) => ({
    mac: `52:54:00:00:00:${(16 + index).toString(16)}`,
    network: one,
    forwards: index === first ? forwards : []
  }))
  return { ...Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined)), nics }
}

export async function startMachine(id: string, paused: boolean, world: World, work: Work): Promise<Machine> {
  world.apply(id, { kind: 'start-requested' })
  work.phase('starting QEMU')
  await work.pass(400)
  world.apply(id, { kind: 'launched', pid: 4000 + Math.floor(Date.now() % 1000), sinceMs: Date.now(), paused: paused ? '' : null })
  setTimeout(
    () => {
      const machine = world.machines.get(id)
      if (machine?.state.kind === 'running') world.put({ ...machine, agent: true })
    },
    world.speed === Infinity ? 0 : 2000 / world.speed
  )
  return world.machine(id)
}

export async function stopMachine(id: string, force: boolean, timeoutSeconds: number, world: World, work: Work): Promise<Machine> {
  const { name } = world.machine(id)
  work.phase(force ? 'ending QEMU' : 'asking the guest to power off')
  world.apply(id, { kind: 'stop-requested', askedBy: force ? 'force' : 'agent', deadlineMs: Date.now() + timeoutSeconds * 1000 })
  // A machine that is named so does not listen: to see what is offered then.
  if (!force && name.includes('stubborn')) {
    await work.pass(timeoutSeconds * 1000)
    world.apply(id, { kind: 'stop-overdue' })
    throw failure('time-out', `“${name}” has not powered off within ${timeoutSeconds} s.`, {
      waitedMs: timeoutSeconds * 1000,
      next: 'It may still do so. To end it at once, stop it with force.'
    })
  }
  await work.pass(force ? 50 : 1500)
  const reason = force ? 'Ended by force.' : 'The guest powered off.'
  return world.apply(id, {
    kind: 'exited',
    expected: true,
    exit: { atMs: Date.now(), reason, exitCode: force ? null : 0, signal: force ? 'SIGKILL' : null, log: [] }
  })
}

export function guestInfo(machine: Machine): GuestInfo {
  return {
    hostname: machine.name,
    system: 'Strata guest',
    kernel: '6.1.0-28-amd64',
    agentVersion: '7.2.15',
    interfaces: [
      { name: 'lo', mac: null, addresses: ['127.0.0.1', '::1'] },
      { name: 'eth0', mac: machine.definition?.nics[0]?.mac ?? null, addresses: ['10.0.2.15', 'fec0::5054:ff:fe12:3456'] }
    ],
    fileSystems: [{ mountpoint: '/', type: 'ext4', totalBytes: 2 ** 30, usedBytes: 90 * 2 ** 20 }]
  }
}

/** Counters that move as those of a guest that works a little; the same for the same moment, so that pictures repeat. */
export function sampleAt(machine: Machine, atMs: number): MetricsSample {
  const t = atMs / 1000
  const wave = (period: number, phase = 0): number => (1 - Math.cos((2 * Math.PI * t) / period + phase)) / 2
  const integral = (base: number, swing: number, period: number): number =>
    base * t + swing * (t / 2 - (period / (4 * Math.PI)) * Math.sin((2 * Math.PI * t) / period))
  const network = machine.agent === true
  return {
    atMs,
    cpuSeconds: integral(0.15, 0.9, 47),
    residentBytes: (machine.definition?.memoryBytes ?? 2 ** 28) * (0.62 + 0.05 * wave(90)),
    diskReadBytes: Math.round(integral(20_000, 2_400_000, 31)),
    diskWrittenBytes: Math.round(integral(8000, 5_600_000, 53)),
    networkReceivedBytes: network ? Math.round(integral(900, 260_000, 37)) : null,
    networkSentBytes: network ? Math.round(integral(700, 90_000, 23)) : null
  }
}
