import type { AnswerOf, AppError, Bridge, InputOf, OperationName, Result, Shell } from '#contract'

/**
 * The window's gate to everything outside. `main.tsx` opens it with `window.strata`; tests and the look harness open it with
 * the test double. Nothing else in the window reaches for `window.strata`.
 */
let opened: Bridge | null = null

export function openBridge(bridge: Bridge): void {
  opened = bridge
}

export function bridge(): Bridge {
  if (!opened) throw new Error('the bridge was used before it was opened')
  return opened
}

/**
 * Runs an operation. Expected failures are values; a call that could not even be delivered (the main process is gone) is told
 * the same way, so that a caller has one thing to look at.
 */
export async function call<N extends OperationName>(name: N, input: InputOf<N>): Promise<Result<AnswerOf<N>>> {
  try {
    return await bridge().call(name, input)
  } catch (thrown) {
    return { ok: false, error: undelivered(name, thrown) }
  }
}

export const shell = (): Shell => bridge().shell

function undelivered(name: string, thrown: unknown): AppError {
  return {
    code: 'internal',
    message: `The window could not reach Strata for ${name}.`,
    next: 'Load the window again; machines go on running meanwhile.',
    causes: [thrown instanceof Error ? thrown.message : String(thrown)]
  }
}
