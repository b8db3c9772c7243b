import {
  failure,
  isOperationName,
  operations,
  streams,
  toAppError,
  type AppError,
  type Bridge,
  type Machine,
  type OperationName,
  type Result,
  type Shell,
  type ShellFacts,
  type Settings,
  type Host,
  type Image
} from '#contract'
import { handlers } from './bridge-double/handlers'
import { builtinImage, sampleHost, sampleSettings } from './bridge-double/samples'
import { serveConsole } from './bridge-double/streams'
import { World } from './bridge-double/world'

/**
 * `window.strata` without a main process, derived from the contract: inputs and answers are checked by the operations' own schemas, and
 * a small world in memory keeps machines, tasks and events coherent. For tests of the window, and to look at it in a plain browser.
 */
export interface DoubleOptions {
  machines?: readonly Machine[]
  images?: readonly Image[]
  host?: Partial<Host>
  settings?: Partial<Settings>
  facts?: Partial<ShellFacts>
  /** 1 is as in life; by default everything happens at once. */
  speed?: number
  shell?: Partial<Shell>
}

export interface BridgeDouble extends Bridge {
  readonly world: World
  /** Every call so far. */
  readonly calls: { name: OperationName; input: unknown }[]
  /** The next call of this operation fails so. */
  failNext(name: OperationName, error: AppError): void
  /** As if chosen in the application menu. */
  sendCommand(id: string): void
  /** What is on the clipboard. */
  readonly clipboard: { text: string }
}

export function createBridgeDouble(options: DoubleOptions = {}): BridgeDouble {
  const world = new World(sampleHost(options.host), sampleSettings(options.settings), options.speed ?? Infinity)
  for (const image of options.images ?? [builtinImage()]) world.images.set(image.id, image)
  for (const machine of options.machines ?? []) world.machines.set(machine.id, machine)
  const calls: BridgeDouble['calls'] = []
  const failing = new Map<OperationName, AppError>()
  const commandListeners = new Set<(command: string) => void>()
  const clipboard = { text: '' }

  const answer = async (name: string, input: unknown): Promise<unknown> => {
    if (!isOperationName(name)) throw failure('unknown-operation', `There is no operation “${name}”.`, { operation: name })
    calls.push({ name, input: structuredClone(input) })
    const planned = failing.get(name)
    if (planned) {
      failing.delete(name)
      throw new PlannedFailure(planned)
    }
    const parsed = operations[name].input.safeParse(structuredClone(input))
    if (!parsed.success) {
      const [issue] = parsed.error.issues
      throw failure('bad-input', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not valid'}.`, {
        field: issue?.path.join('.') ?? ''
      })
    }
    const handle = handlers[name] as (input: unknown, world: World) => unknown
    const value = structuredClone(await handle(parsed.data, world))
    // The double must not promise what the contract does not.
    if (!operations[name].task) operations[name].result.parse(value)
    return value
  }

  const bridge: Bridge = {
    call: (async (name: string, input: unknown): Promise<Result<unknown>> => {
      await Promise.resolve()
      try {
        return { ok: true, value: await answer(name, input) }
      } catch (thrown) {
        return { ok: false, error: thrown instanceof PlannedFailure ? thrown.error : toAppError(thrown) }
      }
    }) as Bridge['call'],
    onEvent: (listener) => world.onEvent(listener),
    openStream: async (name, input) => {
      const parsed = streams[name].safeParse(input)
      if (!parsed.success) return { ok: false, error: failure('bad-input', 'The stream’s input is not valid.', { field: '' }).error }
      if (name !== 'console') return { ok: false, error: failure('unsupported', 'The test double has no such stream.', {}).error }
      return { ok: true, value: { streamId: offerConsole(world.newId('stream')) } }
    },
    shell: {
      facts: { version: '0.1.0', electron: '33.2.1', playTour: false, still: false, ...options.facts },
      chooseFile: () => Promise.resolve(null),
      chooseSaveFile: () => Promise.resolve(null),
      pathOf: (file) => `/home/ada/Downloads/${file.name}`,
      readClipboard: () => Promise.resolve(clipboard.text),
      writeClipboard: (text) => {
        clipboard.text = text
        return Promise.resolve()
      },
      onCommand: (listener) => {
        commandListeners.add(listener)
        return () => void commandListeners.delete(listener)
      },
      setFullScreen: () => Promise.resolve(),
      saveShot: (label) => Promise.resolve(`/tmp/${label}.png`),
      tourEnded: () => Promise.resolve(),
      ...options.shell
    }
  }
  return {
    ...bridge,
    world,
    calls,
    clipboard,
    failNext: (name, error) => void failing.set(name, error),
    sendCommand: (id) => commandListeners.forEach((listener) => listener(id))
  }
}

class PlannedFailure extends Error {
  constructor(readonly error: AppError) {
    super(error.message)
  }
}

/** The port reaches the page as a message from its own window, as the preload script sends it. */
function offerConsole(streamId: string): string {
  const { port1, port2 } = new MessageChannel()
  serveConsole(port1)
  globalThis.postMessage({ strataStream: streamId }, globalThis.location.origin, [port2])
  return streamId
}
