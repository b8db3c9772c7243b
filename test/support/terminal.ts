import { spawn } from 'node-pty'
import { onTestFinished, vi, expect } from 'vitest'

export interface TerminalSession {
  type(text: string): void
  readonly shown: string
  /** Waits until the terminal shows it. */
  see(text: string | RegExp): Promise<void>
  readonly ended: Promise<{ code: number; signal: number | undefined }>
  readonly pid: number
}

/** Runs a program on a terminal of its own; it ends with the test. */
export function onTerminal(program: string, words: string[], environment: NodeJS.ProcessEnv): TerminalSession {
  const pty = spawn(program, words, { cols: 100, rows: 30, env: environment })
  let shown = ''
  pty.onData((data) => (shown += data))
  let hasEnded = false
  const ended = new Promise<{ code: number; signal: number | undefined }>((resolve) => {
    pty.onExit(({ exitCode, signal }) => {
      hasEnded = true
      resolve({ code: exitCode, signal })
    })
  })
  onTestFinished(async () => {
    if (!hasEnded) pty.kill('SIGKILL')
    await ended
  })
  return {
    type: (text) => pty.write(text),
    get shown() {
      return shown
    },
    see: (text) => vi.waitFor(() => expect(shown).toMatch(text), { timeout: 10_000, interval: 20 }),
    ended,
    pid: pty.pid
  }
}
