import { useEffect, useState } from 'react'
import type { ResultOf, Settings } from '#contract'
import { CopyLine, Field, NumberInput, Select, Switch } from '#ui'
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
  const [seconds, setSeconds] = useState<number | null>(settings.stopTimeoutSeconds)
  const wrong = seconds === null || seconds < 1 || seconds > 3600
  const change = (value: number | null): void => {
    setSeconds(value)
    if (value !== null && value >= 1 && value <= 3600) void attempt('settings.edit', { stopTimeoutSeconds: value })
  }
  return (
    <Field
      label="Time to power off"
      layout="row"
      hint="Seconds that a guest is asked before force is offered."
      error={wrong ? 'A whole number from 1 to 3600.' : null}
    >
      <NumberInput value={seconds} min={1} max={3600} step={5} onChange={change} />
    </Field>
  )
}

/** The same operations as in the window, for programs of this user; over TCP only when it is switched on. */
function ApiSettings({ settings }: { settings: Settings }) {
  const [api, setApi] = useState<ResultOf<'api.show'> | null>(null)
  const { enabled, port } = settings.apiTcp
  useEffect(() => {
    let gone = false
    void call('api.show', {}).then((answer) => {
      if (!gone && answer.ok) setApi(answer.value)
    })
    return () => {
      gone = true
    }
  }, [enabled, port])
  return (
    <>
      <Field label="Socket" layout="row" hint="Only this user can connect to it.">
        {api ? <CopyLine text={api.socketPath} onCopy={copyText} /> : <span />}
      </Field>
      <Field label="Loopback TCP" layout="row" hint="A token is needed; other computers cannot connect.">
        <Switch label="Serve the API on loopback TCP" checked={enabled} onChange={(apiTcp) => void attempt('settings.edit', { apiTcp })} />
      </Field>
      {api?.tcp.enabled && (
        <>
          <Field label="Address" layout="row">
            <CopyLine text={api.tcp.url} onCopy={copyText} />
          </Field>
          <Field label="Token" layout="row" hint="The file that holds it; only this user can read it.">
            <CopyLine text={api.tcp.tokenFile} onCopy={copyText} />
          </Field>
        </>
      )}
      {enabled && api && !api.tcp.enabled && <p className={styles.note}>Not served: {api.tcp.reason}.</p>}
      <Field label="Command line" layout="row" hint="Does all that this window does.">
        <CopyLine text="npx strata --help" onCopy={copyText} />
      </Field>
    </>
  )
}
