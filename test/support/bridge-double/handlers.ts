import { failure, type AnswerOf, type GuestInfo, type Image, type Machine, type MachineDefinition, type OperationName, type ParsedInputOf } from '#contract'
import { isOff, requireState } from '#core/machine/state'
import { newDefinition, newImage } from './samples'
import type { Work, World } from './world'

/** One handler an operation: a new operation in the contract does not compile until the double knows it. */
export type Handlers = { [N in OperationName]: (input: ParsedInputOf<N>, world: World) => AnswerOf<N> | Promise<AnswerOf<N>> }

const started = (task: { id: string }): { taskId: string } => ({ taskId: task.id })
const requireRunning = (machine: Machine, verb: string): void => requireState(machine.name, machine.state, ['running', 'paused', 'stopping'], verb)

export const handlers: Handlers = {
  'host.show': (_input, { host }) => host,
  'settings.show': (_input, { settings }) => settings,
  'settings.edit': ({ apiTcp, apiPort, ...rest }, world) => {
    const tcp = { enabled: apiTcp ?? world.settings.apiTcp.enabled, port: apiPort ?? world.settings.apiTcp.port }
    world.settings = { ...world.settings, ...rest, apiTcp: tcp }
    world.emit({ kind: 'settings-changed', settings: world.settings })
    return world.settings
  },
  'api.show': (_input, { settings }) => ({
    socketPath: '/run/user/1000/strata/3f2a/api.sock',
    tcp: settings.apiTcp.enabled
      ? { enabled: true, url: `http://127.0.0.1:${settings.apiTcp.port}`, tokenFile: '/home/ada/Strata/api-token' }
      : { enabled: false, reason: 'It is switched off in the settings.' }
  }),

  'image.list': (_input, { images }) => [...images.values()],
  'image.import': (input, world) => {
    const file = input.path.slice(input.path.lastIndexOf('/') + 1)
    const name = input.name ?? file.replace(/\.[^.]+$/, '')
    return started(world.run('image.import', `Import ${name}`, name, (work) => importImage(input.path, name, input.kind ?? null, input.reference, world, work)))
  },
  'image.remove': ({ image }, world) => {
    const found = world.images.get(image) ?? [...world.images.values()].find((one) => one.name === image)
    if (!found) throw failure('not-found', `There is no image “${image}”.`, { what: 'image', name: image })
    const user = [...world.machines.values()].find((machine) => usesImage(machine, found))
    if (user) throw failure('in-use', `“${found.name}” cannot be removed: “${user.name}” stands on it.`, { what: `image ${found.name}`, holder: user.name, next: 'Delete that machine first.' })
    world.images.delete(found.id)
    world.emit({ kind: 'image-removed', id: found.id })
    return { removed: found.name }
  },

  'machine.create': (input, world) => {
    requireFree(input.name, world)
    return started(world.run('machine.create', `Create ${input.name}`, input.name, (work) => createMachine(input, world, work)))
  },
  'machine.list': ({ tag }, { machines }) => [...machines.values()].filter((machine) => tag === undefined || machine.definition?.tags.includes(tag)),
  'machine.show': ({ machine }, world) => world.machine(machine),
  'machine.edit': ({ machine: reference, ...input }, world) => {
    const machine = world.machine(reference)
    if (input.memory !== undefined && input.memory > world.host.memory.totalBytes) {
      throw failure('bad-input', `The host has ${world.host.memory.totalBytes / 2 ** 20} MiB of memory, less than the machine would get.`, { field: 'memory' })
    }
    const edited = world.define(machine, edits(machine.definition!, input))
    if (isOff(machine.state)) return edited
    const words = { cpus: 'processors', memory: 'memory', network: 'networks', forward: 'networks', firmware: 'firmware', tpm: 'TPM', display: 'display', sharedMemory: 'shared memory', accelerator: 'accelerator' }
    const pending = Object.entries(words).filter(([field]) => field in input).map(([, word]) => word)
    return world.put({ ...edited, pending: [...new Set([...machine.pending, ...pending])] })
  },
  'machine.rename': ({ machine: reference, name }, world) => {
    const machine = world.machine(reference)
    requireState(machine.name, machine.state, ['created', 'stopped', 'crashed'], 'renamed')
    if (name !== machine.name) requireFree(name, world)
    return world.define(machine, { name })
  },
  'machine.start': ({ machine: reference, paused }, world) => {
    const machine = world.machine(reference)
    requireState(machine.name, machine.state, ['created', 'stopped', 'crashed'], 'started')
    if (!world.host.qemu) throw failure('missing-program', 'QEMU is not installed.', { program: 'qemu-system-x86_64', install: 'sudo apt-get install qemu-system-x86' })
    return started(world.run('machine.start', `Start ${machine.name}`, machine.name, (work) => startMachine(machine.id, paused, world, work)))
  },
  'machine.stop': ({ machine: reference, force, timeoutSeconds }, world) => {
    const machine = world.machine(reference)
    if (!force) requireRunning(machine, 'stopped')
    const title = `${force ? 'Force off' : 'Stop'} ${machine.name}`
    return started(world.run('machine.stop', title, machine.name, (work) => stopMachine(machine.id, force, timeoutSeconds ?? world.settings.stopTimeoutSeconds, world, work)))
  },
  'machine.pause': ({ machine }, world) => {
    const found = world.machine(machine)
    requireState(found.name, found.state, ['running'], 'paused')
    return world.apply(found.id, { kind: 'paused', reason: '' })
  },
  'machine.resume': ({ machine }, world) => {
    const found = world.machine(machine)
    requireState(found.name, found.state, ['paused'], 'resumed')
    return world.apply(found.id, { kind: 'resumed' })
  },
  'machine.reset': ({ machine }, world) => {
    const found = world.machine(machine)
    requireRunning(found, 'reset')
    return world.put({ ...found, agent: false })
  },
  'machine.remove': ({ machine: reference }, world) => {
    const machine = world.machine(reference)
    requireState(machine.name, machine.state, ['created', 'stopped', 'crashed'], 'deleted')
    const trashId = world.newId('trash')
    world.trash.unshift({ trashId, name: machine.name, removedAtMs: Date.now(), machine })
    world.machines.delete(machine.id)
    world.emit({ kind: 'machine-removed', id: machine.id })
    return { trashId, name: machine.name }
  },
  'machine.restore-removed': ({ removed }, world) => {
    const at = world.trash.findIndex((entry) => entry.trashId === removed || entry.name === removed)
    const [entry] = at < 0 ? [] : world.trash.splice(at, 1)
    if (!entry) throw failure('not-found', `There is no deleted machine “${removed}”.`, { what: 'deleted machine', name: removed })
    return world.put(entry.machine)
  },
  'machine.list-removed': (_input, { trash }) => trash.map(({ trashId, name, removedAtMs, machine }) => ({ trashId, name, removedAtMs, diskBytes: machine.diskBytes })),
  'machine.empty-trash': ({ trashId }, world) => {
    const gone = world.trash.filter((entry) => trashId === undefined || entry.trashId === trashId)
    world.trash.splice(0, Infinity, ...world.trash.filter((entry) => !gone.includes(entry)))
    return { freedBytes: gone.reduce((bytes, entry) => bytes + entry.machine.diskBytes, 0) }
  },
  'machine.screenshot': ({ machine, file }, world) => {
    requireRunning(world.machine(machine), 'pictured')
    return { widthPixels: 1280, heightPixels: 800, file: file ?? null, pngBase64: file === undefined ? '' : null }
  },
  'machine.metrics': ({ machine }, world) => {
    const found = world.machine(machine)
    requireRunning(found, 'measured')
    return sampleAt(found, Date.now())
  },
  'machine.command-line': ({ machine }, world) => ({ program: 'qemu-system-x86_64', arguments: ['-name', world.machine(machine).name, '-nodefaults', '-no-user-config', '-machine', 'q35', '-accel', 'tcg,thread=multi'] }),

  'guest.ping': ({ machine }, world) => {
    requireAgent(world.machine(machine))
    return { roundTripMs: 3 }
  },
  'guest.info': ({ machine }, world) => guestInfo(requireAgent(world.machine(machine))),
  'guest.exec': ({ machine, command }, world) => {
    requireAgent(world.machine(machine))
    return { exitCode: 0, signal: null, stdout: command.join(' ') + '\n', stderr: '', truncated: false }
  },
  'console.log': () => ({ text: '', totalBytes: 0 }),
  'monitor.run': ({ line }) => ({ output: line === 'info status' ? 'VM status: running\r\n' : `unknown command: '${line}'\r\n` }),
  'qmp.run': () => ({ return: {} }),

  'task.list': (_input, { tasks }) => [...tasks.values()],
  'task.show': ({ taskId }, { tasks }) => {
    const task = tasks.get(taskId)
    if (!task) throw failure('not-found', `There is no task “${taskId}”.`, { what: 'task', name: taskId })
    return task
  },
  'task.cancel': ({ taskId }, world) => world.cancel(taskId),
  'task.wait': ({ taskId }, world) =>
    new Promise((resolve) => {
      const look = (): void => {
        const task = world.tasks.get(taskId)
        if (!task || task.state.kind === 'running') return
        stop()
        resolve(task)
      }
      const stop = world.onEvent(look)
      look()
    })
}

