import { useState } from 'react'
import type { AppError, Machine } from '#contract'
import { call, copyText, toast, useHost } from '../../../app'
import { Button } from '../../../ui/button'
import { Banner, EmptyState, ErrorNotice } from '../../../ui/notice'
import { FileWarning } from 'lucide-react'
import { hardwareInput, hardwareOf, type Hardware } from '../editors/hardware'
import { DeviceFields, ProcessorFields } from '../editors/hardware-fields'
import { NetworkFields } from '../editors/network-fields'
import { editProblems } from '../editors/problems'
import { isOff } from '../words'
import { CommandLine } from './command-line'
import { changeDraft, dropDraft, useDraftOf } from './draft'
import styles from './settings-tab.module.css'

/** What the machine is made of, to be changed. What a running machine cannot take waits for its next start. */
export function SettingsTab({ machine }: { machine: Machine }) {
  const { definition } = machine
  if (!definition)
    return (
      <EmptyState icon={FileWarning} title="There is nothing to change">
        The machine’s definition cannot be read.
      </EmptyState>
    )
  return <Form machine={machine} saved={hardwareOf(definition)} kernelBoot={definition.kernel !== null} />
}

function Form({ machine, saved, kernelBoot }: { machine: Machine; saved: Hardware; kernelBoot: boolean }) {
  const host = useHost((state) => state.host)
  const draft = useDraftOf(machine.id)
  const [error, setError] = useState<AppError | null>(null)
  const [busy, setBusy] = useState(false)
  const value = { ...saved, ...draft }
  const changedFields = changesOf(saved, value)
  const dirty = Object.keys(changedFields).length > 0
  const problems = editProblems(value, host)
  const onChange = (change: Partial<Hardware>): void => {
    setError(null)
    changeDraft(machine.id, change)
  }
  const discard = (): void => {
    setError(null)
    dropDraft(machine.id)
  }
  const save = async (): Promise<void> => {
    setBusy(true)
    const result = await call('machine.edit', { machine: machine.id, ...changedFields })
    setBusy(false)
    if (!result.ok) return setError(result.error)
    dropDraft(machine.id)
    const waits = result.value.pending
    toast('The settings were saved.', { tone: 'good', note: waits.length > 0 ? `From the next start on: ${waits.join(', ')}.` : undefined })
  }
  const editor = { value, onChange, problems, host }
  return (
    <form
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault()
        if (dirty && Object.keys(problems).length === 0) void save()
      }}
    >
      <div className={styles.scroll}>
        {machine.pending.length > 0 ? (
          <Banner tone="info">In effect from the next start on: {machine.pending.join(', ')}.</Banner>
        ) : (
          !isOff(machine.state) && <Banner tone="info">The machine runs: what is changed here takes effect at its next start.</Banner>
        )}
        {error && <ErrorNotice error={error} onCopy={copyText} />}
        <fieldset>
          <legend>Processor and memory</legend>
          <ProcessorFields {...editor} />
        </fieldset>
        <fieldset>
          <legend>Network</legend>
          <NetworkFields {...editor} />
        </fieldset>
        <fieldset>
          <legend>Firmware and devices</legend>
          <DeviceFields {...editor} kernelBoot={kernelBoot} />
        </fieldset>
        <fieldset>
          <legend>QEMU</legend>
          <CommandLine machine={machine} />
        </fieldset>
      </div>
      {dirty && (
        <footer className={styles.footer} role="region" aria-label="Unsaved changes">
          <p>
            Not saved:{' '}
            {Object.keys(changedFields)
              .map((field) => WORDS[field] ?? field)
              .join(', ')}
          </p>
          <Button onClick={discard}>Discard</Button>
          <Button
            type="submit"
            variant="primary"
            busy={busy}
            blocked={Object.keys(problems).length > 0 ? 'Correct what is marked first.' : null}
          >
            Save
          </Button>
        </footer>
      )}
    </form>
  )
}

const WORDS: Record<string, string> = {
  cpus: 'processors',
  network: 'networks',
  forward: 'port forwards',
  tpm: 'TPM',
  sharedMemory: 'shared memory'
}

/** Only what differs: the operation leaves the rest as it is. */
function changesOf(saved: Hardware, value: Hardware): Partial<ReturnType<typeof hardwareInput>> {
  const [before, after] = [hardwareInput(saved), hardwareInput(value)]
  const entries = Object.entries(after).filter(
    ([field, now]) => JSON.stringify(before[field as keyof typeof before]) !== JSON.stringify(now)
  )
  return Object.fromEntries(entries)
}
