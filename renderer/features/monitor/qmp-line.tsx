import { useId, useRef, useState, type FormEvent, type KeyboardEvent } from 'react'
import { CornerDownLeft } from 'lucide-react'
import { z } from 'zod'
import { parseQmpLine, type Machine } from '#contract'
import { Button, TextInput } from '#ui'
import { call } from '../../app'
import styles from './monitor.module.css'

const Commands = z.array(z.object({ name: z.string() }))
/** Lines that were sent, for the arrow keys; the newest last. */
const history: string[] = []

/** A line to send a QMP command. What QEMU answers is in the traffic above; only what never reached QEMU is told here. */
export function QmpLine({ machine, onAsk }: { machine: Machine; onAsk: (command: string) => void }) {
  const [line, setLine] = useState('')
  const [problem, setProblem] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)
  const at = useRef(history.length)
  const [names, askNames] = useCommandNames(machine.id)
  const list = useId()

  const send = async (): Promise<void> => {
    const parsed = parseQmpLine(line)
    if (typeof parsed === 'string') return setProblem(parsed)
    onAsk(parsed.command)
    if (history.at(-1) !== line) history.push(line)
    at.current = history.length
    setBusy(true)
    setProblem(null)
    setLine('')
    const answered = await call('qmp.run', { machine: machine.id, ...parsed })
    setBusy(false)
    if (!answered.ok && answered.error.code !== 'qmp') setProblem(answered.error.message)
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key]
    const next = step === undefined ? -1 : at.current + step
    if (step === undefined || next < 0 || next > history.length || event.altKey) return
    event.preventDefault()
    at.current = next
    setLine(history[next] ?? '')
  }

  return (
    <form
      className={styles.send}
      onSubmit={(event: FormEvent) => {
        event.preventDefault()
        void send()
      }}
    >
      <span className={styles.prompt} aria-hidden>
        QMP
      </span>
      <TextInput
        mono
        value={line}
        onChange={(value) => {
          setLine(value)
          setProblem(null)
        }}
        onKeyDown={onKeyDown}
        onFocus={askNames}
        list={list}
        spellCheck={false}
        aria-label="QMP command"
        aria-invalid={problem === null ? undefined : true}
        placeholder='query-block   or   device_del {"id": "net0"}'
      />
      <datalist id={list}>
        {names.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      <Button type="submit" icon={CornerDownLeft} busy={busy} blocked={line.trim() === '' ? 'Type a command first.' : null}>
        Send
      </Button>
      <p className={styles.problem} role="alert">
        {problem}
      </p>
    </form>
  )
}

/** The names of all commands, from QEMU itself, asked for when they are first needed; none while they cannot be had. */
function useCommandNames(machine: string): [readonly string[], () => void] {
  const [names, setNames] = useState<readonly string[]>([])
  const ask = (): void => {
    if (names.length > 0) return
    void call('qmp.run', { machine, command: 'query-commands' }).then((answered) => {
      const commands = Commands.safeParse(answered.ok ? answered.value.return : [])
      if (commands.success) setNames(commands.data.map(({ name }) => name).sort())
    })
  }
  return [names, ask]
}
