import { failure, type CommitRecord, type Disk, type ImageFormat, type Layer } from '#contract'

/**
 * What commits, undo and merges do to a disk, as data: each function answers the disk as it is to be recorded. The record is the truth: a
 * step is written down before or after its files are touched in such an order that a cut at any place leaves a record that fits the files.
 */

/** A disk of one empty layer. */
export function newDisk(id: string, sizeBytes: number, image: Disk['image'], nowMs: number, format: ImageFormat = 'qcow2'): Disk {
  return {
    id,
    sizeBytes,
    layers: [{ nodeName: `${id}-1`, file: `${id}.${format}`, format, createdAtMs: nowMs, note: '', commit: null, temporary: false, frozen: null }],
    image,
    undone: [],
    history: [],
    nextSequence: 1,
    nextLayer: 2,
    pending: null,
    garbage: []
  }
}

export const activeLayer = (disk: Disk): Layer => disk.layers[0]!
/** The layer that is a commit; what it shows is the disk as it was then. */
export const layerOf = (disk: Disk, sequence: number): Layer | null => disk.layers.find((layer) => layer.commit?.sequence === sequence) ?? null

/** The name of the first disk that is free: `disk0`, `disk1`, ... */
export function freeDiskId(disks: readonly Disk[]): string {
  for (let n = 0; ; n++) if (!disks.some((disk) => disk.id === `disk${n}`)) return `disk${n}`
}

/** Puts a new empty layer on top; the file is to be made by the caller. */
export function withOverlay(disk: Disk, options: { note?: string; temporary?: boolean }, nowMs: number): Disk {
  const number = disk.nextLayer
  const layer: Layer = {
    nodeName: `${disk.id}-${number}`,
    file: `${disk.id}-${number}.qcow2`,
    format: 'qcow2',
    createdAtMs: nowMs,
    note: options.note ?? '',
    commit: null,
    temporary: options.temporary ?? false,
    frozen: null
  }
  return { ...disk, layers: [layer, ...disk.layers], nextLayer: number + 1 }
}

/** Seals the active layer as the next commit. Commits that were undone are given up: they cannot follow it. */
export function sealed(disk: Disk, note: string, bytes: number, nowMs: number): Disk {
  const [active, ...below] = disk.layers as [Layer, ...Layer[]]
  const sequence = disk.nextSequence
  const record: CommitRecord = { sequence, atMs: nowMs, note, bytes, state: 'applied' }
  const forgotten = withoutUndone(disk)
  return {
    ...forgotten,
    layers: [{ ...active, temporary: false, commit: { sequence, atMs: nowMs, note } }, ...below],
    history: [...forgotten.history, record],
    nextSequence: sequence + 1
  }
}

/** Gives up what was undone. */
export function withoutUndone(disk: Disk): Disk {
  return {
    ...disk,
    undone: [],
    history: marked(disk, disk.undone, 'forgotten'),
    garbage: [...disk.garbage, ...disk.undone.map((layer) => layer.file)]
  }
}

/** Throws away the layer that is on top, if it is not sealed. */
export function withoutActive(disk: Disk): Disk {
  const [active, ...below] = disk.layers as [Layer, ...Layer[]]
  return active.commit ? disk : { ...disk, layers: below, garbage: [...disk.garbage, active.file] }
}

/**
 * Takes off sealed layers, down to the state before a commit. Whatever was not committed is thrown away with them: ask before.
 * @throws not-found, wrong-state (the commit is final)
 */
export function undoneTo(disk: Disk, sequence: number): Disk {
  const record = disk.history.find((entry) => entry.sequence === sequence)
  if (!record) throw failure('not-found', `${disk.id} has no commit ${sequence}.`, { what: 'commit', name: String(sequence), next: 'See its history.' })
  if (record.state !== 'applied') throw failure('wrong-state', `Commit ${sequence} of ${disk.id} ${WHY_NOT[record.state]}.`, { name: `commit ${sequence}`, state: record.state })
  const rest = withoutActive(disk)
  const at = rest.layers.findIndex((layer) => layer.commit?.sequence === sequence)
  const taken = rest.layers.slice(0, at + 1)
  if (taken.some((layer) => !layer.commit)) {
    throw failure('wrong-state', `An overlay lies on commit ${sequence} of ${disk.id} that is not committed.`, { name: disk.id, state: 'overlaid', next: 'Commit or discard it first.' })
  }
  return { ...rest, layers: rest.layers.slice(at + 1), undone: [...taken.toReversed(), ...rest.undone], history: marked(rest, taken, 'undone') }
}

const WHY_NOT = {
  undone: 'was undone already',
  merged: 'is merged into the layer below, which made it final',
  forgotten: 'was given up after it had been undone'
} as const

/** Puts sealed layers back, up to and with a commit. @throws wrong-state (nothing, or not that one, to redo) */
export function redoneTo(disk: Disk, sequence: number | undefined): Disk {
  const count = sequence === undefined ? Math.min(1, disk.undone.length) : disk.undone.findIndex((layer) => layer.commit?.sequence === sequence) + 1
  if (count === 0) {
    const what = sequence === undefined ? 'No commit' : `Commit ${sequence}`
    throw failure('wrong-state', `${what} of ${disk.id} ${sequence === undefined ? 'was' : 'is not'} undone.`, { name: disk.id, state: 'nothing to redo' })
  }
  const rest = withoutActive(disk)
  const back = rest.undone.slice(0, count)
  return { ...rest, layers: [...back.toReversed(), ...rest.layers], undone: rest.undone.slice(count), history: marked(rest, back, 'applied') }
}

