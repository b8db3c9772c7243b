import type { ClientTransport, MachineState, ShareRecord, ShareServer } from '#contract'
import { isLive, isOff } from '../machine/state'

/**
 * Who is to serve a shared disk. Pure, so that every case can be looked at.
 *
 *              somebody needs it, owner off                  owner runs
 *   idle ─────────────────────────────────> daemon ────────────────────────> machine
 *     ^  <──────── nobody needs it ────────   ^   <─── owner has ended ────     │
 *     └─────────────────────────────────────── nobody needs it ────────────────┘
 *
 * Between two of them lies `moving`: two processes never have the image open for writing and for reading at once, as QEMU's file locks
 * would refuse the second.
 */
export type Wanted = 'idle' | 'machine' | 'daemon' | 'moving'

export interface Situation {
  /** Null when the owner is not to be had: its folder is damaged. */
  owner: MachineState | null
  /** The owner's guest has powered off, or it is about to be ended. */
  ending: boolean
  /** Somebody is about to work on the owner's files, or to start it. */
  occupied: boolean
  /** How many clients have it, or are getting it. */
  needed: number
}

export function planServer({ owner, ending, occupied, needed }: Situation): Wanted {
  if (needed === 0) return 'idle'
  if (owner !== null && isLive(owner)) return ending ? 'moving' : 'machine'
  if (owner === null || occupied || !isOff(owner)) return 'moving'
  return 'daemon'
}

export const isServing = (server: ShareServer): boolean => server.kind === 'machine' || server.kind === 'daemon'

/** Whether QEMU is to let a machine write: a client's export is made so, and the owner's device. */
export function mayWrite({ mode, machineId, writer }: Pick<ShareRecord, 'mode' | 'machineId' | 'writer'>, id: string): boolean {
  switch (mode) {
    case 'ro':
      return id === machineId
    case 'rw':
      return id === (writer ?? machineId)
    case 'cluster':
      return true
  }
}

/** What a client is served, and how: the disk itself, to write or to read, or a version of it. */
export interface ServedAs {
  transport: ClientTransport
  writes: boolean
  version: number | null
  /** What it writes is on the host's disk before it is answered. */
  writeThrough: boolean
}

/** What tells our exports in a QEMU from others: whose it is, what it allows, how it writes, and which version it is: QEMU does not tell. */
export const exportId = (shareId: string, machineId: string, { transport, writes, version, writeThrough }: ServedAs): string =>
  `${exportName(shareId, machineId)}${transport === 'nbd' ? '-nbd' : ''}${writes ? (writeThrough ? '-wt' : '-w') : version === null ? '' : `-v${version}`}`
export const exportsOf = (shareId: string): string => `share-${shareId}-`
/** The beginning of the client's id, by which its socket is named too. */
export const clientOfExport = (id: string, shareId: string): string => id.slice(exportsOf(shareId).length).slice(0, 8)
/** What a client over NBD asks for, whoever serves it. */
export const exportName = (shareId: string, machineId: string): string => `${exportsOf(shareId)}${machineId.slice(0, 8)}`
/** A client's device; over NBD also its block node. */
export const deviceId = (shareId: string): string => `share-${shareId}`
/** The end of vhost-user-blk in a client. */
export const chardevId = (shareId: string): string => `share-${shareId}-socket`
