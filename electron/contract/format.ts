import type { ShareWorkload } from './models/share'
import type { Forward, Network } from './values'

/** The typed forms of the contract's values. Apart from their schemas, so that the command line need not load those. */
export const formatForward = (f: Forward): string =>
  [f.protocol, ...(f.hostAddress === '127.0.0.1' ? [] : [f.hostAddress]), f.hostPort, f.guestPort].join(':')

export const formatNetwork = (n: Network): string => (n.kind === 'user' ? 'user' : `${n.kind}:${n.name}`)

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const
/** `1.5 GiB`: binary units, one decimal where there is one. */
export function formatSize(bytes: number): string {
  let unit = 0
  let value = bytes
  while (value >= 1023.95 && unit < UNITS.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${unit === 0 ? value : value.toFixed(1).replace(/\.0$/, '')} ${UNITS[unit]}`
}

/** Kinds of load on a disk, as people are told of them. */
export const WORKLOADS: Record<ShareWorkload, string> = {
  'read-4k-1': '4 KiB random reads, one at a time',
  'read-4k-32': '4 KiB random reads, 32 at a time',
  'write-4k-1': '4 KiB random writes, one at a time',
  'write-4k-32': '4 KiB random writes, 32 at a time',
  'read-1m': '1 MiB reads in order',
  'write-1m': '1 MiB writes in order'
}
