import { randomUUID } from 'node:crypto'
import { ipcMain, MessageChannelMain, type IpcMainInvokeEvent, type MessagePortMain, type WebContents } from 'electron'
import type { Result } from '#contract'
import { channels, shellChannels, type ShellCallName, type ShellCalls } from '#contract/channels'
import { toAppError } from '#contract/failure'
import type { Link } from './link'
import type { Log } from './log'
import { isOurs } from './origin'
import { coupleStream, type StreamPort } from './streams'

/** Answers the window's calls. Whoever is not the main frame of our own page is refused, and the refusal is logged. */
export function bindIpc(link: Link, shell: ShellCalls, log: Log): void {
  const answer: Answer = (channel, handler) => {
    ipcMain.handle(channel, (event, ...given: unknown[]) => {
      if (!event.senderFrame || !isOurs(event.senderFrame)) {
        log.warn(`refused ${channel} from ${event.senderFrame?.origin ?? 'a frame that is gone'}`)
        throw new Error('refused')
      }
      return handler(event, ...given)
    })
  }

  answer(channels.call, (_event, name, input) => logged(log, String(name), () => link.call(String(name), input)))
  answer(channels.openStream, (event, name, input) => openStream(link, event, String(name), input))
  for (const name of Object.keys(shellChannels) as ShellCallName[]) bindShellCall(name, shell, answer)
}

/** Registers the handler of one channel. */
type Answer = (channel: string, handler: (event: IpcMainInvokeEvent, ...given: unknown[]) => unknown) => void

function bindShellCall<N extends ShellCallName>(name: N, shell: ShellCalls, answer: Answer): void {
  const run = shell[name] as (...given: Parameters<ShellCalls[N]>) => Promise<unknown>
  answer(shellChannels[name], async (_event, ...given) => {
    const { shellInputs } = await import('./shell-inputs')
    const checked = shellInputs[name].safeParse(given)
    if (!checked.success) throw new Error(`bad input for ${name}: ${checked.error.issues.map((issue) => issue.message).join('; ')}`)
    return run(...(checked.data as Parameters<ShellCalls[N]>))
  })
}

/** Sends the core's events to a page for as long as it lives. */
export function forwardEvents(link: Link, page: WebContents): void {
  const unsubscribe = link.onEvent((event) => page.send(channels.event, event))
  page.once('destroyed', unsubscribe)
}

/** A failure that the window shows is worth a line; inputs are not logged: they may hold secrets. */
async function logged<T>(log: Log, name: string, run: () => Promise<Result<T>>): Promise<Result<T>> {
  try {
    const result = await run()
    if (!result.ok) log.info(`${name}: ${result.error.code}: ${result.error.message}`)
    return result
  } catch (thrown) {
    log.error(name, thrown)
    return { ok: false, error: toAppError(thrown) }
  }
}

async function openStream(link: Link, event: IpcMainInvokeEvent, name: string, input: unknown): Promise<Result<{ streamId: string }>> {
  const opened = await link.openStream(name, input)
  if (!opened.ok) return opened
  // The page may have gone while the stream was opening; nobody would ever close its port.
  if (!event.senderFrame || !isOurs(event.senderFrame)) {
    opened.value.destroy()
    return { ok: false, error: { code: 'cancelled', message: 'The window was closed.', causes: [] } }
  }
  const streamId = randomUUID()
  const { port1, port2 } = new MessageChannelMain()
  event.senderFrame.postMessage(channels.stream, streamId, [port2])
  coupleStream(opened.value, portOf(port1))
  port1.start()
  return { ok: true, value: { streamId } }
}

const portOf = (port: MessagePortMain): StreamPort => ({
  post: (message) => port.postMessage(message),
  onMessage: (listener) => port.on('message', (event) => listener(event.data)),
  onClose: (listener) => port.once('close', listener),
  close: () => port.close()
})