function requireFree(name: string, { machines }: World): void {
  if ([...machines.values()].some((machine) => machine.name === name)) throw failure('already-exists', `There is a machine “${name}” already.`, { what: 'machine', name })
}

const usesImage = ({ definition }: Machine, image: Image): boolean => definition?.disks.some((disk) => disk.backing?.imageId === image.id) ?? false

function requireAgent(machine: Machine): Machine {
  if (machine.agent !== true) throw failure('no-agent', `The guest agent of “${machine.name}” does not answer.`, { name: machine.name })
  return machine
}

async function importImage(path: string, name: string, kind: Image['kind'] | null, reference: boolean, world: World, work: Work): Promise<Image> {
  if (path.includes('damaged')) {
    work.phase('checking')
    await work.pass(200)
    throw failure('bad-file', `“${path}” is damaged.`, { path, next: 'Get the file again.', cause: "qemu-img: Could not open '" + path + "': Image is corrupt" })
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

async function createMachine(input: ParsedInputOf<'machine.create'>, world: World, work: Work): Promise<Machine> {
  const image = input.source === 'builtin' ? [...world.images.values()].find((one) => one.kind === 'guest') : [...world.images.values()].find((one) => one.name === input.source)
  if (!image && input.source !== 'builtin' && input.source !== 'none') throw failure('not-found', `There is no image “${input.source}”.`, { what: 'image', name: input.source })
  work.phase(input.copy ? 'copying the image' : 'creating the disk')
  await work.pass(input.copy ? 4000 : 120)
  const definition = newDefinition(world.newId('machine'), input.name, image ?? null, edits(null, input))
  return world.put({ definition, id: definition.id, name: definition.name, state: { kind: 'created' }, pending: [], accelerator: 'tcg', agent: null, diskBytes: 196_608 })
}

/** The parts of a definition that `machine.create` and `machine.edit` set. */
function edits(current: MachineDefinition | null, input: Partial<ParsedInputOf<'machine.create'>>): Partial<MachineDefinition> {
  const { cpus, memory, firmware, tpm, display, sharedMemory, accelerator, notes, tag, network, forward } = input
  const named = { cpus, memoryBytes: memory, firmware, tpm, display, sharedMemory, accelerator, notes, tags: tag }
  const networks = network ?? current?.nics.map((nic) => nic.network) ?? [{ kind: 'user' as const }]
  const forwards = forward ?? current?.nics.flatMap((nic) => nic.forwards) ?? []
  const first = networks.findIndex((one) => one.kind === 'user')
  const nics = networks.map((one, index) => ({ mac: `52:54:00:00:00:${(16 + index).toString(16)}`, network: one, forwards: index === first ? forwards : [] }))
  return { ...Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined)), nics }
}

