import type { Duplex } from 'node:stream'
import type { AppError, Event, Result } from '#contract'
import { toAppError } from '#contract/failure'
import type { Core } from '#core/core'

/** What the window's calls go through: a core that may not be open yet, may not open, or may be lost and found again. */
export interface Link {
  call(name: string, input: unknown): Promise<Result<unknown>>
  openStream(name: string, input: unknown): Promise<Result<Duplex>>
  /** Events of whichever core is open; another `owner` in them tells of a change. */
  onEvent(listener: (event: Event) => void): () => void
  /** The open core, or null. Never opens one. */
  readonly core: Core | null
  /** Forgets a core that is gone (its owner ended); the next call opens again. */
  lose(core: Core): void
  close(graceMs?: number): Promise<void>
}

/** How long a failed opening stands for all who ask. Enough for the calls of one page load to fail as one; then a retry is a retry. */
const FAILURE_STANDS_MS = 300

/**
 * Opens the core once, however many calls wait for it.
 *
 *   closed ──call──> opening ──> open ──lose──> closed
 *                       └──────> failed ──call, after a moment──> opening
 *
 * A call made while it is opening waits. When it cannot open, every waiting call answers with why; a later call tries again: so the
 * window's Retry is to read again.
 */
export function linkCore(open: () => Promise<Core>, now: () => number = Date.now): Link {
  type State =
    | { kind: 'closed' }
    | { kind: 'opening'; opened: Promise<Result<Core>> }
    | { kind: 'open'; core: Core; unsubscribe: () => void }
    | { kind: 'failed'; error: AppError; atMs: number }
  let state: State = { kind: 'closed' }
  let ended = false
  const listeners = new Set<(event: Event) => void>()

  const tryOpen = async (): Promise<Result<Core>> => {
    try {
      const core = await open()
      if (ended) {
        await core.close(0)
        state = { kind: 'closed' }
        return { ok: false, error: closing }
      }
      state = { kind: 'open', core, unsubscribe: core.onEvent((event) => listeners.forEach((listener) => listener(event))) }
      return { ok: true, value: core }
    } catch (thrown) {
      state = { kind: 'failed', error: toAppError(thrown), atMs: now() }
      return { ok: false, error: state.error }
    }
  }
  const core = (): Promise<Result<Core>> => {
    if (ended) return Promise.resolve({ ok: false, error: closing })
    if (state.kind === 'open') return Promise.resolve({ ok: true, value: state.core })
    if (state.kind === 'opening') return state.opened
    if (state.kind === 'failed' && now() - state.atMs < FAILURE_STANDS_MS) return Promise.resolve({ ok: false, error: state.error })
    const opened = tryOpen()
    state = { kind: 'opening', opened }
    return opened
  }

  return {
    call: async (name, input) => {
      const opened = await core()
      return opened.ok ? opened.value.call(name, input) : opened
    },
    openStream: async (name, input) => {
      const opened = await core()
      return opened.ok ? opened.value.openStream(name, input) : opened
    },
    onEvent: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    get core() {
      return state.kind === 'open' ? state.core : null
    },
    lose: (lost) => {
      if (state.kind !== 'open' || state.core !== lost) return
      state.unsubscribe()
      state = { kind: 'closed' }
    },
    close: async (graceMs) => {
      ended = true
      if (state.kind === 'opening') await state.opened
      if (state.kind !== 'open') return
      state.unsubscribe()
      const { core: open } = state
      state = { kind: 'closed' }
      await open.close(graceMs)
    }
  }
}

const closing: AppError = { code: 'cancelled', message: 'Strata is closing.', causes: [] }
