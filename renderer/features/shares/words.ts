import { CircleAlert, CircleCheck, CircleDashed, CircleOff, LoaderCircle, TriangleAlert, Unplug } from 'lucide-react'
import type { ClusterMember, DiskContent, Machine, Share, ShareClient, SharePublication, ShareRefresh } from '#contract'
import { formatClockSeconds, formatCount, formatRate, formatSpan, type StateLook } from '#ui'

export const labelOf = (share: Share): string => (share.server.kind === 'broken' ? `Share ${share.id}` : `${share.disk} of ${share.machine}`)

const CLIENTS: Record<ShareClient['state'], StateLook> = {
  connected: { tone: 'running', icon: CircleCheck, word: 'Connected' },
  waiting: { tone: 'busy', icon: LoaderCircle, word: 'Waits', turning: true },
  failing: { tone: 'failed', icon: CircleAlert, word: 'Gets errors' },
  starting: { tone: 'busy', icon: LoaderCircle, word: 'Starting', turning: true },
  unplugged: { tone: 'paused', icon: Unplug, word: 'Without it' },
  off: { tone: 'off', icon: CircleOff, word: 'Off' }
}
export const lookOfClient = (client: ShareClient): StateLook => markedIf(isDoubtful(client), CLIENTS[client.state])

/** It has the disk, and a request of its guest may have been lost: the reason says so. */
export const isDoubtful = ({ state, reason }: ShareClient): boolean => state === 'connected' && reason !== null
const markedIf = (doubtful: boolean, look: StateLook): StateLook => (doubtful ? { ...look, tone: 'paused', icon: TriangleAlert } : look)

/** A machine in a cluster file system. */
const MEMBERS: Record<ClusterMember['state'], StateLook> = {
  off: { tone: 'off', icon: CircleOff, word: 'Off' },
  joining: { tone: 'busy', icon: LoaderCircle, word: 'Joining', turning: true },
  mounted: { tone: 'running', icon: CircleCheck, word: 'Mounted' },
  out: { tone: 'failed', icon: CircleAlert, word: 'Not mounted' }
}
export const lookOfMember = ({ state }: ClusterMember, doubtful = false): StateLook => markedIf(doubtful && state === 'mounted', MEMBERS[state])

/** The machine that the disk belongs to. */
export function lookOfOwner(runs: boolean, member: ClusterMember | undefined): StateLook {
  if (member) return lookOfMember(member)
  return runs ? { tone: 'running', icon: CircleCheck, word: 'Running' } : { tone: 'off', icon: CircleOff, word: 'Off' }
}

/** How a machine is in a cluster file system, in a few words. */
export function sayMember({ state, node, reason }: ClusterMember, folder: string): string {
  switch (state) {
    case 'mounted':
      return `on ${folder}, node ${node}`
    case 'joining':
      return 'Its guest listens for the others, and mounts it.'
    case 'out':
      return reason ?? 'It is not mounted there.'
    case 'off':
      return `It mounts it when it starts, as node ${node}.`
  }
}

const SERVERS: Record<Share['server']['kind'], StateLook> = {
  idle: { tone: 'off', icon: CircleDashed, word: 'Nobody needs it' },
  machine: { tone: 'running', icon: CircleCheck, word: 'Serving' },
  daemon: { tone: 'running', icon: CircleCheck, word: 'Serving' },
  moving: { tone: 'busy', icon: LoaderCircle, word: 'Being handed over', turning: true },
  hung: { tone: 'failed', icon: CircleAlert, word: 'Does not answer' },
  failed: { tone: 'failed', icon: CircleAlert, word: 'Not served' },
  broken: { tone: 'failed', icon: CircleAlert, word: 'Cannot be used' }
}
export const lookOfServer = ({ server }: Share): StateLook => SERVERS[server.kind]

export const MODES: Record<Share['mode'], string> = { ro: 'read-only', rw: 'one writes at a time', cluster: 'all write' }

/** How long guests wait when nobody can serve a disk; what was chosen otherwise, on the command line, is listed too. */
export function holdChoices(chosen: number | null): { value: string; label: string }[] {
  const seconds = [...new Set([10, 60, 300, ...(chosen === null ? [] : [chosen])])].sort((a, b) => a - b)
  return [{ value: '0', label: 'Guests wait until somebody can' }, ...seconds.map((one) => ({ value: String(one), label: `Guests wait for ${formatSpan(one * 1000)}, then get I/O errors` }))]
}