async function startMachine(id: string, paused: boolean, world: World, work: Work): Promise<Machine> {
  world.apply(id, { kind: 'start-requested' })
  work.phase('starting QEMU')
  await work.pass(400)
  world.apply(id, { kind: 'launched', pid: 4000 + Math.floor(Date.now() % 1000), sinceMs: Date.now(), paused: paused ? '' : null })
  setTimeout(() => {
    const machine = world.machines.get(id)
    if (machine?.state.kind === 'running') world.put({ ...machine, agent: true })
  }, world.speed === Infinity ? 0 : 2000 / world.speed)
  return world.machine(id)
}

async function stopMachine(id: string, force: boolean, timeoutSeconds: number, world: World, work: Work): Promise<Machine> {
  const { name } = world.machine(id)
  work.phase(force ? 'ending QEMU' : 'asking the guest to power off')
  world.apply(id, { kind: 'stop-requested', askedBy: force ? 'force' : 'agent', deadlineMs: Date.now() + timeoutSeconds * 1000 })
  // A machine that is named so does not listen: to see what is offered then.
  if (!force && name.includes('stubborn')) {
    await work.pass(timeoutSeconds * 1000)
    world.apply(id, { kind: 'stop-overdue' })
    throw failure('time-out', `“${name}” has not powered off within ${timeoutSeconds} s.`, { waitedMs: timeoutSeconds * 1000, next: 'It may still do so. To end it at once, stop it with force.' })
  }
  await work.pass(force ? 50 : 1500)
  const reason = force ? 'Ended by force.' : 'The guest powered off.'
  return world.apply(id, { kind: 'exited', expected: true, exit: { atMs: Date.now(), reason, exitCode: force ? null : 0, signal: force ? 'SIGKILL' : null, log: [] } })
}

function guestInfo(machine: Machine): GuestInfo {
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
function sampleAt(machine: Machine, atMs: number) {
  const t = atMs / 1000
  const wave = (period: number, phase = 0): number => (1 - Math.cos((2 * Math.PI * t) / period + phase)) / 2
  const integral = (base: number, swing: number, period: number): number => base * t + swing * (t / 2 - (period / (4 * Math.PI)) * Math.sin((2 * Math.PI * t) / period))
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
