import type { OperationName } from '#contract'
import { asTask, type Context, type Handlers } from '../context'
import { findImage } from '../machine/find-file'

/** Of what is not listed, what was said. */
const imageName = ({ image }: { image: string }, { images }: Context): string => images.recorded().find(({ id }) => id === image)?.name ?? image

export const imageHandlers: Handlers<Extract<OperationName, `image.${string}`>> = {
  'image.list': (_input, { images }) => images.look(),
  'image.import': asTask('image.import', (input) => `Import ${input.path}`, (input) => input.name ?? input.path, (input, { images }, work) => images.import(input, work)),
  'image.find': asTask('image.find', (input, context) => `Find ${imageName(input, context)}`, imageName, findImage),
  'image.remove': async (input, { images }) => ({ removed: (await images.remove(input.image)).name })
}

export const taskHandlers: Handlers<Extract<OperationName, `task.${string}`>> = {
  'task.list': async (_input, { tasks }) => tasks.list(),
  'task.show': async (input, { tasks }) => tasks.get(input.taskId),
  'task.cancel': async (input, { tasks }) => tasks.cancel(input.taskId),
  'task.wait': (input, { tasks }, signal) => tasks.wait(input.taskId, input.timeoutSeconds === undefined ? undefined : input.timeoutSeconds * 1000, signal)
}

export const hostHandlers: Handlers<Extract<OperationName, `host.${string}` | `settings.${string}` | `api.${string}`>> = {
  'host.show': (input, { host }) => host.look(input.refresh),
  'settings.show': async (_input, { settings }) => settings.value,
  'settings.edit': (input, { settings }) => settings.edit(input),
  'api.show': async (_input, { library, api }) => ({
    socketPath: library.runtime.ownerSocket,
    tcp: api.tcp.enabled ? { ...api.tcp, tokenFile: library.paths.apiToken } : api.tcp
  })
}