export const WRITE_THROUGH = {
  label: 'Put each write on the disk before it is answered',
  note: 'For writes of other machines. Nothing that was answered is lost if the process that serves the disk is killed, also what a guest has not synced. Small writes take about four times as long.'
}

/** What was chosen for a share otherwise than it comes, in sentences. */
export const saySettings = ({ holdSeconds, writeThrough }: Share): string =>
  [...(writeThrough ? [' Each write is on the disk at once.'] : []), ...(holdSeconds === null ? [] : [` If nobody can serve it, guests wait for ${formatSpan(holdSeconds * 1000)} at most.`])].join('')

/** Who serves, in a sentence. */
export function sayServer({ server, machine, clients }: Share): string {
  switch (server.kind) {
    case 'idle':
      return clients.length === 0 ? 'Share it with a machine, and it is served.' : 'It is served as soon as one of the machines below runs.'
    case 'machine':
      return `The QEMU of ${server.machine} serves it, beside its guest.`
    case 'daemon':
      return `${machine} is off: a storage daemon serves it.`
    case 'moving':
      return 'It passes to another process; what is read meanwhile waits.'
    case 'hung':
      return sayHung(server)
    case 'failed':
      return `${asSentence(server.message)} It is tried again every five seconds.`
    case 'broken':
      return server.message
  }
}

/** QEMU's own words end without a full stop. */
const asSentence = (message: string): string => (/[.!?]$/.test(message) ? message : `${message}.`)

/** Why a machine does not have the disk as it should; null: nothing is known. What is said of whoever serves it is not said again. */
export const sayReason = ({ server }: Share, { state, reason }: ShareClient): string | null =>
  server.kind === 'failed' && state === 'waiting' && reason === server.message ? 'What it asks for waits until somebody serves it.' : reason

/** That it does not answer, why if that is known, and what can be done. */
function sayHung({ machine, sinceMs, because }: Extract<Share['server'], { kind: 'hung' }>): string {
  const who = machine === null ? 'The storage daemon' : `The QEMU of ${machine}, which serves it,`
  const next = machine === null ? 'another can take its place' : `force ${machine} off, and a storage daemon serves it`
  const since = `${who} has not answered since ${formatClockSeconds(sinceMs)}`
  switch (because) {
    case 'stopped':
      return `${since}: it is stopped, by a signal or a debugger. Guests wait until it goes on; or ${next}.`
    case 'storage':
      return `${since}: the storage that its files are on does not answer. Guests wait until that does.`
    case null:
      return `${since}. Guests wait; if it stays so, ${next}.`
  }
}

/** When a machine would get the disk, and how. */
export function whenItGets(machine: Machine): { note: string; slower: boolean } {
  if (!('pid' in machine.state)) return { note: 'At its next start.', slower: false }
  const shareable = machine.definition?.sharedMemory === true && !machine.pending.includes('shared memory')
  if (shareable) return { note: 'At once: it runs, and the disk is plugged in.', slower: false }
  return { note: 'At once, over NBD: it runs with memory that other processes cannot map. From its next start on over vhost-user-blk, which is faster.', slower: true }
}

/** Why a machine cannot get the disk; null when it can. */
export function whyNotTo(machine: Machine, owner: string, share: Share | undefined): string | null {
  if (machine.id === owner) return 'The disk is its own.'
  if (machine.state.kind === 'broken') return 'It is broken: its files cannot be used.'
  if (machine.state.kind === 'starting') return 'It is starting: in a moment.'
  if (machine.state.kind === 'unreachable') return 'Its monitor cannot be had: force it off first.'
  if (share?.clients.some((client) => client.machineId === machine.id)) return 'It has the disk already.'
  return null
}

/** How the guest is told to use it. The name of the device depends on how many disks the guest has. */
export const MOUNT_LINE = 'mount -o ro,noload /dev/vdb /mnt'

/** What several writers would damage on a disk; null when they may write. An empty disk nobody can damage. */
export function damagedByWriters(contents: readonly DiskContent[]): string | null {
  const kinds = contents.filter(({ kind, cluster }) => !cluster && kind !== 'nothing').map(({ kind }) => (kind === 'unknown' ? 'something that Strata does not know' : kind))
  return kinds.length === 0 ? null : [...new Set(kinds)].join(' and ')
}

