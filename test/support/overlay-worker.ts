/**
 * Carries out one operation on a library and kills itself, and QEMU if asked to, at the n-th step: a step is each moment before and after
 * the record of a disk is written (of snapshots: of a machine, or the snapshot gets its place), and before and after each command to QEMU. Started by tests that look at what is left.
 * In place of a number stands a method, as "before Labs.add" or "after ManagedMachine.resume": the moment of its first call.
 *   overlay-worker.ts N app|both OPERATION INPUT
 */
import { readFileSync } from 'node:fs'
import { openCore } from '#core/index'
import { DiskTarget } from '#core/machine/disk-target'
import { Labs } from '#core/lab/labs'
import { ManagedMachine } from '#core/machine/machine'
import { Machines } from '#core/machine/machines'
import { QmpSession } from '#core/qmp/session'
import { BundleWriter } from '#core/snapshot/bundle'
import { Snapshots } from '#core/snapshot/snapshots'

const [at = '0', whom = 'app', operation = '', input = '{}'] = process.argv.slice(2)
let step = 0
let counting = false

function atStep(): void {
  if (counting && ++step === Number(at)) strike()
}

function strike(): void {
  if (whom === 'both') killQemu()
  process.kill(process.pid, 'SIGKILL')
}

function killQemu(): void {
  const { machine = 'lab1' } = JSON.parse(input) as { machine?: string }
  try {
    const { pid } = JSON.parse(readFileSync(`${process.env.STRATA_HOME}/machines/${machine}/run.json`, 'utf8')) as { pid: number }
    process.kill(pid, 'SIGKILL')
  } catch {
    // no QEMU runs it
  }
}

/** Calls `atStep` before and after each call of a method. */
function watch<K extends string>(prototype: Record<K, (...given: never[]) => Promise<unknown>>, name: K): void {
  const original = prototype[name]
  prototype[name] = async function (this: unknown, ...given: never[]) {
    atStep()
    const result = await original.apply(this, given)
    atStep()
    return result
  }
}
watch(DiskTarget.prototype as never, 'save')
watch(DiskTarget.prototype as never, 'collectGarbage')
watch(QmpSession.prototype as never, 'executeAny')
if (operation.startsWith('snapshot.')) {
  watch(Machines.prototype as never, 'redefine')
  watch(Snapshots.prototype as never, 'add')
}


const METHODS = { 'BundleWriter.finish': BundleWriter, 'Labs.add': Labs, 'ManagedMachine.resume': ManagedMachine, 'Snapshots.add': Snapshots, 'Snapshots.change': Snapshots }
for (const [name, { prototype }] of Object.entries(METHODS)) {
  const [, method = ''] = name.split('.')
  const methods = prototype as never as Record<string, (...given: never[]) => Promise<unknown>>
  const original = methods[method]!
  methods[method] = async function (this: unknown, ...given: never[]) {
    if (at === `before ${name}`) strike()
    const result = await original.apply(this, given)
    if (at === `after ${name}`) strike()
    return result
  }
}

async function main(): Promise<void> {
  const core = await openCore({ builtinGuest: process.env.STRATA_GUEST ?? '' })
  if (process.env.STRATA_PREPARE) await core.call('snapshot.prepare', { snapshot: process.env.STRATA_PREPARE })
  counting = true
  const answer = await core.call(operation, JSON.parse(input))
  const state = answer.ok ? await core.call('task.wait', answer.value) : answer
  counting = false
  await core.close()
  process.stdout.write(JSON.stringify({ steps: step, state }) + '\n')
  process.exit(0)
}
void main()
