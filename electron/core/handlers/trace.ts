import type { OperationName } from '#contract'
import type { Handlers } from '../context'

export const traceHandlers: Handlers<Extract<OperationName, `trace.${string}`>> = {
  'trace.start': (input, { traces }) => traces.start(input),
  'trace.show': (input, { traces }, signal) => traces.show(input, signal),
  'trace.stop': (input, { traces }) => traces.stop(input)
}
