import { useEffect } from 'react'
import { createPortal } from 'react-dom'
import { Button, ConfirmDialog } from '#ui'
import { closeOverlay, shell, useMachines, useOverlay } from '../../app'
import { endTour, nextStep, startTour, useTour } from './play'
import { steps } from './steps'
import styles from './tour.module.css'

let begun = false

/** The tour's captions over the window, and the question before it. Mounted once. */
export function Tour() {
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
          <p>It creates two small machines, boots them and shows what can be seen of them. At its end they are deleted. Your own machines are left alone.</p>
        </ConfirmDialog>
      )}
      {state.kind !== 'off' && createPortal(<Caption />, document.body)}
    </>
  )
}

function Caption() {
  const state = useTour((tour) => tour.state)
  const step = state.kind === 'playing' ? steps[state.index] : undefined
  return (
    <aside className={styles.caption} role="status" aria-label="Guided tour" data-tour>
      <div>
        <h2>{step?.title ?? 'The tour ends'}</h2>
        <p>{step?.text ?? 'Its machines are being deleted.'}</p>
      </div>
      {state.kind === 'playing' && (
        <div className={styles.controls}>
          <span>
            {state.index + 1} of {steps.length}
          </span>
          {!state.byItself && (
            <>
              <Button size="small" variant="quiet" onClick={endTour}>
                End the tour
              </Button>
              <Button size="small" variant="primary" busy={!state.ready} onClick={nextStep}>
                {state.index + 1 < steps.length ? 'Next' : 'Finish'}
              </Button>
            </>
          )}
        </div>
      )}
    </aside>
  )
}
