import { useState } from 'react'
import { Checkbox } from '#ui'
import { shell } from '../../app'
import { Sentence, TaskDialog, useTaskRun, type TaskRun } from './task-dialog'
import { pathMistake, PathField, withoutPathProblem } from './path-field'

export interface FindFileDialogProps {
  /** What is looked for: `Built-in guest`. Null when it is there after all. */
  title: string | null
  /** What the file is needed for, in one sentence. */
  description: string
  /** Where it was. */
  was: string
  /** Where it is known to be: that is proposed. */
  foundAt?: string | undefined
  /** Whether something is recorded that it can be compared with. */
  compared: boolean
  /** What becomes of the file that is found, in one sentence. */
  then: string
  /** Whose task it is. */
  subject: string
  /** Takes the file, by an operation that refuses another one. */
  onFind: (work: TaskRun, path: string, unchecked: boolean) => Promise<void>
}

/** Asks where a file is now that is not where it was. Only the very file will do. */
export function FindFileDialog({ title, description, was, foundAt, compared, then, subject, onFind }: FindFileDialogProps) {
  const [path, setPath] = useState(foundAt ?? '')
  const [unchecked, setUnchecked] = useState(false)
  const work = useTaskRun()
  // Nothing is recorded of it, or it may be a copy of which nobody can say whether it is one.
  const proposed = foundAt !== undefined && path === foundAt
  const unsure = (!compared && !proposed) || unchecked || work.error?.code === 'wrong-state'
  const blocked = (): string | null => {
    if (title === null) return 'Nothing is missing.'
    if (path === '') return 'Say where the file is now.'
    return pathMistake(path) ?? (unsure && !unchecked ? 'Say that you are sure, or choose another file.' : null)
  }
  return (
    <TaskDialog
      title={title === null ? 'Find a file' : `Find ${title}`}
      description={description}
      verb="Use this file"
      blocked={blocked()}
      work={withoutPathProblem(work)}
      subject={subject}
      onRun={() => void onFind(work, path, unchecked)}
      width={520}
    >
      {title !== null && (
        <>
          <Sentence>
            It was <code data-selectable>{was}</code>.
          </Sentence>
          <PathField
            label="Where it is now"
            value={path}
            onChange={setPath}
            choose={() => shell().chooseFile({ title: `Where ${fileName(was)} is now` })}
            work={work}
          />
          <Sentence>
            {proposed
              ? 'That is the very file: a linked clone or a snapshot has it under a name of its own. Both have it from then on.'
              : compared
              ? 'It is compared with what is recorded of it: only the very file will do, as the layers above it hold nothing but what differs from it.'
              : 'The guest wrote to this layer last, so nothing is recorded that it could be compared with; only its format and size are.'}
            {!proposed && ` ${then}`}
          </Sentence>
          {unsure && (
            <Checkbox
              checked={unchecked}
              onChange={setUnchecked}
              label="I am sure that it is this file"
              note="Another one would show the guest a damaged disk."
            />
          )}
        </>
      )}
    </TaskDialog>
  )
}

const fileName = (path: string): string => path.slice(path.lastIndexOf('/') + 1)
