import { Failure, type CaptureMethod } from '#contract'
import { memoryFile, type MemoryFile } from '../host/memory-file'
import type { ManagedMachine } from '../machine/machine'
import type { Qemu } from '../machine/qemu'
import type { QmpSession } from '../qmp/session'

/**
 * What each way costs the guest, roughly, as measured (docs/snapshots.md): a moment, and what grows with its memory. `copied` compares what the guest has touched;
 * `background` has the kernel fill what it has not, if its memory is a file; `stopped` writes it.
 */
const COPIED = { ms: 35, bytesAMs: 11_000_000 }
const BACKGROUND = { ms: 60, bytesAMs: 400_000 }
const STOPPED = { ms: 20, bytesAMs: 700_000 }
const stallOf = ({ ms, bytesAMs }: { ms: number; bytesAMs: number }, bytes: number): number => Math.round(ms + bytes / bytesAMs)

/** How a machine's memory is written out, and for `copied` from where. */
export type CaptureWay = { method: 'copied'; memory: MemoryFile } | { method: Exclude<CaptureMethod, 'copied'> }

export interface ChosenMethod {
  how: CaptureWay
  /** How long the guest will stand still, roughly. */
  stallMs: number
  /** Why it has to for the whole time, in words; null when it has not. */
  reason: string | null
}

/**
 * The way that the guest notices least.
 * @param live whether the guest runs and is to go on
 */
export async function chooseMethod({ paths }: ManagedMachine, { qmp, record }: Qemu, live: boolean): Promise<ChosenMethod> {
  const memory = await memoryFile(record.pid, paths.memory)
  const problem = live || !memory ? await backgroundProblem(qmp) : null
  const background: ChosenMethod = {
    how: { method: 'background' },
    stallMs: stallOf(BACKGROUND, memory ? Math.max(0, record.definition.memoryBytes - memory.usedBytes) : 0),
    reason: null
  }
  if (!memory) return live && problem === null ? background : { how: { method: 'stopped' }, stallMs: stallOf(STOPPED, record.definition.memoryBytes), reason: problem }
  const copied: ChosenMethod = { how: { method: 'copied', memory }, stallMs: stallOf(COPIED, memory.usedBytes), reason: null }
  return live && problem === null && background.stallMs < copied.stallMs ? background : copied
}

/**
 * Whether QEMU can write the memory of a running machine out while its guest goes on.
 * Source: capability `background-snapshot`, qapi/migration.json; it needs userfaultfd(2) with write protection.
 * @returns why not, in words; null when it can
 */
async function backgroundProblem(qmp: QmpSession): Promise<string | null> {
  try {
    await setBackground(qmp, true)
    await setBackground(qmp, false)
    return null
  } catch (error) {
    if (!(error instanceof Failure) || error.error.code !== 'qmp') throw error
    const words = error.error.causes.join(' ')
    if (/memory configuration/.test(words)) return 'its memory is mapped from a file, as that of a restored machine is until it is started anew'
    if (/host kernel/.test(words)) return 'this user may not use userfaultfd: allow it with sudo sysctl vm.unprivileged_userfaultfd=1'
    return words
  }
}

const setBackground = (qmp: QmpSession, state: boolean): Promise<unknown> =>
  qmp.execute('migrate-set-capabilities', { capabilities: [{ capability: 'background-snapshot', state }] })
