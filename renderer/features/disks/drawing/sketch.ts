import type { DiskView, Image } from '#contract'
import { noteOfLayer, titleOfFile } from '../words'

/** What a picture says of a slab beyond its name: why it is not as before. */
export type Mark = 'new' | 'sealed' | 'grown'

/** One layer as drawn: a slab of the stack. */
export interface Slab {
  key: string
  /** `ground`: nothing writes to it. `active`: takes the guest's writes. */
  kind: 'ground' | 'stratum' | 'active'
  title: string
  note: string
  sizeBytes: number
  /** The commit that it is. */
  sequence: number | null
  mark?: Mark
}

/** A disk as a picture: what stands on what, and what undo has set aside. Both from the top down. */
export interface Sketch {
  stack: readonly Slab[]
  aside: readonly Slab[]
}

/** An overlay that holds nothing yet. */
const EMPTY_BYTES = 192 * 1024

export function sketchOf(view: DiskView, images: Readonly<Record<string, Image>>): Sketch {
  const slabs = (files: DiskView['files']): Slab[] =>
    files.map((file) => ({
      key: file.of.kind === 'layer' ? file.of.layer.nodeName : file.path,
      kind: file.of.kind === 'image' ? 'ground' : file.of.place === 'active' && !file.of.layer.commit ? 'active' : 'stratum',
      title: titleOfFile(file, images),
      note: file.of.kind === 'layer' ? noteOfLayer(file.of.layer) : '',
      sizeBytes: file.fileSizeBytes,
      sequence: file.of.kind === 'layer' ? (file.of.layer.commit?.sequence ?? null) : null
    }))
  return { stack: slabs(view.files), aside: slabs(view.undone).reverse() }
}

const freshActive = (title = 'Active layer'): Slab => ({
  key: 'new',
  kind: 'active',
  title,
  note: '',
  sizeBytes: EMPTY_BYTES,
  sequence: null,
  mark: 'new'
})

/** What can be thrown away at the top: nothing, where the top is a commit. */
const withoutActive = (stack: readonly Slab[]): readonly Slab[] => (stack[0]?.kind === 'active' ? stack.slice(1) : stack)

/** The active layer sealed as a commit. @param renewed an empty overlay is put on at once */
export function afterCommit({ stack }: Sketch, commit: { sequence: number; note: string }, renewed: boolean): Sketch {
  const [active, ...below] = stack
  if (!active || active.kind !== 'active') return { stack: renewed ? [freshActive(), ...stack] : stack, aside: [] }
  const sealed: Slab = { ...active, ...commit, kind: 'stratum', title: `Commit ${commit.sequence}`, mark: 'sealed' }
  return { stack: [...(renewed ? [freshActive()] : []), sealed, ...below], aside: [] }
}

/** Everything above a layer written into it. @param keepsTop an empty overlay is left on top */
export function afterMerge({ stack }: Sketch, key: string, keepsTop: boolean): Sketch {
  const at = stack.findIndex((slab) => slab.key === key)
  const into = stack[at]
  if (!into) return { stack, aside: [] }
  const sizeBytes = stack.slice(0, at + 1).reduce((sum, slab) => sum + slab.sizeBytes, 0)
  const grown: Slab = {
    ...into,
    kind: keepsTop || into.sequence !== null ? 'stratum' : 'active',
    title: into.sequence === null && !keepsTop ? 'Active layer' : into.title,
    sizeBytes,
    mark: 'grown'
  }
  return { stack: [...(keepsTop ? [freshActive()] : []), grown, ...stack.slice(at + 1)], aside: [] }
}

/** Back to the state before a commit: it and what lies on it is set aside. */
export function afterUndo({ stack, aside }: Sketch, sequence: number): Sketch {
  const rest = withoutActive(stack)
  const at = rest.findIndex((slab) => slab.sequence === sequence)
  return { stack: [freshActive(), ...rest.slice(at + 1)], aside: [...aside, ...rest.slice(0, at + 1)] }
}

/** Forward again, up to and with a commit. */
export function afterRedo({ stack, aside }: Sketch, sequence: number): Sketch {
  const at = aside.findIndex((slab) => slab.sequence === sequence)
  if (at < 0) return { stack, aside }
  return { stack: [freshActive(), ...aside.slice(at), ...withoutActive(stack)], aside: aside.slice(0, at) }
}

export const afterDiscard = ({ stack, aside }: Sketch): Sketch => ({ stack: [freshActive(), ...withoutActive(stack)], aside })

export function afterOverlay({ stack, aside }: Sketch, note: string): Sketch {
  const [active, ...below] = stack
  const covered =
    active?.kind === 'active' ? [{ ...active, kind: 'stratum' as const, title: `Layer ${active.key}` }] : active ? [active] : []
  return { stack: [{ ...freshActive(), note }, ...covered, ...below], aside }
}

/** One file that stands on nothing. */
export function afterFlatten({ stack }: Sketch, diskBytes: number): Sketch {
  const sizeBytes = Math.min(
    diskBytes,
    stack.reduce((sum, slab) => sum + slab.sizeBytes, 0)
  )
  return { stack: [{ ...freshActive(), key: stack[0]?.key ?? 'new', sizeBytes, mark: 'grown' }], aside: [] }
}

/** The same layers on another image. */
export const afterRebase = ({ stack, aside }: Sketch, ground: { path: string; title: string; sizeBytes: number }): Sketch => ({
  stack: [
    ...stack.filter((slab) => slab.kind !== 'ground'),
    { key: ground.path, kind: 'ground', title: ground.title, note: '', sizeBytes: ground.sizeBytes, sequence: null, mark: 'new' }
  ],
  aside
})

/**
 * How thick a layer is drawn, in pixels: by the logarithm of its size, as in the small drawings everywhere. A fresh overlay of 192 KiB is
 * as thin as can be, 64 GiB as thick as can be.
 */
export function thickness(sizeBytes: number, least: number, most: number): number {
  const share = (Math.log2(Math.max(sizeBytes, THIN_BYTES)) - Math.log2(THIN_BYTES)) / (Math.log2(THICK_BYTES) - Math.log2(THIN_BYTES))
  return Math.round(least + (most - least) * Math.min(1, share))
}
const THIN_BYTES = 192 * 1024
const THICK_BYTES = 64 * 2 ** 30

/** A long stack with its middle folded: what stays the same between two pictures need not be told twice. */
export function folded(slabs: readonly Slab[], most: number): readonly (Slab | { key: 'fold'; count: number })[] {
  if (slabs.length <= most) return slabs
  const bottom = 1
  const top = most - bottom - 1
  return [...slabs.slice(0, top), { key: 'fold', count: slabs.length - top - bottom }, ...slabs.slice(-bottom)]
}
