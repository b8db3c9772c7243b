import { useEffect, useRef, useState, type ReactNode } from 'react'
import type { AppError, InputOf, ResultOf, TaskOperationName } from '#contract'
import { Button, Dialog, ErrorNotice } from '#ui'
import { callTask, closeOverlay, copyText, goTo, hasEnded, toastError, useTasks } from '../../app'
import { TaskProgress } from '../tasks'
import styles from './task-dialog.module.css'

export interface TaskRun {
  busy: boolean
  error: AppError | null
  /**
   * Runs a task to its end. Answers its result, or null when it did not succeed: the dialog then says why. Where the dialog was closed
   * meanwhile, a message of the window does.
   */
  run: <N extends TaskOperationName>(name: N, input: InputOf<N>) => Promise<ResultOf<N> | null>
  /** Forgets what went wrong: it was said of what is no longer typed in. */
  clear: () => void
}

/** The work behind a dialog. */
export function useTaskRun(): TaskRun {
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<AppError | null>(null)
  const shown = useRef(true)
  useEffect(() => {
    shown.current = true
    return () => void (shown.current = false)
  }, [])
  const run: TaskRun['run'] = async (name, input) => {
    setBusy(true)
    setError(null)
    const result = await callTask(name, input)
    setBusy(false)
    if (result.ok) return result.value
    const { taskId, error: failed } = result
    if (shown.current) setError(failed.code === 'cancelled' ? null : failed)
    else if (failed.code !== 'cancelled')
      toastError(failed, taskId ? [{ label: 'Show task', run: () => goTo({ kind: 'tasks', taskId }) }] : [])
    return null
  }
  return { busy, error, run, clear: () => setError(null) }
}

export interface TaskDialogProps {
  title: string
  /** What it does, in plain words. */
  description?: ReactNode
  /** On the button. */
  verb: string
  danger?: boolean
  /** Why it cannot be done as it is filled in. */
  blocked?: string | null
  /** It was done, and the dialog shows what came of it: what closes it takes nothing back. */
  done?: boolean
  work: TaskRun
  /** Name of the machine: its running task is shown. */
  subject: string
  onRun: () => void
  width?: number
  children?: ReactNode
}

/** A dialog that starts a task, shows how far it is, and says what went wrong. It can be closed meanwhile: the task goes on. */
export function TaskDialog({ title, description, verb, danger, blocked, done, work, subject, onRun, width = 600, children }: TaskDialogProps) {
  const task = useTasks((state) =>
    work.busy ? Object.values(state.byId).find((one) => !hasEnded(one) && one.subject === subject) : undefined
  )
  return (
    <Dialog
      title={title}
      description={description}
      onClose={closeOverlay}
      width={width}
      footer={
        <>
          <Button onClick={closeOverlay}>{work.busy ? 'Hide' : done ? 'Close' : 'Cancel'}</Button>
          <Button type="submit" form="task-dialog" variant={danger ? 'danger' : 'primary'} busy={work.busy} blocked={blocked ?? null}>
            {verb}
          </Button>
        </>
      }
    >
      <form
        id="task-dialog"
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault()
          if (!blocked && !work.busy) onRun()
        }}
      >
        {work.error && <ErrorNotice error={work.error} onCopy={copyText} />}
        {children}
        {task && <TaskProgress task={task} />}
      </form>
    </Dialog>
  )
}

/** A sentence of a dialog on what will happen. */
export const Sentence = ({ children }: { children: ReactNode }) => <p className={styles.sentence}>{children}</p>
