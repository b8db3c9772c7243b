import { failure } from '#contract'
import type { QmpSession } from '../qmp/session'
import { cancelled, type Work } from '../task/work'

const PROGRESS_INTERVAL_MS = 150

export interface JobOptions {
  /** Null: it may not be cancelled any more. */
  signal: AbortSignal | null
  progress?: Work['progress']
  /** Called when a job that mirrors is level with its source (BLOCK_JOB_READY); the job goes on mirroring until it is completed. */
  onReady?: (jobId: string) => Promise<void>
  /** A job that mirrors what a guest writes may never get level with it. Called when it has copied more than so much, and is not ready yet. */
  behind?: { afterBytes: number; act: (jobId: string) => Promise<unknown> }
  /** What it does, for errors: `The merge of disk0-2`. */
  what: string
}

/**
 * Runs a block job to its end. It is started with `auto-dismiss: false`, so that how it ended can be read.
 * Source: qapi/job.json, "JobStatus"; QEMU 7.2.
 * @param start sends the command that makes the job, under the id it is given
 * @throws no-space, program-failed (with QEMU's words), cancelled, connection-lost (QEMU ended)
 */
export async function runJob(qmp: QmpSession, start: (jobId: string) => Promise<unknown>, { signal, progress, onReady, behind, what }: JobOptions): Promise<void> {
  const jobId = `${PREFIX}${process.pid}-${++lastJob}`
  if (signal?.aborted) throw cancelled()
  const ended = new AbortController()
  const concluded = qmp.waitForEvent('JOB_STATUS_CHANGE', ({ id, status }) => id === jobId && status === 'concluded', { timeoutMs: Infinity })
  const ready = onReady && qmp.waitForEvent('JOB_STATUS_CHANGE', ({ id, status }) => id === jobId && status === 'ready', { timeoutMs: Infinity, signal: ended.signal })
  const cancel = (): void => void qmp.execute('job-cancel', { id: jobId }).catch(() => {}) // it has just ended
  let late = behind
  let unready: Error | null = null
  const look = async (): Promise<void> => {
    const job = (await qmp.execute('query-jobs').catch(() => [])).find(({ id }) => id === jobId)
    if (!job) return
    if (job['total-progress'] > 0) progress?.(job['current-progress'] / job['total-progress'])
    if (!late || job.status !== 'running' || job['current-progress'] < late.afterBytes) return
    const { act } = late
    late = undefined
    await act(jobId).catch(() => {}) // it got ready, or has ended, just now
  }
  const timer = setInterval(() => void look(), PROGRESS_INTERVAL_MS)
  try {
    await start(jobId).catch((error: unknown) => {
      ended.abort()
      throw error
    })
    signal?.addEventListener('abort', cancel, { once: true })
    const became = await Promise.race([concluded, ready ?? concluded])
    if (became.status === 'ready') {
      await onReady!(jobId).catch((error: Error) => {
        unready = error
        cancel()
      })
    }
    await concluded
  } finally {
    clearInterval(timer)
    signal?.removeEventListener('abort', cancel)
    ended.abort()
    ready?.catch(() => {}) // it never got so far
    concluded.catch(() => {}) // the start was refused, or QEMU has ended: told by whoever failed first
  }
  const [jobs] = await Promise.all([qmp.execute('query-jobs'), qmp.execute('job-dismiss', { id: jobId })]) // carried out in this order
  const job = jobs.find(({ id }) => id === jobId)
  if (job?.error === undefined) return
  if (signal?.aborted) throw cancelled()
  if (unready && !NO_SPACE.test(job.error)) throw unready as Error
  if (NO_SPACE.test(job.error)) throw failure('no-space', `${what} failed: the host’s disk is full.`, { path: '', next: 'Make room, and do it again: nothing is lost.', cause: job.error })
  throw failure('program-failed', `${what} failed.`, { program: 'QEMU', exitCode: null, cause: job.error })
}

const NO_SPACE = /No space left on device/
const PREFIX = 'strata-'
let lastJob = 0

/**
 * Ends the jobs that another owner of the library began and did not see the end of. Each can be done again.
 * @returns whether there were any
 */
export async function endForeignJobs(qmp: QmpSession): Promise<boolean> {
  let any = false
  for (const { id, status } of await qmp.execute('query-jobs')) {
    if (!id.startsWith(PREFIX) || id.startsWith(`${PREFIX}${process.pid}-`)) continue
    any = true
    if (status !== 'concluded') await endJob(qmp, id)
    await qmp.execute('job-dismiss', { id })
  }
  return any
}

/** Cancels a job, and waits for its end. One that comes to its end by itself just then cannot be cancelled any more. */
async function endJob(qmp: QmpSession, id: string): Promise<void> {
  const concluded = qmp.waitForEvent('JOB_STATUS_CHANGE', (change) => change.id === id && change.status === 'concluded')
  try {
    await qmp.execute('job-cancel', { id })
  } catch (error) {
    const job = (await qmp.execute('query-jobs')).find((one) => one.id === id)
    if (job?.status === 'concluded') return // its event may have come before anybody waited for it
    if (job?.status !== 'aborting') throw error
  }
  await concluded
}

/**
 * Writes what QEMU holds back of a node to its file. Jobs that write to what the guest has open do not do so at their end (block-stream),
 * and files that its metadata makes superfluous go next. QMP has no command for it.
 */
export async function flushNode(qmp: QmpSession, nodeName: string): Promise<void> {
  const output = await qmp.execute('human-monitor-command', { 'command-line': `qemu-io ${nodeName} flush` })
  if (output.trim() !== '') throw failure('program-failed', `${nodeName} could not be written out.`, { program: 'QEMU', exitCode: null, cause: output })
}
