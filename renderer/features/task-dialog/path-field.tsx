import type { ReactNode } from 'react'
import { FilePath } from '#contract'
import { Button, Field, TextInput } from '#ui'
import type { TaskRun } from './task-dialog'
import styles from './task-dialog.module.css'

/** What operations say of a file that was named. */
const OF_FILES: readonly string[] = ['not-found', 'bad-file', 'file', 'already-exists']

/** What the operation said of the file that was named; null where it said nothing, or of something else. */
export function pathProblem({ error }: TaskRun): string | null {
  if (error === null || !(OF_FILES.includes(error.code) || (error.code === 'bad-input' && ['path', 'file'].includes(error.field)))) return null
  return [error.message, error.next].filter(Boolean).join(' ')
}

/** The same work for a dialog whose path field says what is wrong with the file. */
export const withoutPathProblem = (work: TaskRun): TaskRun => (pathProblem(work) === null ? work : { ...work, error: null })

/** Why a path cannot be one; null while nothing is typed. */
export const pathMistake = (path: string): string | null =>
  path === '' || FilePath.safeParse(path).success ? null : 'The whole path is needed, beginning with /.'

export interface PathFieldProps {
  label: string
  hint?: ReactNode
  value: string
  onChange: (path: string) => void
  /** Asks with the system's dialog; null when that is closed. */
  choose: () => Promise<string | null>
  /** What it is for: what that says of the file is said here. */
  work: TaskRun
}

/** The path of a file on the host: typed, or chosen. What is wrong with it stands below. */
export function PathField({ label, hint, value, onChange, choose, work }: PathFieldProps) {
  const change = (path: string): void => {
    work.clear() // it was said of another file
    onChange(path)
  }
  const ask = async (): Promise<void> => {
    const chosen = await choose()
    if (chosen !== null) change(chosen)
  }
  return (
    <Field label={label} hint={hint} error={pathMistake(value) ?? pathProblem(work)}>
      <span className={styles.file}>
        <TextInput value={value} mono onChange={change} />
        <Button onClick={() => void ask()}>Choose…</Button>
      </span>
    </Field>
  )
}
