/**
 * Works on a store and kills itself at the n-th step: a step is each moment before and after a change of the file system, and before and
 * after each batch. What was done for certain is told on standard output, a line each. Started by tests that look at what is left.
 *   store-worker.ts FOLDER SEED STEP|ms:N OPERATION...     operations: put:NAME remove:NAME gc verify random:COUNT
 */
import { writeSync } from 'node:fs'
import fs from 'node:fs/promises'
import { join } from 'node:path'
import { chunkEngine } from '#core/host/chunk-engine'
import { collectGarbage } from '#core/store/gc'
import { verifyStore } from '#core/store/verify'
import { madeUp, smallStore, writePieces, KiB } from './store'

const [folder = '', seed = '', when = '', ...operations] = process.argv.slice(2)
let step = 0
let counting = false

const die = (): void => process.kill(process.pid, 'SIGKILL') as unknown as void
function atStep(): void {
  if (counting && ++step === Number(when)) die()
}

/** Steps before and after each call of functions of an object. */
function watch(owner: object, names: readonly string[]): void {
  const functions = owner as Record<string, (...given: unknown[]) => Promise<unknown>>
  for (const name of names) {
    const original = functions[name]!
    functions[name] = async function (this: unknown, ...given: unknown[]) {
      atStep()
      const result = await original.apply(this, given)
      atStep()
      return result
    }
  }
}

async function watchFiles(): Promise<void> {
  const handle = await fs.open('/dev/null')
  watch(Object.getPrototypeOf(handle) as object, ['write', 'writeFile', 'sync', 'truncate'])
  await handle.close()
  watch(fs, ['open', 'rename', 'unlink', 'mkdir'])
  watch(chunkEngine(), ['add', 'finish'])
}

const tell = (line: string): void => void writeSync(1, line + '\n')
const store = smallStore(folder, { packBytes: 512 * KiB, frameBytes: 32 * KiB })

async function carryOut(operation: string): Promise<void> {
  const [what, name = ''] = operation.split(':')
  tell(`begin ${operation}`)
  if (what === 'put') {
    const path = join(folder, 'source')
    const { sizeBytes, pieces } = madeUp(name)
    counting = false
    writePieces(path, sizeBytes, pieces)
    counting = true
    await store.put(name, [{ name: 'disk', path }])
  } else if (what === 'remove') await store.remove(name)
  else if (what === 'gc') await collectGarbage(store)
  else if (what === 'verify') await verifyStore(store)
  tell(`done ${operation}`)
}

/** Something that can be done, chosen by a seeded generator. */
async function random(count: number): Promise<void> {
  let state = Number(seed) >>> 0
  const dice = (sides: number): number => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 8) % sides
  for (let i = 0; i < count; i++) {
    const names = (await store.list()).map((one) => one.head!.name)
    const roll = dice(10)
    if (roll < 5 || names.length === 0) await carryOut(`put:${seed}-${i}`)
    else if (roll < 8) await carryOut(`remove:${names[dice(names.length)]}`)
    else await carryOut(roll === 8 ? 'gc' : 'verify')
  }
}

async function main(): Promise<void> {
  await watchFiles()
  if (when.startsWith('ms:')) setTimeout(die, Number(when.slice(3)))
  counting = true
  for (const operation of operations) {
    if (operation.startsWith('random:')) await random(Number(operation.slice(7)))
    else await carryOut(operation)
  }
  tell(`steps ${step}`)
  process.exit(0)
}
void main()
