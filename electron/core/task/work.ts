import { failure } from '#contract'

/** What long-running code is given: how to tell how far it is, whether to go on, and what to undo if it fails. */
export interface Work {
  /** Aborted when the task is cancelled. Everything that waits takes it. */
  readonly signal: AbortSignal
  /** How far the whole task is: 0 to 1, may go down; null while it cannot be told. */
  readonly progress: (ratio: number | null) => void
  /** What it does now, for people, without a full stop: `copying the image`. */
  phase(text: string): void
  log(line: string): void
  /** Registers how to take back what was just done. On failure or cancel the steps run, last one first. */
  onUndo(step: () => Promise<void>): void
  /** From here on the task can no longer be cancelled, and what was done stays. */
  pointOfNoReturn(): void
}

/** Work that nobody watches, for short calls of functions that take a `Work`. Its undo steps run when `act` fails. */
export async function asWork<T>(act: (work: Work) => Promise<T>, signal: AbortSignal = new AbortController().signal): Promise<T> {
  const undo: (() => Promise<void>)[] = []
  try {
    return await act({
      signal,
      progress: () => {},
      phase: () => {},
      log: () => {},
      onUndo: (step) => void undo.push(step),
      pointOfNoReturn: () => void (undo.length = 0)
    })
  } catch (error) {
    await undoAll(undo, (step) => {
      throw step
    })
    throw error
  }
}

/** Runs undo steps, last one first; one that fails is reported and does not keep the others from running. */
export async function undoAll(steps: (() => Promise<void>)[], onFailed: (error: unknown) => void): Promise<void> {
  const failed: unknown[] = []
  for (const step of steps.splice(0).reverse()) {
    try {
      await step()
    } catch (error) {
      failed.push(error)
    }
  }
  for (const error of failed) onFailed(error)
}

export function throwIfCancelled(signal: AbortSignal): void {
  if (signal.aborted) throw cancelled()
}
export const cancelled = () => failure('cancelled', 'Cancelled.', {})
