import { create } from 'zustand'
import type { Host, Image, InputOf } from '#contract'
import { useHost, useImages } from '../../../app'
import { sizeArgument } from '../../../ui/size-text'
import { freeName } from '../actions'
import { defaultHardware, hardwareInput, type Hardware } from '../editors/hardware'
import { hardwareProblems, schemaProblems, type Problems } from '../editors/problems'
import { nameProblem } from '../name-problem'

export const STEPS = ['source', 'hardware', 'disk', 'network', 'cloud', 'summary'] as const
export type Step = (typeof STEPS)[number]

/** What the new machine will be. `source` is `builtin`, `none` or an image's id. */
export interface NewMachine extends Hardware {
  name: string
  source: string
  diskBytes: number | null
  copy: boolean
  tags: readonly string[]
  hostname: string
  user: string
  sshKeys: string
}

/**
 * What the user changed; all else follows the source's defaults. So choosing another image gives its own sizes, and loses
 * nothing that was typed.
 */
interface Draft {
  changes: Partial<NewMachine>
  step: Step
}

const GIB = 2 ** 30
const EMPTY_DISK_BYTES = 20 * GIB

export const useDraft = create<Draft>(() => ({ changes: {}, step: 'source' }))
export const change = (changes: Partial<NewMachine>): void => useDraft.setState((draft) => ({ changes: { ...draft.changes, ...changes } }))
export const goToStep = (step: Step): void => useDraft.setState({ step })
export const isUntouched = (): boolean => Object.keys(useDraft.getState().changes).length === 0

export function discardDraft(): Draft {
  const before = useDraft.getState()
  useDraft.setState({ changes: {}, step: 'source' })
  return before
}
export const restoreDraft = (draft: Draft): void => useDraft.setState(draft)

/** The image behind a source; null for an empty machine, and for a built-in guest that has yet to be made. */
export function imageOf(source: string, images: Readonly<Record<string, Image>>): Image | null {
  return source === 'builtin' ? (Object.values(images).find((image) => image.kind === 'guest') ?? null) : (images[source] ?? null)
}

export function defaultSource(host: Host | null, images: Readonly<Record<string, Image>>): string {
  if (!host || host.builtinGuest.available) return 'builtin'
  return Object.values(images).find((image) => image.kind !== 'guest' && image.problem === undefined)?.id ?? 'none'
}

/** The whole of the new machine: the defaults of its source, and over them what was changed. */
export function newMachineOf(changes: Partial<NewMachine>, host: Host | null, images: Readonly<Record<string, Image>>): NewMachine {
  const source = changes.source ?? defaultSource(host, images)
  const image = imageOf(source, images)
  const small = source === 'builtin'
  return {
    ...defaultHardware(small ? GUEST : image, host),
    name: freeName(),
    source,
    diskBytes: small
      ? Math.max(GIB, image?.virtualSizeBytes ?? 0)
      : image && image.kind !== 'iso'
        ? image.virtualSizeBytes
        : EMPTY_DISK_BYTES,
    copy: false,
    tags: [],
    hostname: '',
    user: 'strata',
    sshKeys: '',
    ...changes
  }
}
const GUEST = { kind: 'guest' } as Image

/** Whether the disk holds the image's system; else it is empty. */
export const holdsSystem = (machine: NewMachine, image: Image | null): boolean =>
  machine.source === 'builtin' || (image !== null && image.kind !== 'iso')

/** As the contract takes it. */
export function inputOf(machine: NewMachine, image: Image | null): InputOf<'machine.create'> {
  const cloud = image?.kind === 'cloud'
  const keys = machine.sshKeys
    .split('\n')
    .map((key) => key.trim())
    .filter(Boolean)
  return {
    name: machine.name,
    source: image && machine.source !== 'builtin' ? image.name : machine.source,
    ...hardwareInput(machine),
    disk: sizeArgument(machine.diskBytes ?? 0),
    ...(machine.copy ? { copy: true } : {}),
    ...(machine.tags.length > 0 ? { tag: [...machine.tags] } : {}),
    ...(cloud ? { ...(machine.hostname === '' ? {} : { hostname: machine.hostname }), user: machine.user, sshKey: keys } : {})
  }
}

/** Everything that is wrong with it, by the contract's field. */
export function problemsOf(machine: NewMachine, image: Image | null, host: Host | null): Problems {
  const found: Record<string, string> = { ...schemaProblems('machine.create', inputOf(machine, image)), ...hardwareProblems(machine, host) }
  const name = nameProblem(machine.name)
  if (name) found.name = name
  if (machine.diskBytes === null) found.disk = 'A number, such as 20 or 1.5.'
  else if (image && holdsSystem(machine, image) && machine.diskBytes < image.virtualSizeBytes)
    found.disk = `Not smaller than the image: ${image.virtualSizeBytes / GIB >= 1 ? `${+(image.virtualSizeBytes / GIB).toFixed(2)} GiB` : `${Math.ceil(image.virtualSizeBytes / 2 ** 20)} MiB`}.`
  return found
}

const FIELD_STEPS: Record<string, Step> = {
  name: 'source',
  source: 'source',
  cpus: 'hardware',
  memory: 'hardware',
  accelerator: 'hardware',
  firmware: 'hardware',
  tpm: 'hardware',
  display: 'hardware',
  sharedMemory: 'hardware',
  disk: 'disk',
  copy: 'disk',
  network: 'network',
  forward: 'network',
  hostname: 'cloud',
  user: 'cloud',
  sshKey: 'cloud',
  tag: 'source'
}
/** The step on which a field stands. */
export const stepOf = (field: string): Step => FIELD_STEPS[field.split('.')[0] ?? ''] ?? 'summary'

/** The new machine as the wizard's steps use it. */
export function useNewMachine(): { machine: NewMachine; image: Image | null; host: Host | null; problems: Problems } {
  const changes = useDraft((draft) => draft.changes)
  const host = useHost((state) => state.host)
  const images = useImages((state) => state.byId)
  const machine = newMachineOf(changes, host, images)
  const image = imageOf(machine.source, images)
  return { machine, image, host, problems: problemsOf(machine, image, host) }
}
