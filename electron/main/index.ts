import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { app, Menu, protocol, session } from 'electron'
import { operations, type Event } from '#contract'
import { channels } from '#contract/channels'
import type { Core } from '#core/core'
import { libraryPaths, libraryRoot, runtimeRoot } from '#core/library/paths'
import { readFlags, type Flags } from './flags'
import { bindIpc, forwardEvents } from './ipc'
import { linkCore, type Link } from './link'
import { openLog, type Log } from './log'
import { buildMenu } from './menu'
import { openOrJoin, type Opened } from './open'
import { SCHEME } from './origin'
import { serveBundle } from './protocol'
import { guardQuit } from './quit'
import { createShell } from './shell'
import { openWindow, type AppWindow } from './window'

/**
 * The app starts here. The order is for speed: the window is created and loads its page first; the core opens meanwhile, and
 * calls that come before it is open wait for it (link.ts).
 */
const library = libraryRoot(process.env)
if (!app.commandLine.hasSwitch('user-data-dir')) {
  // One profile a library: so there is one window a library, and each remembers its own place.
  app.setPath('userData', path.join(app.getPath('appData'), 'strata', path.basename(runtimeRoot(process.env, library))))
}
protocol.registerSchemesAsPrivileged([
  { scheme: SCHEME, privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true } }
])

if (app.requestSingleInstanceLock()) void main(readFlags(process.argv), openLog(libraryPaths(library).logs))
else app.exit(0) // The window that is already open comes to the front.

async function main(flags: Flags, log: Log): Promise<void> {
  catchBugs(log)
  await app.whenReady()
  protocol.handle(SCHEME, serveBundle(path.join(__dirname, '../renderer')))
  refusePermissions()
  const facts = { version: app.getVersion(), electron: process.versions.electron, playTour: flags.tour, still: flags.still }
  const window = openWindow({ stateFile: path.join(app.getPath('userData'), 'window.json'), facts, log })
  const send = (command: string): void => window.browser.webContents.send(channels.command, command)
  Menu.setApplicationMenu(buildMenu(send, () => app.quit(), { developer: !app.isPackaged }))
  app.on('second-instance', (_event, argv) => {
    window.focus()
    if (readFlags(argv).tour) send('help.tour')
  })

  let opened: Opened | null = null
  const link: Link = linkCore(async () => {
    opened = await openOrJoin({ environment: process.env, builtinGuest: builtinGuest(), version: facts.version, log, onLost: (core) => void takeOver(core) })
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
  followTheme(link, window)
  log.info(`Strata ${facts.version}, Electron ${facts.electron}, library ${library}`)
}

/**
 * After another owner: an event of the new one makes the window read everything again. The library may be in other hands for a
 * moment; then it is tried again until the window has an owner, or is gone.
 */
async function announceOwner(link: Link, { browser }: AppWindow): Promise<void> {
  for (;;) {
    const answered = await link.call('host.show', {})
    if (browser.isDestroyed()) return
    if (answered.ok && link.core) {
      const host = operations['host.show'].result.parse(answered.value)
      return browser.webContents.send(channels.event, { owner: link.core.owner, sequence: 0, kind: 'host-changed', host } satisfies Event)
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
  void link.call('settings.show', {}).then((answered) => {
    if (answered.ok) window.applyTheme(operations['settings.show'].result.parse(answered.value).theme)
  })
}

/** The page needs none: no camera, no notifications, no clipboard behind the user's back. */
function refusePermissions(): void {
  session.defaultSession.setPermissionRequestHandler((_page, _permission, decide) => decide(false))
  session.defaultSession.setPermissionCheckHandler(() => false)
  session.defaultSession.setDevicePermissionHandler(() => false)
}

/** An exception that nobody expected leaves the process in an unknown state: it is logged, and the app ends. Machines run on. */
function catchBugs(log: Log): void {
  process.on('uncaughtException', (thrown) => {
    log.error('a mistake in Strata', thrown)
    app.exit(1)
  })
  process.on('unhandledRejection', (thrown) => {
    log.error('a mistake in Strata', thrown)
    app.exit(1)
  })
}
