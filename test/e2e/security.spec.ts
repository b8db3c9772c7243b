import { expect, test } from '../support/e2e'

test('the page is an ordinary page: no Node, no Electron, and a bridge with the contract only', async ({ lab: { strata } }) => {
  const found = await strata.page.evaluate(() => ({
    node: ['require', 'process', 'module', 'Buffer', 'global', '__dirname'].filter((name) => name in globalThis),
    bridge: Object.keys(window.strata).sort(),
    shell: Object.keys(window.strata.shell).sort(),
    frozen: (() => {
      try {
        ;(window.strata as { call: unknown }).call = null
      } catch {
        return true
      }
      return typeof window.strata.call === 'function'
    })()
  }))
  expect(found).toEqual({
    node: [],
    bridge: ['call', 'onEvent', 'openStream', 'shell'],
    shell: ['chooseFile', 'chooseSaveFile', 'facts', 'onCommand', 'pathOf', 'readClipboard', 'saveShot', 'setFullScreen', 'tourEnded', 'writeClipboard'],
    frozen: true
  })
  const preferences = await strata.app.evaluate(({ BrowserWindow }) => {
    const page = BrowserWindow.getAllWindows()[0]!.webContents as unknown as { getLastWebPreferences(): Record<string, unknown> }
    const { sandbox, contextIsolation, nodeIntegration, webviewTag, webSecurity } = page.getLastWebPreferences()
    return { sandbox, contextIsolation, nodeIntegration, webviewTag, webSecurity }
  })
  expect(preferences).toEqual({ sandbox: true, contextIsolation: true, nodeIntegration: false, webviewTag: false, webSecurity: true })
})

test('a content security policy is there and works', async ({ lab: { strata } }) => {
  const { page } = strata
  const header = await page.evaluate(async () => (await fetch('/index.html')).headers.get('content-security-policy'))
  expect(header).toContain("default-src 'none'")
  expect(header).toContain("script-src 'self'")
  const violations = await page.evaluate(async () => {
    const seen: string[] = []
    document.addEventListener('securitypolicyviolation', (event) => seen.push(event.effectiveDirective))
    const inline = document.createElement('script')
    inline.textContent = 'globalThis.inlineRan = true'
    document.head.append(inline)
    const frame = document.createElement('iframe')
    frame.src = 'https://example.org/'
    document.body.append(frame)
    await fetch('https://example.org/').catch(() => undefined)
    await new Promise((resolve) => setTimeout(resolve, 100))
    frame.remove()
    return { seen: [...new Set(seen)].sort(), ran: 'inlineRan' in globalThis }
  })
  expect(violations).toEqual({ seen: ['connect-src', 'frame-src', 'script-src-elem'], ran: false })
})

test('the window goes nowhere and opens nothing', async ({ launch }) => {
  const strata = await launch()
  const { page, app } = strata
  const opened = await page.evaluate(() => window.open('https://example.org/'))
  expect(opened).toBeNull()
  await page.evaluate(() => {
    const link = document.createElement('a')
    link.href = 'https://example.org/'
    document.body.append(link)
    link.click()
    link.remove()
  })
  await page.evaluate(() => void (location.href = 'file:///etc/passwd'))
  await expect.poll(() => strata.log()).toContain('refused to go to https://example.org/')
  expect(page.url()).toBe('app://bundle/index.html')
  expect(await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length)).toBe(1)
})

test('permissions are refused', async ({ lab: { strata } }) => {
  const refused = await strata.page.evaluate(async () => {
    const media = await navigator.mediaDevices.getUserMedia({ audio: true }).then(
      () => 'given',
      () => 'refused'
    )
    const notifications = await Notification.requestPermission()
    const clipboard = await navigator.clipboard.readText().then(
      () => 'given',
      () => 'refused'
    )
    return { media, notifications, clipboard }
  })
  expect(refused).toEqual({ media: 'refused', notifications: 'denied', clipboard: 'refused' })
})

test('calls from any other page are refused, and logged', async ({ lab: { strata } }) => {
  // Another window with our own preload script, on a page that is not ours.
  const answer = await strata.app.evaluate(async ({ BrowserWindow, app }) => {
    const foreign = new BrowserWindow({
      show: false,
      webPreferences: {
        preload: `${app.getAppPath()}/out/preload/index.cjs`,
        sandbox: true,
        additionalArguments: ['--strata-facts=%7B%7D']
      }
    })
    await foreign.loadURL('data:text/html,<p>foreign')
    const answered: unknown = await foreign.webContents.executeJavaScript(`window.strata.call('machine.list', {}).then(() => 'answered', (error) => error.message)`)
    const clipboard: unknown = await foreign.webContents.executeJavaScript(`window.strata.shell.readClipboard().then(() => 'answered', (error) => error.message)`)
    foreign.destroy()
    return [answered, clipboard]
  })
  expect(answer).toEqual([expect.stringContaining('refused'), expect.stringContaining('refused')])
  expect(strata.log()).toContain('refused strata:call from null')
})

test('input that no window would send is refused by its schema', async ({ lab: { strata } }) => {
  const answers = await strata.page.evaluate(async () => {
    const call = window.strata.call as (...given: unknown[]) => Promise<{ ok: boolean; error?: { code: string } }>
    const open = window.strata.openStream as (...given: unknown[]) => Promise<{ ok: boolean; error?: { code: string } }>
    const shell = window.strata.shell as unknown as Record<string, (...given: unknown[]) => Promise<unknown>>
    const code = (answered: { ok: boolean; error?: { code: string } }): string => (answered.ok ? 'ok' : (answered.error?.code ?? ''))
    const refused = (promise: Promise<unknown>): Promise<string> =>
      promise.then(
        () => 'done',
        (error: Error) => (error.message.includes('bad input') ? 'bad input' : error.message)
      )
    return {
      unknown: code(await call('machine.format-everything', {})),
      prototype: code(await call('__proto__', {})),
      number: code(await call('machine.show', { machine: 7 })),
      nothing: code(await call('machine.show', null)),
      missing: code(await call('machine.show', {})),
      stream: code(await open('everything', {})),
      streamInput: code(await open('console', { machine: 'lab1', fromByte: -1 })),
      path: await refused(shell.saveShot!('../../outside')),
      object: await refused(shell.writeClipboard!({ toString: 'no' }))
    }
  })
  expect(answers).toEqual({
    ...{ unknown: 'unknown-operation', prototype: 'unknown-operation', number: 'bad-input', nothing: 'bad-input', missing: 'bad-input' },
    ...{ stream: 'unknown-operation', streamInput: 'bad-input', path: 'bad input', object: 'bad input' }
  })
})

test('nothing outside the bundle is served', async ({ lab: { strata } }) => {
  const outcomes = await strata.page.evaluate(() =>
    Promise.all(
      ['/index.html', '/../package.json', '/..%2f..%2fpackage.json', '/%2e%2e/main/index.js', '/nothing.js'].map((path) =>
        fetch(path).then(
          (response) => response.status,
          () => 'nothing'
        )
      )
    )
  )
  expect(outcomes).toEqual([200, 'nothing', 'nothing', 'nothing', 'nothing'])
})
