/**
 * npm run -s bench -- fork [COUNT]: so many clones (20) of one 256 MB snapshot, until the guest agents of all have answered, and until each has an
 * identity of its own; and what memory each takes at both times (PSS: pages that they share count by their share).
 */
import { readFileSync } from 'node:fs'
import { emit, median, progress, rounded } from './support/figures'
import { withLab } from './support/lab'

const count = Number(process.argv[2] ?? 20)
const MiB = 2 ** 20
/** What the task says that it does once all have answered. */
const RENEWING = 'giving each an identity of its own'

const pssBytes = (pid: number): number => 1024 * Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))![1])

async function main(): Promise<void> {
  await withLab(async (lab) => {
    await lab.done('machine.create', { name: 'lab1', memory: '256M', cpus: 2 })
    await lab.done('machine.start', { machine: 'lab1', wait: 'agent' })
    // The agent answers before the guest has finished its start; twenty clones would finish it twenty times.
    await lab.call('guest.exec', { machine: 'lab1', command: ['sh', '-c', 'while pidof boot-late resize2fs modprobe; do sleep 0.2; done; sleep 2'], timeoutSeconds: 120 })
    await lab.done('snapshot.take', { machine: 'lab1', name: 'one', halt: false })
    await lab.done('machine.stop', { machine: 'lab1', force: true })
    let from = performance.now()
    let answeredMs = 0
    let answered: number[] = []
    const pids = new Map<string, number>()
    const unsubscribe = lab.core.onEvent((event) => {
      if (event.kind === 'machine-changed' && event.machine.state.kind === 'running') pids.set(event.machine.id, event.machine.state.pid)
      if (event.kind !== 'task-changed' || event.task.phase !== RENEWING || answeredMs > 0) return
      answeredMs = performance.now() - from
      answered = [...pids.values()].map(pssBytes)
    })
    from = performance.now()
    await lab.done('snapshot.fork', { snapshot: 'one', count, prefix: 'ws' })
    const took = performance.now() - from
    unsubscribe()
    progress(`${count} clones: all answer after ${Math.round(answeredMs)} ms, each has an identity of its own after ${Math.round(took)} ms`)
    const renewed = [...pids.values()].map(pssBytes)
    emit('fork', { count, answeredMs: rounded(answeredMs, 0), renewedMs: rounded(took, 0), pssMiB: rounded(median(answered) / MiB, 1), pssRenewedMiB: rounded(median(renewed) / MiB, 1) })
  })
}
void main()
