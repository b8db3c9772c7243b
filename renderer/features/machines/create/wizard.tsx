import { useRef, useState, type FormEvent, type KeyboardEvent } from 'react'
import { Check, CircleAlert } from 'lucide-react'
import type { AppError, Image } from '#contract'
import { call, closeOverlay, copyText, goTo, goToMachine, openOverlay, taskEnded, toast, toastError } from '../../../app'
import { Button } from '../../../ui/button'
import { Dialog } from '../../../ui/dialog'
import { ErrorNotice } from '../../../ui/notice'
import { startAndShow } from '../actions'
import type { Problems } from '../editors/problems'
import { discardDraft, goToStep, inputOf, isUntouched, restoreDraft, STEPS, stepOf, useDraft, useNewMachine, type Step } from './draft'
import { SourceStep } from './source-step'
import { CloudStep, DiskStep, HardwareStep, NetworkStep, SummaryStep } from './steps'
import styles from './wizard.module.css'

const TITLES: Record<Step, string> = {
  source: 'Name and source',
  hardware: 'Hardware',
  disk: 'Disk',
  network: 'Network',
  cloud: 'User and keys',
  summary: 'Summary'
}
const VIEWS: Record<Step, () => React.JSX.Element> = {
  source: SourceStep,
  hardware: HardwareStep,
  disk: DiskStep,
  network: NetworkStep,
  cloud: CloudStep,
  summary: SummaryStep
}

/** A creation that takes longer than this goes on without the dialog. */
const PATIENCE_MS = 1500

const stepsFor = (image: Image | null): Step[] => STEPS.filter((step) => step !== 'cloud' || image?.kind === 'cloud')
/** The first step with a mistake; null when there is none. */
const faultyStep = (steps: readonly Step[], problems: Problems): Step | null =>
  steps.find((step) => Object.keys(problems).some((field) => stepOf(field) === step)) ?? null

/** Creates a machine in steps whose defaults need no change. Every step can be gone to at any time, and keeps what was typed. */
export function CreateWizard() {
  const { machine, image, problems } = useNewMachine()
  const wanted = useDraft((draft) => draft.step)
  const { submit, busy, error } = useCreation()
  const steps = stepsFor(image)
  const step = steps.includes(wanted) ? wanted : 'summary'
  const at = steps.indexOf(step)
  const next = steps[at + 1]
  const back = steps[at - 1]
  const content = useRef<HTMLFormElement>(null)
  const here = Object.keys(problems).some((field) => stepOf(field) === step)
  const faulty = faultyStep(steps, problems)
  const blocked = faulty === null ? null : `“${TITLES[faulty]}” has something to correct.`

  const move = (to: Step | undefined): void => {
    if (to === undefined) return
    goToStep(to)
    content.current?.scrollTo({ top: 0 })
  }
  const create = (start: boolean): void => {
    if (faulty === null) void submit(inputOf(machine, image), start)
    else move(faulty)
  }
  const onSubmit = (event: FormEvent): void => {
    event.preventDefault()
    if (next === undefined) create(true)
    else if (!here) move(next)
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Enter' && event.ctrlKey) {
      event.preventDefault()
      create(true)
    }
  }
  const View = VIEWS[step]
  return (
    <Dialog title="New machine" onClose={closeWizard} width={760} bare className={styles.dialog}>
      <form ref={content} className={styles.form} onSubmit={onSubmit} onKeyDown={onKeyDown} aria-label={TITLES[step]}>
        <div className={styles.columns}>
          <StepList steps={steps} active={step} problems={problems} onGo={move} />
          <div className={styles.content} key={step}>
            <h3 className={styles.heading}>{TITLES[step]}</h3>
            {error && step === (error.code === 'bad-input' ? stepOf(error.field) : 'summary') && (
              <ErrorNotice error={error} onCopy={copyText} />
            )}
            <View />
          </div>
        </div>
        <footer className={styles.footer}>
          <Button onClick={closeWizard}>Cancel</Button>
          <span className={styles.space} />
          <Button blocked={back ? null : 'This is the first step.'} onClick={() => move(back)}>
            Back
          </Button>
          {next ? (
            <>
              <Button
                blocked={blocked}
                busy={busy}
                keys="Ctrl+Enter"
                hint="Create it as it is now, and start it"
                onClick={() => create(true)}
              >
                Create and start
              </Button>
              <Button type="submit" variant="primary" blocked={here ? 'Correct what is marked first.' : null}>
                Next
              </Button>
            </>
          ) : (
            <>
              <Button blocked={blocked} busy={busy} onClick={() => create(false)}>
                Create
              </Button>
              <Button type="submit" variant="primary" blocked={blocked} busy={busy} keys="Ctrl+Enter" hint="Create and start">
                Create and start
              </Button>
            </>
          )}
        </footer>
      </form>
    </Dialog>
  )
}

