import RFB from '@novnc/novnc'
import { createStore, type StoreApi } from 'zustand'
import type { AppError } from '#contract'
import { openStream } from '../../app'
import { socketOver } from './channel'
import { keysFor, press, type Key } from './keys'

export interface DisplayView {
  connection: 'connecting' | 'live' | 'closed'
  error: AppError | null
  /** The guest has the keyboard. */
  grabbed: boolean
  /** Text that is being typed for the user: what is left of it. */
  typing: { left: number; total: number } | null
}

const RETRY_MS = 500
/**
 * Between keys that are typed for the user. Keys have no flow control: QEMU's PS/2 keyboard holds 16 bytes, four keys or so, and
 * what a guest that is busy does not fetch in time is lost (hw/input/ps2.c, PS2_QUEUE_SIZE).
 */
const KEY_PAUSE_MS = 30

/** The screen of a running machine in an element, for as long as it is shown; connects again when the connection is lost. */
export class DisplaySession {
  readonly store: StoreApi<DisplayView> = createStore<DisplayView>(() => ({ connection: 'connecting', error: null, grabbed: false, typing: null }))
  private rfb: RFB | null = null
  private retry: ReturnType<typeof setTimeout> | null = null
  private typingRun = 0
  /** Keys that are down in the guest, by their place. */
  private readonly held = new Map<string, string>()
  private closed = false
  private options = { scale: true, viewOnly: false }

  constructor(
    private readonly machineId: string,
    private readonly host: HTMLElement
  ) {
    host.addEventListener('focusin', this.onFocus)
    host.addEventListener('focusout', this.onFocus)
    host.addEventListener('focusout', this.releaseHeld)
    host.addEventListener('keydown', this.onKey, true)
    host.addEventListener('keyup', this.onKey, true)
    void this.connect()
  }

  /** @param scale fit the screen to the element; otherwise one pixel is one pixel, and one scrolls */
  set(options: { scale: boolean; viewOnly: boolean }): void {
    this.options = options
    this.apply()
  }

  focus(): void {
    this.rfb?.focus({ preventScroll: true })
  }
  blur(): void {
    this.rfb?.blur()
  }

  pressKeys(keys: readonly Key[]): void {
    press(keys, (key, down) => this.rfb?.sendKey(key.keysym, key.code, down))
    this.focus()
  }

  /** Types a text, as fast as a guest takes keys. Answers how many of its characters could not be typed. */
  async type(text: string): Promise<number> {
    const { presses, untypable } = keysFor(text)
    const run = ++this.typingRun
    this.focus()
    for (const [index, keys] of presses.entries()) {
      if (run !== this.typingRun || !this.rfb) break
      this.store.setState({ typing: { left: presses.length - index, total: presses.length } })
      press(keys, (key, down) => this.rfb?.sendKey(key.keysym, key.code, down))
      await new Promise((resolve) => setTimeout(resolve, KEY_PAUSE_MS))
    }
    if (run === this.typingRun) this.store.setState({ typing: null })
    return untypable
  }
  stopTyping(): void {
    this.typingRun++
    this.store.setState({ typing: null })
  }

  close(): void {
    this.closed = true
    this.stopTyping()
    if (this.retry) clearTimeout(this.retry)
    this.host.removeEventListener('focusin', this.onFocus)
    this.host.removeEventListener('focusout', this.onFocus)
    this.host.removeEventListener('focusout', this.releaseHeld)
    this.host.removeEventListener('keydown', this.onKey, true)
    this.host.removeEventListener('keyup', this.onKey, true)
    this.rfb?.disconnect()
    this.rfb = null
  }

  private readonly onFocus = (): void => this.store.setState({ grabbed: this.host.contains(document.activeElement) })

  private readonly onKey = ({ type, code, key }: KeyboardEvent): void => {
    if (type === 'keydown') this.held.set(code, key)
    else this.held.delete(code)
  }
  /** Who gives the keyboard back lets go of the last keys elsewhere: without this they would stay down in the guest. */
  private readonly releaseHeld = (): void => {
    const canvas = this.host.querySelector('canvas')
    for (const [code, key] of [...this.held]) canvas?.dispatchEvent(new KeyboardEvent('keyup', { code, key, bubbles: true }))
  }

  private async connect(): Promise<void> {
    const opened = await openStream('display', { machine: this.machineId })
    if (this.closed) return opened.ok ? opened.value.close() : undefined
    if (!opened.ok) return this.lost(opened.error)
    let reason: string | null = null
    const socket = socketOver(opened.value, (error) => (reason = error))
    const hadFocus = this.store.getState().grabbed
    const rfb = new RFB(this.host, socket, { shared: true })
    this.rfb = rfb
    rfb.background = 'transparent'
    rfb.showDotCursor = true
    // Both ends are this computer: pictures are not squeezed.
    rfb.qualityLevel = 9
    rfb.compressionLevel = 0
    this.apply()
    rfb.addEventListener('connect', () => {
      this.store.setState({ connection: 'live', error: null })
      if (hadFocus) this.focus()
    })
    rfb.addEventListener('disconnect', () => {
      if (this.rfb === rfb) this.rfb = null
      if (!this.closed) this.lost(reason === null ? null : { code: 'connection-lost', peer: 'display', message: reason, causes: [] })
    })
    socket.begin()
  }

  private lost(error: AppError | null): void {
    this.store.setState({ connection: 'closed', error })
    this.retry = setTimeout(() => void this.connect(), RETRY_MS)
  }

  private apply(): void {
    if (!this.rfb) return
    this.rfb.scaleViewport = this.options.scale
    this.rfb.clipViewport = false
    this.rfb.viewOnly = this.options.viewOnly
  }
}
