#!/usr/bin/env node
// npm start: makes the checkout ready, then opens the app. Without a display it plays the guided tour on one of its own.
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, rmdirSync, statSync } from 'node:fs'
import { inTop } from './lib/paths.mjs'
import { Report } from './lib/report.mjs'
import { ended, endWithUs, StepError } from './lib/run.mjs'
import { setUp } from './setup.mjs'

const ENDS_WITHIN_MS = 8000
const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }
const report = new Report()

/** What was started and has to end with us; the last one first. */
const running = []
let signalled = null
for (const signal of Object.keys(SIGNALS)) {
  process.on(signal, () => {
    // Twice means now. Our children are ended on exit.
    if (signalled) process.exit(SIGNALS[signal])
    signalled = signal
    if (running.length === 0) process.exit(SIGNALS[signal])
    for (const child of running) endGently(child)
  })
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof StepError)) throw error
  report.line('Strata could not be started.')
  report.failure(error)
  process.exitCode = 1
}
if (signalled) process.exitCode = SIGNALS[signalled]

async function main(given) {
  const { ready } = await setUp({ report })
  if (!ready) {
    report.line('Strata cannot be started until this is mended.')
    return 1
  }
  const { hasDisplay } = await import('./lib/display.mjs')
  return hasDisplay() ? openApp(given, {}) : playTour(given)
}

async function playTour(given) {
  const { startDisplay } = await import('./lib/display.mjs')
  const display = await startDisplay()
  report.line(`There is no display here: started Xvfb on ${display.name}. Playing the guided tour on it.`)
  try {
    // Where there is no desktop there is no D-Bus, and Chromium complains of it line by line: only what ends it is shown.
    const args = given.includes('--tour') ? given : [...given, '--tour']
    return await openApp([...args, '--log-level=3'], display.env)
  } finally {
    await display.stop()
    report.line(`Ended Xvfb on ${display.name}.`)
  }
}

async function openApp(given, env) {
  const args = [...given]
  const shots = args.includes('--tour') && !args.some((arg) => arg.startsWith('--tour-shots')) ? newShotsFolder() : null
  if (shots) args.push('--tour-shots', shots)
  if (!args.includes('--no-sandbox')) args.push(...sandboxArguments())
  const onlyWayland = process.env.WAYLAND_DISPLAY && !process.env.DISPLAY && !env.DISPLAY
  if (onlyWayland) args.push('--ozone-platform=wayland')
  if (process.env.STRATA_TIMING) report.line(`Opening the app ${Math.round(performance.now())} ms after npm start's process began.`)
  const app = spawn(inTop('node_modules/electron/dist/electron'), [inTop(), ...args], {
    cwd: process.cwd(),
    env: { ...process.env, ...env },
    stdio: 'inherit'
  })
  const forget = endWithUs(app)
  running.push(app)
  const { code, signal } = await ended(app)
  forget()
  if (shots) reportShots(shots)
  if (signal && !signalled) throw new StepError(`The app was ended by ${signal}.`)
  return code ?? 1
}

/** Chromium's sandbox needs user namespaces or a helper that is set-uid root; it says so in words that help nobody. */
function sandboxArguments() {
  if (process.getuid() === 0) {
    report.line('Running as root: Chromium refuses its sandbox then, so it is off. Better run Strata as an ordinary user.')
    return ['--no-sandbox']
  }
  const helper = inTop('node_modules/electron/dist/chrome-sandbox')
  const { uid, mode } = statSync(helper)
  const setUid = uid === 0 && Boolean(mode & 0o4000)
  if (setUid || spawnSync('unshare', ['--user', 'true'], { stdio: 'ignore' }).status === 0) return []
  throw new StepError("Chromium's sandbox cannot work here: this system keeps ordinary users from making user namespaces.", {
    next: `Type: sudo chown root ${helper} && sudo chmod 4755 ${helper}   Or, without that protection: npm start -- --no-sandbox`
  })
}

function reportShots(folder) {
  const count = readdirSync(folder).length
  if (count === 0) rmdirSync(folder)
  report.line(count === 0 ? 'The tour took no screenshots.' : `The tour's screenshots (${count}) are in ${folder}`)
}

function newShotsFolder() {
  const now = new Date().toISOString().slice(0, 19).replaceAll(':', '').replace('T', '-')
  const folder = inTop('shots', now)
  mkdirSync(folder, { recursive: true })
  return folder
}

/** Asks it to end; Ctrl+C in a terminal reaches it as well, and asking twice is harmless. */
function endGently(child) {
  child.kill('SIGTERM')
  setTimeout(() => child.kill('SIGKILL'), ENDS_WITHIN_MS).unref()
}
