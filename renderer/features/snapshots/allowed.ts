import type { Machine, Snapshot } from '#contract'

/** Why no snapshot can be taken of a machine now; null when one can. */
export function whyNotTake({ state, definition }: Machine): string | null {
  if (!definition) return 'Its files cannot be read.'
  switch (state.kind) {
    case 'starting':
    case 'stopping':
    case 'unreachable':
    case 'broken':
      return `The machine is ${state.kind}.`
    case 'running':
      return definition.tpm ? 'It has a TPM, whose content would not be a part of it: stop it first.' : null
    case 'paused':
      return state.reason === 'memory saved' ? 'It stands as the last snapshot has it: resume it first.' : null
    default:
      return null
  }
}

/** Why a snapshot cannot be restored; null when it can. */
export const whyNotRestore = (snapshot: Snapshot): string | null => (snapshot.problem === null ? null : `It cannot be used here: ${snapshot.problem}.`)
