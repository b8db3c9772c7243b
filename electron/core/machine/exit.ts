import type { MachineExit } from '#contract'
import { readTail } from '../host/files'

/** What is known of a QEMU that has ended. */
export interface ExitFacts {
  exitCode: number | null
  signal: string | null
  /** Reason of the last SHUTDOWN event (ShutdownCause in qapi/run-state.json), null if there was none. */
  shutdown: string | null
  /** Strata itself ended it by force. */
  forced: boolean
}

const LOG_LINES = 12

/** Whether QEMU ended because somebody wanted it to, and the exit as people are told of it. */
export async function describeExit(facts: ExitFacts, logFile: string): Promise<{ exit: MachineExit; expected: boolean }> {
  const log = await lastLines(logFile)
  const { reason, expected } = reasonOf(facts, log)
  return { exit: { atMs: Date.now(), reason, exitCode: facts.exitCode, signal: facts.signal, log }, expected }
}

export async function lastLines(logFile: string): Promise<string[]> {
  const { text } = await readTail(logFile, 8192)
  return text.split('\n').filter((line) => line.trim() !== '').slice(-LOG_LINES)
}

function reasonOf(facts: ExitFacts, log: string[]): { reason: string; expected: boolean } {
  if (facts.forced) return { reason: 'Ended by force.', expected: true }
  switch (facts.shutdown) {
    case 'guest-shutdown':
      return { reason: 'The guest powered off.', expected: true }
    case 'guest-panic':
      return { reason: 'The guest’s kernel panicked.', expected: false }
    case 'host-qmp-quit':
    case 'host-qmp-system-reset':
      return { reason: 'QEMU was told to quit.', expected: true }
    case 'host-signal':
      return { reason: 'QEMU was asked to end by a signal.', expected: true }
    case 'host-ui':
      return { reason: 'QEMU was closed from its display.', expected: true }
    case null:
      break
  }
  if (facts.signal !== null) return { reason: `QEMU was killed by ${facts.signal}.`, expected: false }
  const known = explainLog(log)
  if (known) return { reason: known, expected: false }
  if (facts.exitCode === null) return { reason: 'QEMU ended, and nobody saw how.', expected: false }
  return { reason: `QEMU ended with exit code ${facts.exitCode}.`, expected: facts.exitCode === 0 }
}

/** QEMU's words for what often goes wrong at a start, in plain ones. */
const KNOWN: [RegExp, (match: RegExpExecArray) => string][] = [
  [/Could not set up host forwarding rule '(\w+):([\d.]*):(\d+)-/, (m) => `The host port ${m[3]}/${m[1]} that is to be forwarded is already in use.`],
  [/Failed to get (?:shared )?"(?:write|consistent read|resize)" lock/, () => 'One of its disks is in use by another process.'],
  [/cannot set up guest memory|Cannot allocate memory/, () => 'The host has not enough free memory for the machine.'],
  [/failed to initialize kvm|Could not access KVM/i, () => 'KVM could not be used.'],
  [/Could not open '([^']+)': No such file or directory/, (m) => `“${m[1]}” does not exist.`],
  [/Could not open '([^']+)': Permission denied/, (m) => `“${m[1]}” may not be opened.`],
  [/bridge helper failed|failed to create tun device|access denied by acl file/, () => 'The host bridge could not be used.'],
  [/Unable to find CPU definition|CPU model .* not supported/, () => 'This processor model is not supported.']
]
export function explainLog(log: string[]): string | null {
  for (const line of log) {
    for (const [pattern, explain] of KNOWN) {
      const match = pattern.exec(line)
      if (match) return explain(match)
    }
  }
  return null
}
