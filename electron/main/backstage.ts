import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { app, Menu } from 'electron'
import type { Event } from '#contract'
import { channels } from '#contract/channels'
import type { Core } from '#core/core'
import { ask } from './ask'
import { readFlags, type Flags } from './flags'
import { bindIpc, forwardEvents } from './ipc'
import { linkCore, type Link } from './link'
import type { Log } from './log'
import { buildMenu } from './menu'
import { openOrJoin, type Opened } from './open'
import { guardQuit } from './quit'
import { createShell } from './shell'
import type { AppWindow } from './window'

export interface Backstage {
  window: AppWindow
  flags: Flags
  log: Log
  version: string
}

/**
 * All that is behind the window: its IPC, its menu, and the core, which opens with the page's first call (link.ts), not sooner:
 * a page that starts waits for this thread, for its preload script and its way to the GPU, and would wait for the core with it.
 */
export function startBackstage({ window, flags, log, version }: Backstage): void {
  const send = (command: string): void => window.browser.webContents.send(channels.command, command)
  app.on('second-instance', (_event, argv) => {
    window.focus()
    if (readFlags(argv).tour) send('help.tour')
  })

  let opened: Opened | null = null
  const link: Link = linkCore(async () => {
    opened = await openOrJoin({ environment: process.env, builtinGuest: builtinGuest(), version, log, onLost: (core) => void takeOver(core) })
    log.info(`the library is open, as its ${opened.role}`)
    return opened.core
  })
  const takeOver = async (lost: Core): Promise<void> => {
    log.info('the owner of the library has ended')
    link.lose(lost)
    await announceOwner(link, window)
  }
  const leave = guardQuit(window.browser, link, { ownsTasks: () => opened?.role === 'owner', log })
  bindIpc(link, createShell(window.browser, flags, log, leave), log)
  forwardEvents(link, window.browser.webContents)
  Menu.setApplicationMenu(buildMenu(send, () => app.quit(), { developer: !app.isPackaged }))
  window.browser.webContents.once('dom-ready', () => followTheme(link, window))
}

/**
 * After another owner: an event of the new one makes the window read everything again. The library may be in other hands for a
 * moment; then it is tried again until the window has an owner, or is gone.
 */
async function announceOwner(link: Link, { browser }: AppWindow): Promise<void> {
  for (;;) {
    const host = await ask(link, 'host.show', {})
    if (browser.isDestroyed()) return
    if (host.ok && link.core) {
      return browser.webContents.send(channels.event, { owner: link.core.owner, sequence: 0, kind: 'host-changed', host: host.value } satisfies Event)
    }
    await delay(OWNER_RETRY_MS)
  }
}
const OWNER_RETRY_MS = 1000

/** Beside the bundle in a clone, among the resources in the packaged app. */
const builtinGuest = (): string => process.env.STRATA_GUEST ?? path.join(app.isPackaged ? process.resourcesPath : path.join(__dirname, '..'), 'guest')

/** The setting `theme` is also the system's side of the window: dialogs, menus, and `prefers-color-scheme`. */
function followTheme(link: Link, window: AppWindow): void {
  link.onEvent((event) => {
    if (event.kind === 'settings-changed') window.applyTheme(event.settings.theme)
  })
  void ask(link, 'settings.show', {}).then((settings) => {
    if (settings.ok) window.applyTheme(settings.value.theme)
  })
}
