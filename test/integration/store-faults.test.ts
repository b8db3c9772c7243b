import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { collectGarbage } from '#core/store/gc'
import { storeStats } from '#core/store/stats'
import { verifyStore } from '#core/store/verify'
import { scratchFolder } from '../support/scratch'
import { digestOf, madeUp, smallStore, writePieces } from '../support/store'

const TOP = join(import.meta.dirname, '../..')
let built = ''

// The worker is started some thirty times: as one file it is there at once, where a start from the sources takes most of a second.
beforeAll(async () => {
  built = mkdtempSync(join(tmpdir(), 'store-worker-'))
  symlinkSync(join(TOP, 'out/native'), join(built, 'native')) // where it is looked for, beside the folder of the program
  const output = { format: 'cjs', entryFileNames: 'worker.cjs' } as const
  await build({
    root: TOP,
    configFile: false,
    logLevel: 'error',
    ssr: { noExternal: true },
    build: { ssr: join(TOP, 'test/support/store-worker.ts'), outDir: join(built, 'worker'), rollupOptions: { output } }
  })
})
afterAll(() => rmSync(built, { recursive: true, force: true }))

/** Of the steps of an operation about so many are tried; all of them take minutes. And so many random rounds. */
const [STEPS, ROUNDS] = [6, 5]

/** Runs the worker to its end; answers what it told, and whether it was killed. */
function work(folder: string, seed: number, when: string, ...operations: string[]): Promise<{ lines: string[]; killed: boolean }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(built, 'worker/worker.cjs'), folder, String(seed), when, ...operations], { stdio: ['ignore', 'pipe', 'pipe'] })
    let [told, wrong] = ['', '']
    child.stdout.on('data', (data: Buffer) => (told += data.toString()))
    child.stderr.on('data', (data: Buffer) => (wrong += data.toString()))
    child.once('error', reject)
    child.once('close', (code, signal) => {
      if (code === 0 || signal === 'SIGKILL') resolve({ lines: told.trim().split('\n'), killed: signal === 'SIGKILL' })
      else reject(new Error(`the worker failed: ${wrong}`))
    })
  })
}

function copyOf(folder: string): string {
  const copy = scratchFolder()
  cpSync(folder, copy, { recursive: true })
  return copy
}

/** What must be there after these lines, and what may be: an operation that was cut off has happened or not. */
function expected(before: ReadonlySet<string>, lines: readonly string[]): { must: Set<string>; may: Set<string> } {
  const [must, may] = [new Set(before), new Set(before)]
  for (const line of lines) {
    const [, phase, what, name] = /^(begin|done) (put|remove):(.+)$/.exec(line) ?? []
    if (!name) continue
    if (what === 'put') (phase === 'begin' ? may : must).add(name)
    else if (phase === 'begin') must.delete(name)
    else may.delete(name)
  }
  return { must, may }
}

/** Every archive that is listed loads as it was saved; nothing that was saved for certain is missing. */
async function examine(folder: string, { must, may }: { must: ReadonlySet<string>; may: ReadonlySet<string> }): Promise<Set<string>> {
  const store = smallStore(folder)
  const listed = (await store.list()).map((one) => one.head?.name ?? 'unreadable')
  for (const name of must) expect(listed).toContain(name)
  for (const name of listed) expect([...may]).toContain(name)
  expect(await verifyStore(store)).toMatchObject({ damaged: [], unreadable: [], touchedArchives: [] })
  for (const name of listed) {
    const { sizeBytes, pieces } = madeUp(name)
    writePieces(join(folder, 'wanted'), sizeBytes, pieces)
    const out = scratchFolder()
    expect((await store.get(name, out)).map(digestOf), name).toEqual([digestOf(join(folder, 'wanted'))])
  }
  await store.close()
  return new Set(listed)
}

async function cleansUp(folder: string): Promise<void> {
  const store = smallStore(folder)
  await collectGarbage(store)
  expect(readdirSync(store.packs.folder).filter((name) => name.endsWith('.part'))).toEqual([])
  expect(readdirSync(store.archives.folder).filter((name) => !name.endsWith('.archive'))).toEqual([])
  const { unusedBytes, storedBytes } = await storeStats(store)
  expect(unusedBytes).toBeLessThan(Math.max(1, storedBytes * 0.25))
  await store.close()
}

describe('a process that is killed', () => {
  it.each(['put', 'gc', 'remove'])('at any step of %s loses no archive, and lists none that is not whole', async (what) => {
    const template = scratchFolder()
    const first = ['put:a', 'put:b', 'put:c', 'remove:b']
    const operation = what === 'put' ? 'put:d' : what === 'remove' ? 'remove:a' : 'gc'
    await work(template, 1, '0', ...first)
    const { lines } = await work(copyOf(template), 1, '0', operation)
    const steps = Number(/\d+/.exec(lines.at(-1)!)![0])
    expect(steps).toBeGreaterThan(4)
    for (let step = 1; step <= steps; step += Math.max(1, Math.floor(steps / STEPS))) {
      const folder = copyOf(template)
      const { killed, lines: told } = await work(folder, 1, String(step), operation)
      expect(killed, `step ${step}`).toBe(true)
      await examine(folder, expected(new Set(['a', 'c']), told))
      await cleansUp(folder)
      await examine(folder, expected(new Set(['a', 'c']), told))
    }
  })

  it('again and again, in the middle of anything, never loses what was saved', async () => {
    const folder = scratchFolder()
    let there = new Set<string>()
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const { lines } = await work(folder, seed, seed % 2 === 0 ? `ms:${150 + seed * 37}` : String(seed * 23), 'random:40')
      there = await examine(folder, expected(there, lines))
    }
    await cleansUp(folder)
    await examine(folder, { must: there, may: there })
  })
})
