import { create } from 'zustand'
import type { Settings } from '#contract'
import { allMachines, attempt, closeOverlay, shell, toast, useSettings } from '../../app'
import { leftovers, removeTourMachines, stopRing, TOUR_NAMES, type TourMachines } from './machines'
import { steps, type Step } from './steps'

type TourState =
  | { kind: 'off' }
  /** `ready`: the step has been carried out, and waits for Next. */
  | { kind: 'playing'; index: number; ready: boolean; byItself: boolean }
  /** Whether its machines stay. */
  | { kind: 'asking' }
  | { kind: 'ending' }

export const useTour = create<{ state: TourState }>(() => ({ state: { kind: 'off' } }))

let onNext: (() => void) | null = null
let ended = false

export const nextStep = (): void => onNext?.()
export function endTour(): void {
  ended = true
  onNext?.()
}

/** The answer to what becomes of the tour's machines. */
let onAnswer: ((keep: boolean) => void) | null = null
export const answerTour = (keep: boolean): void => onAnswer?.(keep)

/**
 * Plays the tour to its end, or until the user ends it. Its machines are then taken away; a user is asked first.
 * @param byItself without a person: a picture of every step in both themes, and the app is told at the end
 */
export async function startTour(byItself: boolean): Promise<void> {
  if (useTour.getState().state.kind !== 'off') return
  const old = leftovers()
  const taken = allMachines().find((machine) => (TOUR_NAMES as readonly string[]).includes(machine.name) && !old.includes(machine.id))
  if (taken) return void toast(`The tour makes a machine “${taken.name}”, and there is one. Rename it first.`)
  ended = false
  const theme = useSettings.getState().settings?.theme ?? 'system'
  const machines: TourMachines = { first: '', second: '', ringLoad: null, snapshot: null }
  let problem: string | null = null
  try {
    await removeTourMachines(old, false)
    await playSteps(machines, byItself)
  } catch (thrown) {
    problem = thrown instanceof Error ? thrown.message : String(thrown)
  }
  try {
    await putAway(machines, byItself)
    if (byItself) await setTheme(theme)
  } catch (thrown) {
    problem ??= thrown instanceof Error ? thrown.message : String(thrown)
  }
  useTour.setState({ state: { kind: 'off' } })
  if (problem !== null) toast('The tour could not go on.', { tone: 'error', note: problem, lifeMs: null })
  await shell().tourEnded(problem)
}

async function playSteps(machines: TourMachines, byItself: boolean): Promise<void> {
  for (const [index, step] of steps.entries()) {
    useTour.setState({ state: { kind: 'playing', index, ready: false, byItself } })
    await step.act(machines)
    useTour.setState({ state: { kind: 'playing', index, ready: true, byItself } })
    if (byItself) await takePictures(step)
    else if (!ended) await new Promise<void>((resolve) => (onNext = resolve))
    onNext = null
    if (ended) return
  }
}

/** Takes the tour's machines away, or leaves them to the user who wants to go on with them. */
async function putAway(tour: TourMachines, byItself: boolean): Promise<void> {
  const { first, second } = tour
  await stopRing(tour)
  const made = [first, second].filter((id) => id !== '')
  if (made.length > 0 && !byItself) {
    closeOverlay()
    useTour.setState({ state: { kind: 'asking' } })
    const keep = await new Promise<boolean>((resolve) => (onAnswer = resolve))
    onAnswer = null
    if (keep) return
  }
  useTour.setState({ state: { kind: 'ending' } })
  await removeTourMachines(made, true)
}

async function takePictures(step: Step): Promise<void> {
  await pause(step.settleMs ?? 300)
  for (const theme of ['light', 'dark'] as const) {
    await setTheme(theme)
    await pause(250) // charts and terminals take up the new colours with their next frame
    await shell().saveShot(`${step.label}-${theme}`)
  }
}

const setTheme = async (theme: Settings['theme']): Promise<void> => void (await attempt('settings.edit', { theme }))
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
