import { basename } from 'node:path'
import { failure, type OperationName } from '#contract'
import { asTask, type Context, type Handlers } from '../context'
import { exists, readBytes } from '../host/files'
import { archiveLater, archiveSnapshot, removeSnapshot, withMemory } from '../snapshot/archive'
import { exportSnapshot } from '../snapshot/export'
import { forkSnapshot } from '../snapshot/fork'
import { importSnapshot } from '../snapshot/import'
import { machineTakenOf, restoreSnapshot } from '../snapshot/restore'
import { planSnapshot, takeSnapshot } from '../snapshot/take'
import { verifySnapshot } from '../snapshot/verify'

const machineName = (input: { machine: string }, context: Context): string => context.machines.get(input.machine).name
const nameOf = (input: { snapshot: string }, context: Context): string => context.snapshots.get(input.snapshot).name
const machineOf = (input: { snapshot: string }, context: Context): string => context.snapshots.get(input.snapshot).machine

export const snapshotHandlers: Handlers<Extract<OperationName, `snapshot.${string}`>> = {
  'snapshot.take': asTask('snapshot.take', (input, context) => `Take a snapshot of ${machineName(input, context)}`, machineName, async (input, context, work) => {
    const taken = await takeSnapshot(input, context, work)
    archiveLater(taken.id, context)
    return taken
  }),
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
  'snapshot.remove': async (input, context) => {
    const record = context.snapshots.get(input.snapshot)
    const [lab] = context.labs.of(record.id)
    if (lab) throw failure('in-use', `The class lab “${lab.name}” is made from “${record.name}”.`, { what: `snapshot ${record.name}`, holder: lab.name, next: 'Remove the lab first.' })
    if (context.snapshots.isNeeded(record.id)) throw failure('in-use', `“${record.name}” is being used by a task.`, { what: `snapshot ${record.name}`, next: 'Wait until that is done; see the tasks.' })
    return { removed: record.name, freedBytes: await removeSnapshot(record, context) }
  },
  'snapshot.archive': asTask('snapshot.archive', (input, context) => `Archive ${nameOf(input, context)}`, machineOf, archiveSnapshot),
  'snapshot.verify': asTask('snapshot.verify', (input, context) => `Verify ${nameOf(input, context)}`, machineOf, verifySnapshot),
  'snapshot.export': asTask('snapshot.export', (input, context) => `Export ${nameOf(input, context)}`, machineOf, (input, context, work) =>
    withMemory(input.snapshot, context, work, () => exportSnapshot(input, context, work))
  ),
  'snapshot.import': asTask('snapshot.import', (input) => `Import ${basename(input.file)}`, (input) => basename(input.file), async (input, context, work) => {
    const imported = await importSnapshot(input, context, work)
    archiveLater(imported.id, context)
    return imported
  }),
  'snapshot.prepare': async (input, context) => {
    const record = context.snapshots.get(input.snapshot)
    const reason = await context.standbys.prepare(machineTakenOf(record, context), record)
    return { ready: reason === null, reason }
  },
  'snapshot.restore': asTask(
    'snapshot.restore',
    (input, context) => (input.as === undefined ? `Take ${machineOf(input, context)} back to ${context.snapshots.get(input.snapshot).name}` : `Make ${input.as} from ${context.snapshots.get(input.snapshot).name}`),
    (input, context) => input.as ?? machineOf(input, context),
    (input, context, work) => withMemory(input.snapshot, context, work, () => restoreSnapshot(input, context, work))
  ),
  'snapshot.fork': asTask('snapshot.fork', (input, context) => `Make ${input.count} from ${context.snapshots.get(input.snapshot).name}`, machineOf, (input, context, work) =>
    withMemory(input.snapshot, context, work, () => forkSnapshot(input, context, work))
  )
}
