import path from 'node:path'
import { BrowserWindow, dialog, nativeTheme, screen, type WebContents } from 'electron'
import { factsArgument } from '#contract/channels'
import type { Settings, ShellFacts } from '#contract'
import type { Log } from './log'
import { PAGE } from './origin'
import { MINIMUM, placeWindow, readWindowState, writeWindowState, type WindowState } from './window-state'

/** The colours behind the page until its first paint: the tokens' `--surface` in both themes, so that nothing flashes. */
const BACKGROUND = { light: '#f7f7f5', dark: '#16181c' }

export interface AppWindow {
  readonly browser: BrowserWindow
  /** Applies the setting `theme` to the window, and remembers it for the next start. */
  applyTheme(theme: Settings['theme']): void
  focus(): void
}

/** Opens the window and starts loading the page. It is shown with its first paint, where and as large as it was left. */
export function openWindow(options: { stateFile: string; facts: ShellFacts; log: Log }): AppWindow {
  const { stateFile, log } = options
  const state = readWindowState(stateFile)
  nativeTheme.themeSource = state.theme
  const browser = new BrowserWindow({
    ...placeWindow(state.area, screen.getAllDisplays().map((display) => display.workArea)),
    minWidth: MINIMUM.width,
    minHeight: MINIMUM.height,
    title: 'Strata',
    show: false,
    autoHideMenuBar: true,
    backgroundColor: nativeTheme.shouldUseDarkColors ? BACKGROUND.dark : BACKGROUND.light,
    webPreferences: {
      preload: path.join(__dirname, '../preload/index.cjs'),
      additionalArguments: [factsArgument(options.facts)],
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      webviewTag: false,
      // It would fetch dictionaries from the internet.
      spellcheck: false,
      // A console that is written to behind other windows goes on using what it is sent.
      backgroundThrottling: false
    }
  })
  if (state.maximised) browser.maximize()
  browser.once('ready-to-show', () => browser.show())
  const remember = rememberState(browser, state, stateFile, log)
  askOnCrash(browser, log)
  confine(browser.webContents, log)
  void browser.loadURL(PAGE).catch((error: unknown) => failedToLoad(log, error))
  return {
    browser,
    applyTheme: (theme) => {
      nativeTheme.themeSource = theme
      remember({ theme })
    },
    focus: () => {
      if (browser.isMinimized()) browser.restore()
      browser.show()
      browser.focus()
    }
  }
}

function failedToLoad(log: Log, error: unknown): void {
  log.error('the page cannot be loaded', error)
  dialog.showErrorBox('Strata cannot show its window', `Its own files cannot be read: the installation is incomplete.\n\n${String(error)}`)
}

/** Keeps the state file up to date. Answers a function that changes what is remembered beside the window's place. */
function rememberState(browser: BrowserWindow, initial: WindowState, file: string, log: Log): (change: Partial<WindowState>) => void {
  let state = initial
  let timer: NodeJS.Timeout | null = null
  const save = (): void => {
    timer = null
    try {
      writeWindowState(file, state)
    } catch (error) {
      log.warn(`the window's place cannot be remembered: ${String(error)}`)
    }
  }
  const look = (): void => {
    if (browser.isDestroyed() || browser.isFullScreen() || browser.isMinimized()) return
    state = { ...state, area: browser.getNormalBounds(), maximised: browser.isMaximized() }
    timer ??= setTimeout(save, 500)
  }
  browser.on('resize', look)
  browser.on('move', look)
  browser.on('maximize', look)
  browser.on('unmaximize', look)
  browser.on('close', () => {
    if (timer) clearTimeout(timer)
    save()
  })
  return (change) => {
    if (Object.entries(change).every(([key, value]) => state[key as keyof WindowState] === value)) return
    state = { ...state, ...change }
    save()
  }
}

/** A page that died or hangs takes no machine with it: the user may load it again and go on. */
function askOnCrash(browser: BrowserWindow, log: Log): void {
  browser.webContents.on('render-process-gone', (_event, details) => {
    if (details.reason === 'clean-exit') return
    log.error(`the page ended: ${details.reason}, exit code ${details.exitCode}`)
    void ask(browser, 'The window stopped working.', 'Your machines and tasks go on. Load the window again to see them.', ['Load again', 'Quit'])
  })
  let asking = false
  browser.on('unresponsive', () => {
    if (asking) return
    asking = true
    log.warn('the page does not answer')
    void ask(browser, 'The window does not answer.', 'Your machines and tasks go on. You can wait, or load the window again.', ['Load again', 'Wait']).then(
      () => (asking = false)
    )
  })
}

async function ask(browser: BrowserWindow, message: string, detail: string, buttons: ['Load again', 'Quit' | 'Wait']): Promise<void> {
  const { response } = await dialog.showMessageBox(browser, { type: 'error', message, detail, buttons, defaultId: 0, cancelId: 1, noLink: true })
  if (browser.isDestroyed()) return
  if (response === 0) browser.webContents.reload()
  else if (buttons[1] === 'Quit') browser.close()
}

/** The page stays the page: nothing else is loaded, opened or embedded. */
export function confine(page: WebContents, log: Log): void {
  page.setWindowOpenHandler(({ url }) => {
    log.warn(`refused to open ${url}`)
    return { action: 'deny' }
  })
  page.on('will-frame-navigate', (event) => {
    // Loading the same page again is how a window recovers.
    if (event.isMainFrame && event.url === PAGE) return
    event.preventDefault()
    log.warn(`refused to go to ${event.url}`)
  })
  page.on('will-redirect', (event) => event.preventDefault())
  page.on('will-attach-webview', (event) => event.preventDefault())
}
