import type { Machine, ParsedInputOf, Renewal, ResultOf } from '#contract'
import type { Context } from '../context'
import type { ManagedMachine } from '../machine/machine'
import type { Work } from '../task/work'
import { answers } from './identity'
import { makeClone, noteWhole, renewClone, requireUsable, wakeClone } from './restore'

/**
 * `snapshot.fork`: all or none, also when we are cut off: until all are what they are to be, the next opening of the library removes them.
 * @param whenMade what else belongs to it; fails so that none is made
 */
export async function forkSnapshot(
  input: ParsedInputOf<'snapshot.fork'>,
  context: Context,
  work: Work,
  whenMade: (clones: readonly ManagedMachine[]) => Promise<void> = async () => {}
): Promise<ResultOf<'snapshot.fork'>> {
  const record = context.snapshots.get(input.snapshot)
  await requireUsable(record, context)
  const names = freeNames(input.prefix ?? record.machine, input.count, context)
  const clones: ManagedMachine[] = []
  work.phase('making the machines')
  for (const name of names) clones.push(await makeClone(record, name, context, work))
  const renewals: Renewal[] = []
  if (input.start) {
    // All of them first, as that is what somebody waits for: what each guest does to be another one takes it longer than going on did.
    let done = 0
    const step = (): void => work.progress(++done / (2 * clones.length))
    const awake: ManagedMachine[] = []
    work.phase('letting them go on')
    const most = context.host.value.cpu.count + 1
    await inParallel(clones, most, async (machine) => {
      if (await wakeClone(machine, record, false, context, work)) {
        if (record.memory?.agent) await answers(machine)
        awake.push(machine)
      }
      step()
    })
    work.phase('giving each an identity of its own')
    await inParallel(awake, most, async (machine) => {
      renewals.push(await renewClone(machine, record))
      step()
    })
  }
  await whenMade(clones)
  work.pointOfNoReturn()
  await Promise.all(clones.map(noteWhole))
  await context.snapshots.tell(record)
  return { machines: clones.map((machine): Machine => machine.view()), renewals }
}

/** `ws-1`, `ws-2`, ...: the first that are free. */
function freeNames(prefix: string, count: number, context: Context): string[] {
  const taken = new Set(context.machines.list().map((machine) => machine.name.toLocaleLowerCase()))
  const names: string[] = []
  for (let n = 1; names.length < count; n++) {
    const name = `${prefix}-${n}`
    if (!taken.has(name.toLocaleLowerCase())) names.push(name)
  }
  return names
}

/** Some at a time; the first failure ends it, when those under way have ended. */
export async function inParallel<T>(items: readonly T[], most: number, act: (item: T) => Promise<void>): Promise<void> {
  const rest = [...items]
  const failed: unknown[] = []
  const worker = async (): Promise<void> => {
    for (let item = rest.shift(); item !== undefined && failed.length === 0; item = rest.shift()) {
      await act(item).catch((error: unknown) => failed.push(error))
    }
  }
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, worker))
  if (failed.length > 0) throw failed[0]
}
