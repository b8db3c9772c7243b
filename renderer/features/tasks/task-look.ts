import { CircleCheck, CircleSlash, CircleX, LoaderCircle, Unplug } from 'lucide-react'
import type { Task } from '#contract'
import type { StateLook } from '#ui'

const LOOKS: Record<Task['state']['kind'], StateLook> = {
  running: { tone: 'busy', icon: LoaderCircle, word: 'Running', turning: true },
  done: { tone: 'running', icon: CircleCheck, word: 'Done' },
  failed: { tone: 'failed', icon: CircleX, word: 'Failed' },
  cancelled: { tone: 'off', icon: CircleSlash, word: 'Cancelled' },
  interrupted: { tone: 'failed', icon: Unplug, word: 'Interrupted' }
}
export const lookOfTask = (task: Task): StateLook => LOOKS[task.state.kind]

/** Newest first. */
export const newestFirst = (tasks: readonly Task[]): Task[] => [...tasks].sort((a, b) => b.startedAtMs - a.startedAtMs)

/** Why a running task cannot be cancelled any more; null while it can. */
export const whyNotCancelled = ({ state }: Task): string | null =>
  state.kind === 'running' && !state.cancellable ? 'It is past the point where it can be taken back.' : null
