import { useCallback, useEffect, useRef, useState } from 'react'
import { Camera, ClipboardPaste, Keyboard, Maximize2, Minimize2, Scaling } from 'lucide-react'
import { createStore, useStore, type StoreApi } from 'zustand'
import type { Machine } from '#contract'
import { Button, cx, formatCount, IconButton, Kbd, Menu } from '#ui'
import { attempt, createPersisted, shell, toast } from '../../app'
import { focusOpenTab, onKeyboardRelease, PausedBanner, RELEASE_KEYS, usedPointer } from '../console'
import { useFullScreen } from './full-screen'
import { combinations } from './keys'
import { DisplaySession, type DisplayView } from './session'
import styles from './display.module.css'

const IDLE: StoreApi<DisplayView> = createStore<DisplayView>(() => ({ connection: 'connecting', error: null, grabbed: false, typing: null }))

/** The screen of a machine that runs. Mounted anew for each QEMU process. */
export function Screen({ machine }: { machine: Machine }) {
  const paused = machine.state.kind === 'paused'
  const scale = useFit(({ fit }) => fit)
  const [fullScreen, setFullScreen] = useFullScreen()
  const { session, host } = useSession(machine.id, { scale, viewOnly: paused })
  const { connection, error, grabbed, typing } = useStore(session?.store ?? IDLE)

  const typeClipboard = async (): Promise<void> => {
    const missed = (await session?.type(await shell().readClipboard())) ?? 0
    if (missed > 0) toast('Not everything was typed.', { note: `${formatCount(missed, 'character')} are on no key of a US keyboard.` })
  }
  const blocked = paused ? 'The machine is paused.' : connection === 'live' ? null : 'The display is not connected.'

  return (
    <div className={cx(styles.display, fullScreen && styles.full)} data-grabbed={grabbed || undefined}>
      {!fullScreen && <PausedBanner machine={machine} />}
      <div className={styles.bar}>
        <KeyboardState machine={machine} grabbed={grabbed && !paused} paused={paused} />
        {typing && (
          <Button size="small" variant="quiet" onClick={() => session?.stopTyping()}>
            {`Stop typing, ${typing.left} left`}
          </Button>
        )}
        <Menu
          trigger={<IconButton size="small" icon={Keyboard} label="Send keys" blocked={blocked} />}
          items={combinations.map(({ id, label, keys }) => ({ id, label, onSelect: () => session?.pressKeys(keys) }))}
        />
        <IconButton size="small" icon={ClipboardPaste} label="Type what is on the clipboard" blocked={blocked} onClick={() => void typeClipboard()} />
        <IconButton size="small" icon={Camera} label="Save a picture of the screen…" onClick={() => void saveScreenshot(machine)} />
        <IconButton size="small" icon={Scaling} label="Fit to the window" aria-pressed={scale} onClick={() => useFit.setState({ fit: !scale })} />
        <IconButton size="small" icon={fullScreen ? Minimize2 : Maximize2} label={fullScreen ? 'Leave full screen' : 'Full screen'} keys="F11" onClick={() => setFullScreen(!fullScreen)} />
      </div>
      <div className={styles.stage} data-scale={scale ? 'fit' : 'one'}>
        <div ref={host} className={styles.screen} data-guest-keyboard data-testid="display" data-connection={connection} />
        {connection !== 'live' && (
          <p className={styles.cover} role="status">
            {error ? `${error.message} Trying again.` : 'Connecting to the display'}
          </p>
        )}
      </div>
    </div>
  )
}

/** Who has the keyboard is always in sight, in words. */
function KeyboardState({ machine, grabbed, paused }: { machine: Machine; grabbed: boolean; paused: boolean }) {
  return (
    <span className={styles.keyboard} role="status">
      {grabbed ? (
        <>
          <b>Keyboard: {machine.name}</b>
          <span className={styles.hint}>
            <Kbd keys={RELEASE_KEYS} /> gives it back
          </span>
        </>
      ) : (
        <span className={styles.hint}>{paused ? 'It takes no keys while it is paused.' : 'Click the screen to type into it.'}</span>
      )}
    </span>
  )
}

/** Fit the screen to the window, or one pixel to one pixel. */
const useFit = createPersisted<{ fit: boolean }>('display', { fit: true }, ({ fit }) => typeof fit === 'boolean')

/** A session for as long as the element is there. */
function useSession(machineId: string, options: { scale: boolean; viewOnly: boolean }): { session: DisplaySession | null; host: (element: HTMLDivElement | null) => (() => void) | undefined } {
  const [session, setSession] = useState<DisplaySession | null>(null)
  const stage = useRef(options)
  const { scale, viewOnly } = options
  useEffect(() => {
    stage.current = { scale, viewOnly }
    session?.set({ scale, viewOnly })
  }, [session, scale, viewOnly])
  const host = useCallback(
    (element: HTMLDivElement | null) => {
      if (!element) return undefined
      const takeKeyboard = usedPointer()
      const opened = new DisplaySession(machineId, element)
      opened.set(stage.current)
      setSession(opened)
      const stopFirst = opened.store.subscribe(({ connection }) => {
        if (connection !== 'live') return
        stopFirst()
        if (takeKeyboard && usedPointer()) opened.focus()
      })
      const stopRelease = onKeyboardRelease(element, () => {
        opened.blur()
        focusOpenTab()
      })
      return () => {
        stopFirst()
        stopRelease()
        opened.close()
        setSession(null)
      }
    },
    [machineId]
  )
  return { session, host }
}

async function saveScreenshot(machine: Machine): Promise<void> {
  const file = await shell().chooseSaveFile({ title: 'Save a picture of the screen', suggestedName: `${machine.name}.png` })
  if (file === null) return
  const taken = await attempt('machine.screenshot', { machine: machine.id, file })
  if (taken.ok) toast('The picture was saved.', { tone: 'good', note: file })
}