/** The commit that has to be undone to have the disk as of a time. @throws not-found */
export function firstCommitAfter(disk: Disk, atMs: number): number {
  const later = disk.history.filter((entry) => entry.state === 'applied' && entry.atMs > atMs)
  if (later[0]) return later[0].sequence
  throw failure('not-found', `Nothing was committed to ${disk.id} after that time.`, { what: 'commit', name: new Date(atMs).toISOString(), next: 'See its history.' })
}

/**
 * A layer, and all between, is to be written into one further down; by default into the next. From here on that one alone is nothing that ever
 * was: so what the layers are commits of can no longer be undone, and they stay until the merge is done.
 */
export function mergeBegun(disk: Disk, nodeName: string, into?: string): Disk {
  const going = layersBetween(disk, nodeName, into)
  return {
    ...disk,
    layers: disk.layers.map((one) => (going.includes(one) ? { ...one, commit: null } : one)),
    history: marked(disk, going, 'merged'),
    pending: { kind: 'merge', nodeName, ...(going.length > 1 ? { into } : {}) }
  }
}

/**
 * The merge that is pending is done: its layers are no more.
 * @param intoBytes what the layer takes now that they went into; if it is a commit, that is what the commit changes
 */
export function mergeDone(disk: Disk, intoBytes: number): Disk {
  const going = mergingLayers(disk)
  const at = disk.layers.indexOf(going[0]!)
  const sequence = disk.layers[at + going.length]!.commit?.sequence
  // The one below has their data now, and the one above another backing file: neither is as it was recorded.
  const touched = new Set([disk.layers[at - 1], disk.layers[at + going.length]])
  const layers = disk.layers.filter((one) => !going.includes(one)).map((one) => (touched.has(one) ? { ...one, frozen: null } : one))
  const history = disk.history.map((entry) => (entry.sequence === sequence ? { ...entry, bytes: intoBytes } : entry))
  return { ...disk, layers, history, pending: null, garbage: [...disk.garbage, ...going.map((layer) => layer.file)] }
}

/** The layers that the merge which is pending takes off, the uppermost first; none if no merge is. They go into the one below the last. */
export function mergingLayers(disk: Disk): Layer[] {
  const { pending } = disk
  if (pending?.kind === 'merge') return layersBetween(disk, pending.nodeName, pending.into)
  return pending?.kind === 'pivot' ? layersBetween(disk, pending.nodeName) : []
}

function layersBetween({ layers }: Disk, nodeName: string, into?: string): Layer[] {
  const from = layers.findIndex((one) => one.nodeName === nodeName)
  return layers.slice(from, into === undefined ? from + 1 : layers.findIndex((one) => one.nodeName === into))
}

/** Everything is in one layer now, which stands on nothing. */
export function flattened(disk: Disk): Disk {
  const [active, ...below] = disk.layers as [Layer, ...Layer[]]
  const gone = [...below, ...disk.undone]
  return {
    ...disk,
    layers: [{ ...active, commit: null }],
    image: null,
    undone: [],
    history: marked(disk, disk.layers, 'merged').map((entry) => (entry.state === 'undone' ? { ...entry, state: 'forgotten' } : entry)),
    pending: null,
    garbage: [...disk.garbage, ...gone.map((layer) => layer.file)]
  }
}

/** The oldest sealed layer that lies on another layer of the machine: what is merged first when the history takes too much. */
export function oldestMergeable(disk: Disk): Layer | null {
  const at = disk.layers.findLastIndex((layer, index) => layer.commit !== null && index < disk.layers.length - 1)
  return disk.layers[at] ?? null
}

/** Commits that a merge of these layers, or flattening, makes final. */
export const appliedCommits = (layers: readonly Layer[]): number[] => layers.flatMap((layer) => (layer.commit ? [layer.commit.sequence] : []))

function marked(disk: Disk, layers: readonly Layer[], state: CommitRecord['state']): CommitRecord[] {
  const sequences = new Set(appliedCommits(layers))
  return disk.history.map((entry) => (sequences.has(entry.sequence) ? { ...entry, state } : entry))
}

/**
 * A moment that a user names: `2026-01-31T14:00`, `2026-01-31 14:00`, `14:00` (today), `yesterday 14:00`. Local time.
 * @throws bad-input
 */
export function parseMoment(text: string, nowMs: number): number {
  const day = new Date(nowMs)
  const clock = /^(?:(today|yesterday)\s+)?(\d{1,2}):(\d{2})(?::(\d{2}))?$/i.exec(text.trim())
  if (clock) {
    const [, word, hours, minutes, seconds = '0'] = clock
    day.setDate(day.getDate() - (word?.toLowerCase() === 'yesterday' ? 1 : 0))
    day.setHours(Number(hours), Number(minutes), Number(seconds), 0)
    return day.getTime()
  }
  const at = Date.parse(text.trim().replace(/^(\d{4}-\d{2}-\d{2})\s+(\d)/, '$1T$2'))
  if (!Number.isNaN(at)) return at
  throw failure('bad-input', `“${text}” is no time: write 2026-01-31T14:00, 14:00 or yesterday 14:00.`, { field: 'at' })
}
