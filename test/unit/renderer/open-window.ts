import { cleanup, configure, screen, within } from '@testing-library/react'
import { afterEach, vi } from 'vitest'
import { createBridgeDouble, type BridgeDouble, type DoubleOptions } from '../../support/bridge-double'

// What is waited for comes in milliseconds on a quiet computer; a busy one may take its time.
// An element that is not there yet is asked for again and again: to print the whole page each time takes longer than the test.
configure({ asyncUtilTimeout: 15_000, getElementError: (message) => new Error(message ?? 'not found') })
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

/**
 * The whole window in jsdom over the test double, as `main.tsx` starts it. Its modules are loaded anew each time: the stores of one
 * test are not those of another.
 */
export async function openWindow(options: DoubleOptions = {}): Promise<BridgeDouble> {
  stopWindow()
  vi.resetModules()
  localStorage.clear()
  document.body.innerHTML = '<div id="root"></div>'
  standInForLayout()
  const double = createBridgeDouble(options)
  const { startWindow } = await import('../../../renderer/app/start')
  stop = startWindow(double, document.getElementById('root')!)
  await screen.findByRole('contentinfo')
  return double
}

let stop: (() => void) | null = null
function stopWindow(): void {
  stop?.()
  stop = null
}
afterEach(async () => {
  stopWindow()
  cleanup()
  // Parts of the window that are still being fetched must be here before the runner ends: it takes them for errors else.
  await vi.dynamicImportSettled()
})

/** jsdom lays nothing out: every element is as high as a list, and nothing is observed. */
function standInForLayout(): void {
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: false })
  for (const name of ['offsetHeight', 'clientHeight', 'offsetWidth', 'clientWidth'] as const) {
    Object.defineProperty(HTMLElement.prototype, name, { configurable: true, get: () => 720 })
  }
  globalThis.ResizeObserver ??= class {
    observe(): void {}
    unobserve(): void {}
    disconnect(): void {}
  }
  globalThis.IntersectionObserver ??= class {
    constructor(private readonly told: (entries: { isIntersecting: boolean }[]) => void) {}
    observe(): void {
      this.told([{ isIntersecting: true }])
    }
    disconnect(): void {}
  } as unknown as typeof IntersectionObserver
  const nothing = (): undefined => undefined
  const noMedia = { matches: false, addEventListener: nothing, removeEventListener: nothing, addListener: nothing, removeListener: nothing }
  Object.assign(window, { matchMedia: () => noMedia })
  globalThis.requestIdleCallback ??= (work) => window.setTimeout(work, 0, { didTimeout: false, timeRemaining: () => 50 })
  Object.assign(Element.prototype, { scrollIntoView: nothing, scrollTo: nothing, hasPointerCapture: () => false })
  // No WebGL, as on a computer without it: xterm.js then draws into elements.
  Object.assign(HTMLCanvasElement.prototype, { getContext: (kind: string) => (kind === '2d' ? blankContext : null) })
  globalThis.Path2D ??= class {
    constructor() {
      return blankContext
    }
  } as unknown as typeof Path2D
}

/** A drawing context that takes every stroke and draws nothing. */
const drawn: Record<string | symbol, unknown> = {
  fillStyle: '#000000',
  measureText: () => ({ width: 8 }),
  getImageData: () => ({ data: new Uint8ClampedArray(4) }),
  [Symbol.toPrimitive]: () => ''
}
const blankContext: object = new Proxy({}, { get: (_target, name) => drawn[name] ?? (() => blankContext), set: () => true })

/** A row of the list of machines, by the machine's name. */
export const row = (name: string): HTMLElement => screen.getByRole('option', { name: new RegExp(`^${name},`) })
export const findRow = (name: string): Promise<HTMLElement> => screen.findByRole('option', { name: new RegExp(`^${name},`) })
export const list = (): HTMLElement => screen.getByRole('listbox', { name: 'Machines' })
export const rowNames = (): string[] =>
  within(list())
    .queryAllByRole('option')
    .map((option) => option.querySelector('[dir=auto]')?.textContent ?? '')
export const selectedNames = (): string[] =>
  within(list())
    .queryAllByRole('option', { selected: true })
    .map((option) => option.querySelector('[dir=auto]')?.textContent ?? '')
