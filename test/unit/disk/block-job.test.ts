import { describe, expect, it } from 'vitest'
import { endForeignJobs } from '#core/disk/block-job'
import { QmpSession } from '#core/qmp/session'
import { listenAsQemu } from '../../support/qmp-peer'

/** A QEMU with one job, which ends by itself before it is told to. */
async function withEndingJob(statuses: string[]): Promise<{ qmp: QmpSession; asked: string[] }> {
  const asked: string[] = []
  const { path } = await listenAsQemu(({ execute, id }, socket) => {
    asked.push(execute)
    const send = (message: object): unknown => socket.write(`${JSON.stringify(message)}\r\n`)
    const event = { event: 'JOB_STATUS_CHANGE', data: { id: 'strata-1-1', status: 'concluded' }, timestamp: { seconds: 1, microseconds: 0 } }
    if (execute === 'query-jobs') {
      const status = statuses.shift()!
      send({ return: [{ id: 'strata-1-1', type: 'commit', status, 'current-progress': 1, 'total-progress': 1 }], id })
      if (status === 'running') send(event) // at once behind the answer: nobody waits for it yet
      if (status === 'aborting') setTimeout(() => send(event), 20)
    } else if (execute === 'job-cancel') send({ error: { class: 'GenericError', desc: "Job 'strata-1-1' in state 'concluded' cannot accept command verb 'cancel'" }, id })
    else send({ return: {}, id })
  })
  return { qmp: await QmpSession.connect(path), asked }
}

describe('a job that another owner of the library began', () => {
  it('is dismissed when it ends by itself just before it is cancelled', async () => {
    const { qmp, asked } = await withEndingJob(['running', 'concluded'])
    expect(await endForeignJobs(qmp)).toBe(true)
    expect(asked).toEqual(['query-jobs', 'job-cancel', 'query-jobs', 'job-dismiss'])
    qmp.close()
  })

  it('is waited for when it is on its way to its end', async () => {
    const { qmp, asked } = await withEndingJob(['running', 'aborting'])
    expect(await endForeignJobs(qmp)).toBe(true)
    expect(asked.at(-1)).toBe('job-dismiss')
    qmp.close()
  })

  it('that does not let itself be cancelled is told', async () => {
    const { qmp } = await withEndingJob(['running', 'running'])
    await expect(endForeignJobs(qmp)).rejects.toMatchObject({ error: { code: 'qmp' } })
    qmp.close()
  })
})
