import { useEffect, useState } from 'react'
import type { Result, ResultOf, Settings } from '#contract'
import { Banner, CopyLine, ErrorNotice, Field, NumberInput, Select, SizeInput, Switch } from '#ui'
import { attempt, call, copyText, useHost, useSettings } from '../../app'
import styles from './settings.module.css'
import { Trash } from './trash'

const THEMES = [
  { value: 'system', label: 'As the system' },
  { value: 'light', label: 'Light' },
  { value: 'dark', label: 'Dark' }
] as const

/** Settings apply as they are changed. */
export function SettingsScreen() {
  const settings = useSettings((state) => state.settings)
  const library = useHost((state) => state.host?.library.path)
  if (!settings) return null
  return (
    <section className={styles.screen} aria-label="Settings">
      <h1>Settings</h1>
      <div className={styles.group}>
        <Field label="Theme" layout="row">
          <Select label="Theme" value={settings.theme} options={THEMES} onChange={(theme) => void attempt('settings.edit', { theme })} />
        </Field>
        <StopTimeout settings={settings} />
        <SizeSetting
          label="History of a disk"
          hint="Space for commits that can be undone, for each disk. When a commit goes beyond it, the oldest is merged and becomes final."
          wrong="A size, such as 10 GiB; 0 keeps no history."
          value={settings.historyBudgetBytes}
          onChange={(historyBudget) => void attempt('settings.edit', { historyBudget })}
        />
        <Field label="Archive snapshots" layout="row" hint="Their memory is saved into the store when nothing else goes on, where what they have in common is stored once.">
          <Switch checked={settings.archiveSnapshots} label="Archive snapshots" onChange={(archiveSnapshots) => void attempt('settings.edit', { archiveSnapshots })} />
        </Field>
        <SizeSetting
          label="Snapshots at hand"
          hint="Memory of snapshots that is kept beside the store: a machine goes on from it at once. Beyond it, what was not used for the longest time is in the store alone."
          wrong="A size, such as 8 GiB; 0 keeps none."
          value={settings.snapshotCacheBytes}
          onChange={(snapshotCache) => void attempt('settings.edit', { snapshotCache })}
        />
        <Field label="Library" layout="row" hint="STRATA_HOME names another one before the start.">
          {library ? <CopyLine text={library} onCopy={copyText} /> : <span />}
        </Field>
      </div>
      <h2>API for programs</h2>
      <div className={styles.group}>
        <ApiSettings settings={settings} />
      </div>
      <Trash />
    </section>
  )
}

function StopTimeout({ settings }: { settings: Settings }) {
  return (
    <NumberSetting
      label="Time to power off"
      hint="Seconds that a guest is asked before force is offered."
      value={settings.stopTimeoutSeconds}
      min={1}
      max={3600}
      step={5}
      onChange={(stopTimeoutSeconds) => void attempt('settings.edit', { stopTimeoutSeconds })}
    />
  )
}

interface SizeSettingProps {
  label: string
  hint: string
  /** Said of what is no size. */
  wrong: string
  value: number
  onChange: (bytes: number) => void
}

/** What something may take. It takes effect when it is finished: “1” on the way to “10 GiB” must not cost a history. */
function SizeSetting({ label, hint, wrong, value, onChange }: SizeSettingProps) {
  const [draft, setDraft] = useState<{ bytes: number | null } | null>(null)
  const shown = draft ? draft.bytes : value
  const finish = (): void => {
    if (draft === null || shown === null) return
    setDraft(null)
    if (shown !== value) onChange(shown)
  }
  return (
    <Field
      label={label}
      layout="row"
      hint={hint}
      error={shown === null ? wrong : null}
    >
      {/* The list of units opens outside of the field, and belongs to it all the same. */}
      <span
        onBlur={({ currentTarget, relatedTarget }) => {
          const within =
            currentTarget.contains(relatedTarget) || (relatedTarget instanceof Element && relatedTarget.closest('[role=listbox]'))
          if (!within) finish()
        }}
        onKeyDown={(event) => event.key === 'Enter' && finish()}
      >
        <SizeInput value={shown} onChange={(bytes) => setDraft({ bytes })} label={label} />
      </span>
    </Field>
  )
}

interface NumberSettingProps {
  label: string
  hint: string
  value: number
  min: number
  max: number
  step?: number
  stepper?: boolean
  onChange: (value: number) => void
}