/** What is wrong with the folder that guests are to get it on; null when nothing is. */
export const badFolder = (folder: string): string | null => (folder.startsWith('/') ? null : 'A folder begins with a slash.')

/** Whether Strata sets up the cluster: on a disk that is empty, or bears the file system that it makes. */
export const setsUpCluster = (contents: readonly DiskContent[]): boolean => contents.every(({ partition, kind }) => partition === null && (kind === 'nothing' || kind === 'OCFS2'))

/** What whoever serves has to take part in cannot be done while that hangs, or nobody does. */
export function whyNotAsked({ server }: Share): string | null {
  if (server.kind === 'hung') return 'Whoever serves it does not answer.'
  if (server.kind === 'moving') return 'It is being handed over: in a moment.'
  return server.kind === 'failed' ? 'Nobody can serve it now.' : null
}

/** Why there is nobody to refresh; null when there is. */
export const whyNotRefresh = (share: Share): string | null =>
  whyNotAsked(share) ?? (share.clients.some(({ state }) => state === 'connected') ? null : 'No other machine has it now.')

/** Why there is nothing to publish; null when there is. */
export const whyNotPublish = (share: Share): string | null =>
  whyNotAsked(share) ?? (share.server.kind === 'daemon' ? `${share.machine} is off, and the storage daemon has its files: start it first.` : null)

/** How a machine has the disk, and why not in the fastest way. */
export const sayTransport = ({ transport, transportReason }: ShareClient): string => (transportReason === null ? `over ${transport}` : `over NBD, as ${transportReason}`)

/** What bounds what it asks; nothing when nothing does. */
export function sayLimits({ limits: { requestsPerSecond, bytesPerSecond } }: ShareClient): string {
  const bounds = [requestsPerSecond !== null && `${formatCount(requestsPerSecond, 'request')} a second`, bytesPerSecond !== null && formatRate(bytesPerSecond)].filter(Boolean)
  return bounds.length === 0 ? '' : `, at most ${bounds.join(' and ')}`
}

/** What a machine does with the disk, in few words. */
export const sayVersion = ({ version }: ShareClient): string => (version === null ? '' : `version ${version}, `)

const inTurn = new Intl.ListFormat('en-GB')
/** A sentence about some machines; none about nobody. */
const sayOf = (names: readonly string[], one: string, many: string): string[] => (names.length === 0 ? [] : [`${inTurn.format(names)} ${names.length === 1 ? one : many}.`])

/** How a publication went, in a sentence or two. */
export function sayPublished({ version, writer, settled, readers }: SharePublication): string {
  const told = (one: string, many: string, ...states: SharePublication['readers'][number]['state'][]): string[] =>
    sayOf(readers.filter(({ state }) => states.includes(state)).map(({ machine }) => machine), one, many)
  const what = version === null ? 'Readers have the disk itself again.' : `Version ${version} is published.`
  const said = [
    ...(version === null ? told('has it', 'have it', 'fresh', 'unmounted') : told('reads it now', 'read it now', 'fresh', 'unmounted')),
    ...told('keeps what it had: a program uses the disk', 'keep what they had: programs use the disk', 'busy'),
    ...told('could not be asked, and keeps what it had', 'could not be asked, and keep what they had', 'unasked')
  ]
  const rough = settled ? [] : [`${writer ?? 'Its writer'} could not hold still for it: it is as after a power cut.`]
  return [what, ...rough, ...(readers.length === 0 ? ['Each machine gets it when it starts.'] : said)].join(' ')
}

/** How a refresh went, in a sentence or two. */
export function sayRefreshed({ writer, readers }: ShareRefresh): string {
  const told = (wanted: ShareRefresh['readers'][number]['state'], one: string, many = one): string[] =>
    sayOf(readers.filter(({ state }) => state === wanted).map(({ machine }) => machine), one, many)
  const said = [
    ...(writer === null ? told('fresh', 'mounted it anew') : told('fresh', `mounted it anew, and sees what ${writer} has written`, `mounted it anew, and see what ${writer} has written`)),
    ...told('busy', 'could only in part: a program keeps it mounted', 'could only in part: programs keep it mounted'),
    ...told('unmounted', 'has not mounted it', 'have not mounted it'),
    ...told('unasked', 'could not be asked')
  ]
  return said.length === 0 ? 'No machine reads it now.' : said.join(' ')
}
