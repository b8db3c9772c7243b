import { useEffect, useLayoutEffect } from 'react'
import { createPortal } from 'react-dom'
import { Button, ConfirmDialog } from '#ui'
import { closeOverlay, shell, useMachines, useOverlay } from '../../app'
import { answerTour, endTour, nextStep, startTour, useTour } from './play'
import { steps } from './steps'
import styles from './tour.module.css'

let begun = false

/** The tour's captions over the window, and the question before it. Mounted once. */
export function TourLayer() {
  const state = useTour((tour) => tour.state)
  const loaded = useMachines((machines) => machines.loaded)
  const asked = useOverlay((overlay) => overlay.overlay?.kind === 'tour-intro')
  useEffect(() => {
    if (!loaded || begun || !shell().facts.playTour) return
    begun = true
    void startTour(shell().facts.still)
  }, [loaded])
  return (
    <>
      {asked && (
        <ConfirmDialog
          title="Take the guided tour?"
          verb="Begin"
          onClose={closeOverlay}
          onConfirm={() => {
            closeOverlay()
            void startTour(false)
          }}
        >
          <p>
            It creates two small machines, boots them and shows what can be seen of them. At its end they are deleted. Your own machines are
            left alone.
          </p>
        </ConfirmDialog>
      )}
      {state.kind !== 'off' && createPortal(<Caption />, document.body)}
    </>
  )
}

const HEIGHT = '64px'

function Caption() {
  const state = useTour((tour) => tour.state)
  useLayoutEffect(() => {
    const { style } = document.documentElement
    style.setProperty('--tour-height', HEIGHT)
    return () => void style.removeProperty('--tour-height')
  }, [])
  const { title, text } = wordsOf(state)
  return (
    <aside className={styles.caption} role="status" aria-label="Guided tour" data-tour>
      <div>
        <h2>{title}</h2>
        <p>{text}</p>
      </div>
      <div className={styles.controls}>
        {state.kind === 'playing' && <PlayingControls index={state.index} ready={state.ready} byItself={state.byItself} />}
        {state.kind === 'asking' && (
          <>
            <Button size="small" onClick={() => answerTour(true)}>
              Keep them
            </Button>
            <Button size="small" variant="primary" onClick={() => answerTour(false)}>
              Delete them
            </Button>
          </>
        )}
      </div>
    </aside>
  )
}

function wordsOf(state: ReturnType<typeof useTour.getState>['state']): { title: string; text: string } {
  if (state.kind === 'asking') return { title: 'That was the tour', text: 'Shall its two machines stay, to go on with?' }
  const step = state.kind === 'playing' ? steps[state.index] : undefined
  return step ?? { title: 'The tour ends', text: 'Its machines are being deleted.' }
}

function PlayingControls({ index, ready, byItself }: { index: number; ready: boolean; byItself: boolean }) {
  return (
    <>
      <span>
        {index + 1} of {steps.length}
      </span>
      {!byItself && (
        <>
          <Button size="small" variant="quiet" onClick={endTour}>
            End the tour
          </Button>
          <Button size="small" variant="primary" busy={!ready} onClick={nextStep}>
            {index + 1 < steps.length ? 'Next' : 'Finish'}
          </Button>
        </>
      )}
    </>
  )
}
