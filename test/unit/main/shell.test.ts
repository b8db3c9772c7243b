import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { readFlags } from '../../../electron/main/flags'
import { openLog } from '../../../electron/main/log'
import { isOurs } from '../../../electron/main/origin'
import { fileOf, serveBundle } from '../../../electron/main/protocol'
import { shellInputs } from '../../../electron/main/shell-inputs'
import { placeWindow, readWindowState, writeWindowState } from '../../../electron/main/window-state'
import { factsArgument, factsFromArguments } from '../../../electron/contract/channels'

const folder = mkdtempSync(path.join(tmpdir(), 'strata-shell-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('flags', () => {
  it('are read among those of Chromium', () => {
    expect(readFlags(['electron', '--no-sandbox', '.', '--tour-shots', '/tmp/shots', '--inspect=0'])).toEqual({ tour: true, tourShots: '/tmp/shots', still: true })
    expect(readFlags(['electron', '.', '--tour'])).toEqual({ tour: true, tourShots: null, still: false })
    expect(readFlags(['strata', '--tour-shots=/a b'])).toEqual({ tour: true, tourShots: '/a b', still: true })
    expect(readFlags(['strata'])).toEqual({ tour: false, tourShots: null, still: false })
  })
  it('do not take another flag for a folder', () => {
    expect(readFlags(['strata', '--tour-shots', '--still']).tourShots).toBeNull()
  })
  it('reach the window as its facts, whatever is in them', () => {
    const facts = { version: '1 "é" --x=', electron: '33', playTour: true, still: false }
    expect(factsFromArguments(['a', factsArgument(facts)])).toEqual(facts)
  })
})

describe('the bundle protocol', () => {
  const root = path.join(folder, 'bundle')
  it('means files of the bundle only', () => {
    expect(fileOf('app://bundle/', root)?.file).toBe(path.join(root, 'index.html'))
    expect(fileOf('app://bundle/assets/a.js?x#y', root)).toEqual({ file: path.join(root, 'assets/a.js'), type: 'text/javascript; charset=utf-8' })
    for (const refused of [
      'app://other/index.html',
      'app://bundle/..%2f..%2fetc%2fpasswd.json',
      'app://bundle/%2e%2e/%2e%2e/x.js',
      'app://bundle/a%00.js',
      'app://bundle/%E0%A4%A.js',
      'app://bundle/secret.txt',
      'app://bundle/folder',
      'https://bundle/index.html'
    ]) {
      const found = fileOf(refused, root)
      expect(found === null || found.file.startsWith(root + path.sep), refused).toBe(true)
    }
    expect(fileOf('app://bundle/..%2f..%2fetc%2fpasswd.json', root)).toBeNull()
    expect(fileOf('app://other/index.html', root)).toBeNull()
    expect(fileOf('app://bundle/a%00.js', root)).toBeNull()
  })
  it('are sent with a content security policy, and nothing else is', () => {
    const answer = serveBundle(folder)
    const { path: sent, headers } = answer({ url: 'app://bundle/index.html', method: 'GET' })
    expect(sent).toBe(path.join(folder, 'index.html'))
    expect(headers?.['Content-Security-Policy']).toMatch(/^default-src 'none'; script-src 'self';/)
    expect(headers?.['Content-Security-Policy']).not.toContain('unsafe-eval')
    expect(answer({ url: 'app://bundle/index.html', method: 'POST' })).toEqual({ error: -6 })
    expect(answer({ url: 'app://other/index.html', method: 'GET' })).toEqual({ error: -6 })
  })
})

describe('senders', () => {
  it('are the main frame of our own page, and nobody else', () => {
    expect(isOurs({ origin: 'app://bundle', parent: null })).toBe(true)
    expect(isOurs({ origin: 'app://bundle', parent: {} })).toBe(false)
    expect(isOurs({ origin: 'https://bundle', parent: null })).toBe(false)
    expect(isOurs({ origin: 'null', parent: null })).toBe(false)
  })
})

describe('inputs of the shell', () => {
  it('are refused when they are not what they should be', () => {
    expect(shellInputs.writeClipboard.safeParse(['text']).success).toBe(true)
    expect(shellInputs.writeClipboard.safeParse([5]).success).toBe(false)
    expect(shellInputs.writeClipboard.safeParse(['text', 'more']).success).toBe(false)
    expect(shellInputs.chooseFile.safeParse([{ title: 't', extensions: ['iso'], properties: ['openDirectory'] }]).success).toBe(false)
    expect(shellInputs.chooseSaveFile.safeParse([{ title: 't', suggestedName: '../../.bashrc' }]).success).toBe(false)
    expect(shellInputs.saveShot.safeParse(['../shot']).success).toBe(false)
    expect(shellInputs.saveShot.safeParse(['console']).success).toBe(true)
  })
})

describe('the place of the window', () => {
  const laptop = { x: 0, y: 0, width: 1920, height: 1053 }
  const second = { x: 1920, y: 0, width: 2560, height: 1440 }
  it('is where it was left', () => {
    const area = { x: 2000, y: 100, width: 1200, height: 900 }
    expect(placeWindow(area, [laptop, second])).toEqual(area)
  })
  it('is the default when the display it was on is gone', () => {
    expect(placeWindow({ x: 2000, y: 100, width: 1200, height: 900 }, [laptop])).toEqual({ width: 1280, height: 800 })
    expect(placeWindow(null, [laptop])).toEqual({ width: 1280, height: 800 })
  })
  it('is moved and shrunk until it lies on its display', () => {
    expect(placeWindow({ x: -300, y: 400, width: 1400, height: 2000 }, [{ ...laptop, height: 2000 }])).toEqual({ x: 0, y: 0, width: 1400, height: 2000 })
    expect(placeWindow({ x: 100, y: 0, width: 2500, height: 1000 }, [laptop])).toEqual({ x: 0, y: 0, width: 1920, height: 1000 })
  })
  it('survives the file, and a damaged file costs nothing', () => {
    const file = path.join(folder, 'window.json')
    const state = { area: { x: 1, y: 2, width: 900, height: 700 }, maximised: true, theme: 'dark' as const }
    writeWindowState(file, state)
    expect(readWindowState(file)).toEqual(state)
    writeFileSync(file, '{"area": "everywhere"')
    expect(readWindowState(file)).toEqual({ area: null, maximised: false, theme: 'system' })
  })
})

describe('the log', () => {
  it('is rotated, keeps three older files and is readable by its owner only', () => {
    const logs = path.join(folder, 'logs')
    const log = openLog(logs)
    const line = 'x'.repeat(300_000)
    for (let written = 0; written < 30; written++) log.info(`${written} ${line}`)
    expect(readdirSync(logs).sort()).toEqual(['app.1.log', 'app.2.log', 'app.3.log', 'app.log'])
    expect(readFileSync(path.join(logs, 'app.log'), 'utf8')).toContain(' info 29 x')
    expect(statSync(path.join(logs, 'app.log')).mode & 0o777).toBe(0o600)
  })
})
