import type { OperationName } from '#contract'
import { asTask, type Handlers } from '../context'
import { compareWays } from '../ring/compare'

const subject = (): string => 'ring'

export const ringHandlers: Handlers<Extract<OperationName, `ring.${string}`>> = {
  'ring.show': (_input, { ring }) => ring.look(),
  'ring.start': (input, { ring }) => ring.start(input),
  'ring.stop': (_input, { ring }) => ring.stop(),
  'ring.read': (input, { ring }) => ring.read(input.sector),
  'ring.load': asTask('ring.load', (input) => `Load on the ring: ${input.clients} × ${input.threads} threads`, subject, (input, { ring }, work) => ring.load(input, work)),
  'ring.compare': asTask('ring.compare', () => 'Compare ring, vhost-user-blk and NBD', subject, (input, { ring }, work) => ring.compare(input, work, compareWays))
}