interface StepListProps {
  steps: readonly Step[]
  active: Step
  problems: Problems
  onGo: (step: Step) => void
}

function StepList({ steps, active, problems, onGo }: StepListProps) {
  const at = steps.indexOf(active)
  return (
    <ol className={styles.steps} aria-label="Steps">
      {steps.map((step, index) => {
        const wrong = Object.keys(problems).some((field) => stepOf(field) === step)
        return (
          <li key={step}>
            <button type="button" aria-current={step === active ? 'step' : undefined} onClick={() => onGo(step)}>
              <span className={styles.number} data-wrong={wrong || undefined} data-done={index < at || undefined}>
                {wrong ? <CircleAlert size={13} aria-label="to correct" /> : index < at ? <Check size={12} aria-hidden /> : index + 1}
              </span>
              {TITLES[step]}
            </button>
          </li>
        )
      })}
    </ol>
  )
}

/** Closing keeps a way back to what was typed. */
function closeWizard(): void {
  closeOverlay()
  if (isUntouched()) return
  const draft = discardDraft()
  toast('The new machine was discarded.', {
    actions: [
      {
        label: 'Go on with it',
        run: () => {
          restoreDraft(draft)
          openOverlay({ kind: 'create' })
        }
      }
    ]
  })
}

/** Creates the machine; what takes long goes on after the dialog has closed. */
function useCreation(): {
  submit: (input: ReturnType<typeof inputOf>, start: boolean) => Promise<void>
  busy: boolean
  error: AppError | null
} {
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<AppError | null>(null)
  const submit = async (input: ReturnType<typeof inputOf>, start: boolean): Promise<void> => {
    setBusy(true)
    setError(null)
    const started = await call('machine.create', input)
    if (!started.ok) {
      setBusy(false)
      showError(started.error)
      return
    }
    const { taskId } = started.value
    const ended = taskEnded(taskId)
    const early = await Promise.race([ended, new Promise<null>((resolve) => setTimeout(() => resolve(null), PATIENCE_MS))])
    setBusy(false)
    if (early?.state.kind === 'failed') return showError(early.state.error)
    discardDraft()
    closeOverlay()
    if (early === null)
      toast(`${input.name} is being created.`, {
        note: 'It appears in the list when it is ready.',
        actions: [{ label: 'Show task', run: () => goTo({ kind: 'tasks', taskId }) }]
      })
    const task = early ?? (await ended)
    if (task.state.kind === 'failed')
      return toastError(task.state.error, [{ label: 'Show task', run: () => goTo({ kind: 'tasks', taskId }) }])
    if (task.state.kind !== 'done') return
    const { id } = task.state.result as { id: string }
    if (start) await startAndShow(id)
    else goToMachine(id, 'overview')
  }
  const showError = (failed: AppError): void => {
    setError(failed)
    goToStep(failed.code === 'bad-input' ? stepOf(failed.field) : 'summary')
  }
  return { submit, busy, error }
}
