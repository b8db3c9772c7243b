import { execFile, execFileSync } from 'node:child_process'
import { promisify } from 'node:util'
import { chmodSync, chownSync, copyFileSync, mkdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '../support/e2e'
import { ELECTRON, Strata, TOP, type Home } from '../support/e2e-app'

/** `nobody`, as Debian numbers it. */
const NOBODY = 65534
const isRoot = process.getuid?.() === 0

/** From an empty library to a guest that answers, and out. */
async function smoke(strata: Strata): Promise<void> {
  await strata.page.getByRole('button', { name: 'Create and start your first machine' }).click()
  await expect(strata.terminal('console')).toContainText('root@', { timeout: 60_000 })
  await strata.typeLine('console', 'echo smoke-""test')
  await expect(strata.terminal('console')).toContainText('smoke-test')
}

test('works as an ordinary user with Chromium’s sandbox on', async ({ home, launch }) => {
  test.skip(!canSandbox(), 'this system keeps ordinary users from making user namespaces, and Electron’s helper is not set-uid root')
  const strata = await launch({ chromiumSandbox: true, ...(isRoot ? asNobody(home) : {}) })
  const [main, page] = await strata.app.evaluate(({ BrowserWindow }) => [process.pid, BrowserWindow.getAllWindows()[0]!.webContents.getOSProcessId()])
  // The page's process may make few system calls (2: filtered), and has a user namespace of its own.
  expect(readFileSync(`/proc/${page}/status`, 'utf8')).toMatch(/^Seccomp:\s+2$/m)
  expect(readlinkSync(`/proc/${page}/ns/user`)).not.toBe(readlinkSync(`/proc/${main}/ns/user`))
  expect(readFileSync(`/proc/${main}/status`, 'utf8')).toMatch(new RegExp(`^Uid:\\s+${isRoot ? NOBODY : process.getuid!()}\\s`, 'm'))
  await smoke(strata)
})

test('the packaged app works, with the command line beside it', async ({ home, launch }) => {
  test.setTimeout(240_000)
  const folder = join(home.folder, 'release')
  await program(process.execPath, ['node_modules/electron-builder/cli.js', '--config', 'electron-builder.yml', '--linux', 'dir', '--publish', 'never', `-c.directories.output=${folder}`], {
    cwd: TOP,
    // The builder asks npm for the packages: what npm would like to look up on the network meanwhile may take its time.
    env: { ...process.env, USE_HARD_LINKS: 'false', npm_config_update_notifier: 'false', npm_config_offline: 'true' }
  })
  const packaged = join(folder, 'linux-unpacked')
  const strata = await launch({ executablePath: join(packaged, 'strata-desktop'), entry: [] })
  expect(await strata.app.evaluate(({ app }) => app.isPackaged)).toBe(true)
  await smoke(strata)
  // The command line of the package talks to the window.
  const listed = await program(join(packaged, 'strata'), ['machine', 'list', '--json'], { env: home.env })
  expect((JSON.parse(listed) as { state: { kind: string } }[])[0]?.state.kind).toBe('running')
})

/** What a program prints; one that hangs is named, with what it had to say. */
async function program(file: string, args: string[], options: { cwd?: string; env: NodeJS.ProcessEnv }): Promise<string> {
  const child = promisify(execFile)(file, args, { ...options, timeout: 80_000, killSignal: 'SIGKILL' })
  child.child.stdin?.end()
  const { stdout } = await child.catch((error: Error & { stdout: string; stderr: string }) => {
    throw new Error(`${error.message}\n${error.stdout}\n${error.stderr}`)
  })
  return stdout
}

function canSandbox(): boolean {
  const helper = statSync(join(ELECTRON, '../chrome-sandbox'))
  if (helper.uid === 0 && (helper.mode & 0o4000) !== 0) return true
  const unshare = ['unshare', '--user', 'true']
  const [program, ...args] = isRoot ? ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', ...unshare] : unshare
  try {
    execFileSync(program!, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Root starts it as another user: a program that becomes that user, in folders and with a display that are theirs. */
function asNobody(home: Home): { executablePath: string; env: Record<string, string> } {
  const folder = join(home.folder, 'nobody')
  mkdirSync(folder, { mode: 0o700 })
  const env: Record<string, string> = { HOME: folder, TMPDIR: folder, XDG_CONFIG_HOME: folder, XDG_CACHE_HOME: folder }
  if (process.env.XAUTHORITY) {
    env.XAUTHORITY = join(folder, 'Xauthority')
    copyFileSync(process.env.XAUTHORITY, env.XAUTHORITY)
    chownSync(env.XAUTHORITY, NOBODY, NOBODY)
  }
  const executablePath = join(home.folder, 'electron-as-nobody')
  writeFileSync(executablePath, `#!/bin/sh\nexec setpriv --reuid=${NOBODY} --regid=${NOBODY} --clear-groups '${ELECTRON}' "$@"\n`, { mode: 0o755 })
  for (const path of [home.folder, folder, join(home.folder, 'run')]) chownSync(path, NOBODY, NOBODY)
  chmodSync(home.folder, 0o755)
  home.uid = NOBODY
  return { executablePath, env }
}
