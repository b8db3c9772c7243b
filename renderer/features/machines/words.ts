import { CircleDashed, CirclePause, CirclePlay, CircleStop, CircleX, FileWarning, LoaderCircle, TimerOff, Unplug } from 'lucide-react'
import type { Machine, MachineState } from '#contract'
import type { StateLook } from '../../ui/badge'
import { formatExact } from '../../ui/format'

const LOOKS: Record<MachineState['kind'], StateLook> = {
  created: { tone: 'off', icon: CircleDashed, word: 'New' },
  starting: { tone: 'busy', icon: LoaderCircle, word: 'Starting', turning: true },
  running: { tone: 'running', icon: CirclePlay, word: 'Running' },
  paused: { tone: 'paused', icon: CirclePause, word: 'Paused' },
  stopping: { tone: 'busy', icon: LoaderCircle, word: 'Stopping', turning: true },
  stopped: { tone: 'off', icon: CircleStop, word: 'Stopped' },
  crashed: { tone: 'failed', icon: CircleX, word: 'Crashed' },
  unreachable: { tone: 'failed', icon: Unplug, word: 'Unreachable' },
  broken: { tone: 'failed', icon: FileWarning, word: 'Broken' }
}
const OVERDUE: StateLook = { tone: 'paused', icon: TimerOff, word: 'Not stopping' }

/** How a state is shown everywhere: colour, icon and word. */
export const lookOf = (state: MachineState): StateLook => (state.kind === 'stopping' && state.overdue ? OVERDUE : LOOKS[state.kind])

/** Every word a state can have, for the filter. */
export const STATE_WORDS: readonly string[] = [...Object.values(LOOKS), OVERDUE].map((look) => look.word.toLowerCase())

/** QEMU's state in one sentence, with why and since when. */
export function sentenceOf({ state }: Pick<Machine, 'state'>): string {
  switch (state.kind) {
    case 'created':
      return 'It has not been started yet.'
    case 'starting':
      return 'QEMU is being started.'
    case 'running':
      return `It runs since ${formatExact(state.sinceMs)}.`
    case 'paused':
      return state.reason === '' ? 'Its processors stand still.' : sentence(state.reason)
    case 'stopping':
      return STOPPING[state.askedBy]
    case 'stopped':
    case 'crashed':
      return state.exit.reason
    case 'unreachable':
    case 'broken':
      return state.message
  }
}

const STOPPING = {
  agent: 'The guest was asked to power off, by its agent.',
  acpi: 'The guest was asked to power off: the ACPI power button was pressed.',
  force: 'QEMU is being ended.'
}

const sentence = (text: string): string => {
  const upper = text.charAt(0).toUpperCase() + text.slice(1)
  return /[.!?]$/.test(upper) ? upper : upper + '.'
}

/** QEMU lives, and its counters, console and screen can be had. */
export const isLive = (state: MachineState): boolean => state.kind === 'running' || state.kind === 'paused' || state.kind === 'stopping'
export const isOff = (state: MachineState): boolean => state.kind === 'created' || state.kind === 'stopped' || state.kind === 'crashed'
/** It ends when QEMU does not do what it is told: its process is there. */
export const hasProcess = (state: MachineState): boolean => isLive(state) || state.kind === 'unreachable'
