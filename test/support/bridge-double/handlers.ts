import { failure, type AnswerOf, type Machine, type OperationName, type ParsedInputOf } from '#contract'
import { isOff, requireState } from '#core/machine/state'
import {
  createMachine,
  edits,
  guestInfo,
  importImage,
  requireAgent,
  requireFree,
  sampleAt,
  startMachine,
  stopMachine,
  usesImage
} from './life'
import { diskHandlers } from './disks'
import { traceHandlers } from './trace'
import { snapshotHandlers } from './snapshots'
import { ringHandlers } from './ring'
import { storeHandlers } from './store'
import { labHandlers } from './labs'
import { shareHandlers } from './shares'
import type { World } from './world'

/** One handler an operation: a new operation in the contract does not compile until the double knows it. */
export type Handlers = { [N in OperationName]: (input: ParsedInputOf<N>, world: World) => AnswerOf<N> | Promise<AnswerOf<N>> }

const started = (task: { id: string }): { taskId: string } => ({ taskId: task.id })
const requireRunning = (machine: Machine, verb: string): void =>
  requireState(machine.name, machine.state, ['running', 'paused', 'stopping'], verb)

export const handlers: Handlers = {
  ...diskHandlers,
  ...snapshotHandlers,
  ...traceHandlers,
  ...ringHandlers,
  ...storeHandlers,
  ...shareHandlers,
  ...labHandlers,
  'host.show': (_input, { host }) => host,
  'settings.show': (_input, { settings }) => settings,
  'settings.edit': ({ apiTcp, apiPort, historyBudget, storeChunk, snapshotCache, ...rest }, world) => {
    const tcp = { enabled: apiTcp ?? world.settings.apiTcp.enabled, port: apiPort ?? world.settings.apiTcp.port }
    world.settings = { ...world.settings, ...rest, historyBudgetBytes: historyBudget ?? world.settings.historyBudgetBytes, storeChunkBytes: storeChunk ?? world.settings.storeChunkBytes, snapshotCacheBytes: snapshotCache ?? world.settings.snapshotCacheBytes, apiTcp: tcp }
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
    return started(
      world.run('image.import', `Import ${name}`, name, (work) =>
        importImage(input.path, name, input.kind ?? null, input.reference, world, work)
      )
    )
  },
  'image.find': ({ image, path }, world) => {
    const found = world.images.get(image)
    if (!found) throw failure('not-found', `There is no image “${image}”.`, { what: 'image', name: image })
    return started(
      world.run('image.find', `Find ${found.name}`, found.name, async (work) => {
        await work.pass(300)
        const { problem: _solved, missing: _there, ...sound } = found
        const now = { ...sound, path }
        world.images.set(image, now)
        world.emit({ kind: 'image-changed', image: now })
        return now
      })
    )
  },
  'image.remove': ({ image }, world) => {
    const found = world.images.get(image) ?? [...world.images.values()].find((one) => one.name === image)
    if (!found) throw failure('not-found', `There is no image “${image}”.`, { what: 'image', name: image })
    const user = [...world.machines.values()].find((machine) => usesImage(machine, found))
    if (user)
      throw failure('in-use', `“${found.name}” cannot be removed: “${user.name}” stands on it.`, {
        what: `image ${found.name}`,
        holder: user.name,
        next: 'Delete that machine first.'
      })
    world.images.delete(found.id)
    world.emit({ kind: 'image-removed', id: found.id })
    return { removed: found.name }
  },

  'machine.create': (input, world) => {
    requireFree(input.name, world)
    return started(world.run('machine.create', `Create ${input.name}`, input.name, (work) => createMachine(input, world, work)))
  },
  'machine.list': ({ tag }, { machines }) =>
    [...machines.values()].filter((machine) => tag === undefined || machine.definition?.tags.includes(tag)),
  'machine.show': ({ machine }, world) => world.machine(machine),
  'machine.edit': ({ machine: reference, ...input }, world) => {
    const machine = world.machine(reference)
    if (input.memory !== undefined && input.memory > world.host.memory.totalBytes) {
      throw failure('bad-input', `The host has ${world.host.memory.totalBytes / 2 ** 20} MiB of memory, less than the machine would get.`, {
        field: 'memory'
      })
    }
    const edited = world.define(machine, edits(machine.definition, input))
    if (isOff(machine.state)) return edited
    const words = {
      cpus: 'processors',
      memory: 'memory',
      network: 'networks',
      forward: 'networks',
      firmware: 'firmware',
      tpm: 'TPM',
      display: 'display',
      sharedMemory: 'shared memory',
      accelerator: 'accelerator'
    }
    const pending = Object.entries(words)
      .filter(([field]) => field in input)
      .map(([, word]) => word)
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
    if (!world.host.qemu)
      throw failure('missing-program', 'QEMU is not installed.', {
        program: 'qemu-system-x86_64',
        install: 'sudo apt-get install qemu-system-x86'
      })
    return started(
      world.run('machine.start', `Start ${machine.name}`, machine.name, (work) => startMachine(machine.id, paused, world, work))
    )
  },
  'machine.stop': ({ machine: reference, force, timeoutSeconds }, world) => {
    const machine = world.machine(reference)
    if (!force) requireRunning(machine, 'stopped')
    const title = `${force ? 'Force off' : 'Stop'} ${machine.name}`
    return started(
      world.run('machine.stop', title, machine.name, (work) =>
        stopMachine(machine.id, force, timeoutSeconds ?? world.settings.stopTimeoutSeconds, world, work)
      )
    )
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
  'machine.list-removed': (_input, { trash }) =>
    trash.map(({ trashId, name, removedAtMs, machine }) => ({ trashId, name, removedAtMs, diskBytes: machine.diskBytes })),
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
  'machine.command-line': ({ machine }, world) => ({
    program: 'qemu-system-x86_64',
    arguments: ['-name', world.machine(machine).name, '-nodefaults', '-no-user-config', '-machine', 'q35', '-accel', 'tcg,thread=multi']
  }),

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
