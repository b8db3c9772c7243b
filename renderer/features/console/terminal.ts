import { FitAddon } from '@xterm/addon-fit'
import { WebglAddon } from '@xterm/addon-webgl'
import { Terminal, type ITerminalOptions } from '@xterm/xterm'
import '@xterm/xterm/css/xterm.css'
import { onThemeChange, terminalFont, terminalTheme, useTerminalLook } from './terminal-look'

/** A terminal that outlives the element it is shown in. */
export interface TerminalView {
  readonly terminal: Terminal
  /** Shows it in `host`, as large as that is. Answers the function that takes it out; what it holds is kept. */
  mount(host: HTMLElement): () => void
  dispose(): void
}

/** Makes a terminal in the window's look; it follows the theme and the font size. */
export function createTerminal(options: ITerminalOptions): TerminalView {
  const { fontSizePixels, screenReader } = useTerminalLook.getState()
  const terminal = new Terminal({
    theme: terminalTheme(),
    fontFamily: terminalFont(),
    fontSize: fontSizePixels,
    screenReaderMode: screenReader,
    minimumContrastRatio: 4.5,
    cursorBlink: !document.documentElement.hasAttribute('data-still'),
    macOptionIsMeta: true,
    allowProposedApi: true,
    ...options
  })
  const fit = new FitAddon()
  terminal.loadAddon(fit)
  const stopTheme = onThemeChange(() => (terminal.options.theme = terminalTheme()))
  const stopLook = useTerminalLook.subscribe((look) => {
    terminal.options.fontSize = look.fontSizePixels
    terminal.options.screenReaderMode = look.screenReader
    if (terminal.element?.isConnected) fit.fit()
  })
  return {
    terminal,
    mount: (host) => mountTerminal(terminal, fit, host),
    dispose: () => {
      stopTheme()
      stopLook()
      terminal.dispose()
    }
  }
}

function mountTerminal(terminal: Terminal, fit: FitAddon, host: HTMLElement): () => void {
  // open() works once; afterwards its element is moved.
  if (terminal.element) host.append(terminal.element)
  else terminal.open(host)
  const releaseGpu = drawWithGpu(terminal)
  fit.fit()
  terminal.refresh(0, terminal.rows - 1)
  let frame = 0
  const resize = new ResizeObserver(() => {
    cancelAnimationFrame(frame)
    frame = requestAnimationFrame(() => fit.fit())
  })
  resize.observe(host)
  return () => {
    cancelAnimationFrame(frame)
    resize.disconnect()
    releaseGpu()
    terminal.element?.remove()
  }
}

/**
 * Draws with WebGL while the terminal is shown, where a graphics processor does it: a page has few WebGL contexts, and one that the
 * processor emulates is slower than the DOM. When the context is lost (driver reset, too many), the DOM takes over.
 */
function drawWithGpu(terminal: Terminal): () => void {
  if (!hasGpu()) return () => undefined
  const addon = new WebglAddon()
  let loaded = true
  const release = (): void => {
    if (loaded) addon.dispose()
    loaded = false
  }
  addon.onContextLoss(release)
  terminal.loadAddon(addon)
  return release
}

let gpu: boolean | null = null
function hasGpu(): boolean {
  gpu ??= document.createElement('canvas').getContext('webgl2', { failIfMajorPerformanceCaveat: true }) !== null
  return gpu
}
