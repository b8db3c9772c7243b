import { create } from 'zustand'
import type { AppError } from '#contract'
import type { Toast, ToastAction } from '../ui/toast'

/** An undo must be within reach for as long as it takes to notice the mistake. */
const WITH_ACTION_MS = 12_000
const PLAIN_MS = 5000
const SHOWN = 4

export const useToasts = create<{ toasts: readonly Toast[] }>(() => ({ toasts: [] }))
let lastId = 0

export interface ToastOptions {
  tone?: Toast['tone']
  note?: string | undefined
  actions?: readonly ToastAction[]
  lifeMs?: number | null
}

/** Shows a message at the bottom of the window; answers its id. */
export function toast(message: string, { tone = 'info', note, actions = [], lifeMs }: ToastOptions = {}): number {
  const id = ++lastId
  const made: Toast = {
    id,
    tone,
    message,
    note,
    actions,
    lifeMs: lifeMs === undefined ? (actions.length > 0 ? WITH_ACTION_MS : PLAIN_MS) : lifeMs
  }
  useToasts.setState(({ toasts }) => ({ toasts: [...toasts.slice(1 - SHOWN), made] }))
  return id
}

export const dismissToast = (id: number): void => useToasts.setState(({ toasts }) => ({ toasts: toasts.filter((one) => one.id !== id) }))

/** An expected failure: what happened and what to do next. It stays until it is dismissed. */
export function toastError(error: AppError, actions: readonly ToastAction[] = []): void {
  if (error.code === 'cancelled') return
  toast(error.message, { tone: 'error', note: error.next, actions, lifeMs: null })
}
