import type { Forward, Network } from './values'

/** The typed forms of the contract's values. Apart from their schemas, so that the command line need not load those. */
export const formatForward = (f: Forward): string =>
  [f.protocol, ...(f.hostAddress === '127.0.0.1' ? [] : [f.hostAddress]), f.hostPort, f.guestPort].join(':')

export const formatNetwork = (n: Network): string => (n.kind === 'user' ? 'user' : `${n.kind}:${n.name}`)
