import type { OperationName } from '#contract'
import { asTask, type Context, type Handlers } from '../context'
import { exists, readBytes } from '../host/files'
import { forkSnapshot } from '../snapshot/fork'
import { restoreSnapshot } from '../snapshot/restore'
import { planSnapshot, takeSnapshot } from '../snapshot/take'

const machineName = (input: { machine: string }, context: Context): string => context.machines.get(input.machine).name
const machineOf = (input: { snapshot: string }, context: Context): string => context.snapshots.get(input.snapshot).machine

export const snapshotHandlers: Handlers<Extract<OperationName, `snapshot.${string}`>> = {
  'snapshot.take': asTask('snapshot.take', (input, context) => `Take a snapshot of ${machineName(input, context)}`, machineName, takeSnapshot),
  'snapshot.plan': (input, context) => planSnapshot(input, context),
  'snapshot.list': (input, { snapshots, machines }) => {
    const id = input.machine === undefined ? null : machines.get(input.machine).definition.id
    return Promise.all(snapshots.all().filter((one) => id === null || one.machineId === id).map((one) => snapshots.view(one)))
  },
  'snapshot.show': (input, { snapshots }) => snapshots.view(snapshots.get(input.snapshot)),
  'snapshot.screen': async (input, { snapshots }) => {
    const { screen } = snapshots.paths(snapshots.get(input.snapshot).id)
    return { pngBase64: (await exists(screen)) ? (await readBytes(screen)).toString('base64') : null }
  },
  'snapshot.rename': (input, { snapshots }) => snapshots.change({ ...snapshots.get(input.snapshot), name: input.name }),
  'snapshot.note': (input, { snapshots }) => snapshots.change({ ...snapshots.get(input.snapshot), note: input.note }),
  'snapshot.remove': async (input, { snapshots }) => {
    const record = snapshots.get(input.snapshot)
    return { removed: record.name, freedBytes: await snapshots.remove(record) }
  },
  'snapshot.restore': asTask(
    'snapshot.restore',
    (input, context) => (input.as === undefined ? `Take ${machineOf(input, context)} back to ${context.snapshots.get(input.snapshot).name}` : `Make ${input.as} from ${context.snapshots.get(input.snapshot).name}`),
    (input, context) => input.as ?? machineOf(input, context),
    restoreSnapshot
  ),
  'snapshot.fork': asTask('snapshot.fork', (input, context) => `Make ${input.count} from ${context.snapshots.get(input.snapshot).name}`, machineOf, forkSnapshot)
}
