import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, onTestFinished } from 'vitest'
import { build } from 'vite'
import { runtimePaths, runtimeRoot } from '#core/library/paths'
import { inlineManifest } from '../../scripts/config/inline-manifest'
import { scratchFolder } from './scratch'

const top = resolve(import.meta.dirname, '../..')

/** Builds the command line as the app's build does, once for the tests of a file. @returns the program, known when they run */
export function builtStrata(): { readonly program: string } {
  let folder = ''
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'strata-cli-'))
    await build({
      root: top,
      configFile: false,
      logLevel: 'error',
      plugins: [inlineManifest],
      ssr: { noExternal: true, external: ['node-pty'] },
      build: {
        outDir: join(folder, 'main'),
        ssr: true,
        minify: false,
        rollupOptions: { input: { strata: resolve(top, 'electron/cli/strata.ts') }, output: { format: 'cjs', entryFileNames: '[name].js' } }
      }
    })
  }, 60_000)
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return {
    get program() {
      return join(folder, 'main', 'strata.js')
    }
  }
}

export interface Home {
  environment: NodeJS.ProcessEnv
  library: string
  ownerSocket: string
}
/** A library and a runtime folder of the test's own. */
export function makeHome(name = 'library'): Home {
  const folder = scratchFolder()
  const library = join(folder, name)
  const runtime = join(folder, 'run')
  for (const made of [library, runtime]) mkdirSync(made, { mode: 0o700 })
  const environment = { ...process.env, STRATA_HOME: library, XDG_RUNTIME_DIR: runtime, NO_COLOR: '1' }
  const root = runtimeRoot(environment, library)
  mkdirSync(root, { recursive: true, mode: 0o700 })
  return { environment, library, ownerSocket: runtimePaths(root).ownerSocket }
}

export interface Ended {
  code: number | null
  signal: NodeJS.Signals | null
  out: string
  error: string
}
export interface Running {
  readonly child: ChildProcessWithoutNullStreams
  readonly ended: Promise<Ended>
  readonly out: string
  readonly error: string
}

/** Starts `strata`; it is ended with the test if it has not ended by itself. */
export function start(program: string, words: readonly string[], environment: NodeJS.ProcessEnv): Running {
  const child = spawn(process.execPath, [program, ...words], { env: environment, stdio: 'pipe' })
  let out = ''
  let error = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (error += text))
  child.stdin.on('error', () => {}) // it may end before it has read all
  const ended = new Promise<Ended>((done) => child.once('close', (code, signal) => done({ code, signal, out, error })))
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return {
    child,
    ended,
    get out() {
      return out
    },
    get error() {
      return error
    }
  }
}

/** Runs `strata` to its end. */
export async function run(program: string, words: readonly string[], environment: NodeJS.ProcessEnv, input = ''): Promise<Ended> {
  const running = start(program, words, environment)
  running.child.stdin.end(input)
  return running.ended
}