/**
 * A number that takes effect once it is finished, not with each digit: “90” must not make a guest wait for 9 s on the way, nor the
 * API listen on port 1741 of 17411. While nothing is being typed it follows the setting, which another window or `strata` may change.
 */
function NumberSetting({ label, hint, value, min, max, step, stepper = true, onChange }: NumberSettingProps) {
  const [draft, setDraft] = useState<{ value: number | null } | null>(null)
  const shown = draft ? draft.value : value
  const wrong = shown === null || shown < min || shown > max
  const finish = (): void => {
    if (draft === null || wrong) return
    setDraft(null)
    if (shown !== value) onChange(shown)
  }
  return (
    <Field label={label} layout="row" hint={hint} error={wrong ? `A whole number from ${min} to ${max}.` : null}>
      <span onBlur={finish} onKeyDown={(event) => event.key === 'Enter' && finish()}>
        <NumberInput
          value={shown}
          min={min}
          max={max}
          stepper={stepper}
          {...(step ? { step } : {})}
          onChange={(next) => setDraft({ value: next })}
        />
      </span>
    </Field>
  )
}

/** When it is asked again where the API listens, in milliseconds after the last answer. */
const ASK_AGAIN_MS = [100, 250, 500, 1000, 1500]

/**
 * Where the API listens. The setting changes first, and the listener follows it: an answer that does not fit the setting yet is asked for
 * again for a while. What is still so then is the truth, such as a port that another program has.
 */
function useApi(enabled: boolean, port: number): Result<ResultOf<'api.show'>> | null {
  const [answer, setAnswer] = useState<Result<ResultOf<'api.show'>> | null>(null)
  useEffect(() => {
    let gone = false
    let timer: ReturnType<typeof setTimeout> | undefined
    const ask = async (tries: number): Promise<void> => {
      const shown = await call('api.show', {})
      if (gone) return
      const delayMs = ASK_AGAIN_MS[tries]
      if (shown.ok && !fits(shown.value, enabled, port) && delayMs !== undefined) timer = setTimeout(() => void ask(tries + 1), delayMs)
      else setAnswer(shown)
    }
    void ask(0)
    return () => {
      gone = true
      clearTimeout(timer)
    }
  }, [enabled, port])
  return answer
}

const fits = ({ tcp }: ResultOf<'api.show'>, enabled: boolean, port: number): boolean =>
  tcp.enabled ? enabled && new URL(tcp.url).port === String(port) : !enabled

/** The same operations as in the window, for programs of this user; over TCP only when it is switched on. */
function ApiSettings({ settings }: { settings: Settings }) {
  const { enabled, port } = settings.apiTcp
  const answer = useApi(enabled, port)
  const api = answer?.ok ? answer.value : null
  return (
    <>
      {answer && !answer.ok && <ErrorNotice error={answer.error} onCopy={copyText} />}
      <Field label="Socket" layout="row" hint="Only this user can connect to it.">
        {api ? <CopyLine text={api.socketPath} onCopy={copyText} /> : <span />}
      </Field>
      <Field label="Loopback TCP" layout="row" hint="A token is needed; other computers cannot connect.">
        <Switch label="Serve the API on loopback TCP" checked={enabled} onChange={(apiTcp) => void attempt('settings.edit', { apiTcp })} />
      </Field>
      <NumberSetting
        label="Port"
        hint="On 127.0.0.1."
        value={port}
        min={1024}
        max={65535}
        stepper={false}
        onChange={(apiPort) => void attempt('settings.edit', { apiPort })}
      />
      {enabled && api?.tcp.enabled && (
        <>
          <Field label="Address" layout="row">
            <CopyLine text={api.tcp.url} onCopy={copyText} />
          </Field>
          <Field label="Token" layout="row" hint="The file that holds it; only this user can read it.">
            <CopyLine text={api.tcp.tokenFile} onCopy={copyText} />
          </Field>
        </>
      )}
      {enabled && api && !api.tcp.enabled && <Banner tone="warning">Not served over TCP: {api.tcp.reason}</Banner>}
      <Field label="Command line" layout="row" hint="Does all that this window does.">
        <CopyLine text="npx strata --help" onCopy={copyText} />
      </Field>
    </>
  )
}
