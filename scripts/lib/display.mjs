import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { ended, endWithUs, onExit, StepError } from './run.mjs'

const STARTS_WITHIN_MS = 15_000

export const hasDisplay = (env = process.env) => Boolean(env.DISPLAY || env.WAYLAND_DISPLAY)
export const canStartDisplay = () => (process.env.PATH ?? '').split(':').some((folder) => existsSync(path.join(folder, 'Xvfb')))

/**
 * Starts Xvfb on a free display that only we may use.
 * @returns {Promise<{ env: Record<string, string>, name: string, stop: () => Promise<void> }>} `env`: what a program needs to
 *   show itself there
 */
export async function startDisplay({ width = 1440, height = 900 } = {}) {
  const folder = mkdtempSync(path.join(tmpdir(), 'strata-display-'))
  const removeFolder = () => rmSync(folder, { recursive: true, force: true })
  const forgetFolder = onExit(removeFolder)
  const authority = path.join(folder, 'Xauthority')
  writeFileSync(authority, authorityFile(randomBytes(16)), { mode: 0o600 })
  const args = ['-displayfd', '3', '-screen', '0', `${width}x${height}x24`, '-nolisten', 'tcp', '-noreset', '-auth', authority]
  // The kernel ends it with us even when we are killed.
  const xvfb = spawn('setpriv', ['--pdeathsig', 'TERM', 'Xvfb', ...args], { stdio: ['ignore', 'ignore', 'pipe', 'pipe'] })
  const forgetChild = endWithUs(xvfb)
  const end = ended(xvfb)
  const stop = async () => {
    xvfb.kill('SIGTERM')
    await end.catch(() => {})
    forgetChild()
    removeFolder()
    forgetFolder()
  }
  try {
    const name = `:${await displayNumber(xvfb, end)}`
    return { name, stop, env: { DISPLAY: name, XAUTHORITY: authority } }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Xvfb writes the number that it found free, once it is ready. */
function displayNumber(xvfb, end) {
  const words = []
  xvfb.stderr.on('data', (data) => words.push(...String(data).trim().split('\n')))
  const failed = (what) =>
    new StepError(`Xvfb ${what}.`, { output: words.slice(-10), next: 'A display of its own needs the packages xvfb and util-linux.' })
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(failed(`was not ready after ${STARTS_WITHIN_MS / 1000} s`)), STARTS_WITHIN_MS)
    xvfb.stdio[3].once('data', (data) => {
      clearTimeout(timer)
      resolve(String(data).trim())
    })
    end.then(({ code }) => reject(failed(`ended with code ${code}`)), reject).finally(() => clearTimeout(timer))
  })
}

/**
 * One entry of an Xauthority file, for any display: family "wild", no address, no number, the method, the secret. Every part
 * has its length before it.
 */
function authorityFile(secret) {
  const part = (data) => Buffer.concat([Buffer.from([data.length >> 8, data.length & 0xff]), data])
  return Buffer.concat([
    Buffer.from([0xff, 0xff]),
    part(Buffer.alloc(0)),
    part(Buffer.alloc(0)),
    part(Buffer.from('MIT-MAGIC-COOKIE-1')),
    part(secret)
  ])
}
