import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { NO_LIMITS } from '#contract'
import { runtimePaths } from '#core/library/paths'
import { launchDaemon } from '#core/share/daemon'
import { levelExports, type WantedClient, type WantedExports } from '#core/share/exports'

const ID = '01234567'
const CLIENT = '22222222-0000-4000-8000-000000000000'

/** A storage daemon with a disk of nothing, which exports it as an earlier Strata did: without a filter between. */
it('that an earlier Strata made are bounded when that is asked for, and until then left as they are', async () => {
  const runtime = runtimePaths(mkdtempSync(join(tmpdir(), 'strata-exports-'))).share(ID)
  const daemon = await launchDaemon(runtime, { driver: 'null-co', 'node-name': 'disk1-1', size: 2 ** 20 })
  onTestFinished(() => daemon.quit())
  const { qmp } = daemon
  await qmp.execute('block-export-add', { type: 'vhost-user-blk', id: `share-${ID}-22222222-w`, 'node-name': 'disk1-1', writable: true, addr: { type: 'unix', path: runtime.relay(CLIENT).exporter } })
  const wanted = (more: Partial<WantedClient>): WantedExports => ({
    ...{ shareId: ID, disk: 'disk1', runtime, nbdSocket: runtime.daemonNbd, waiting: [] },
    clients: [{ machineId: CLIENT, nodeName: 'disk1-1', transport: 'vhost-user-blk', writes: true, version: null, writeThrough: false, limits: NO_LIMITS, ...more }]
  })
  /** @returns what there is then */
  const level = async (more: Partial<WantedClient>): Promise<string[]> => {
    await levelExports(qmp, wanted(more))
    return (await qmp.execute('query-block-exports')).map((one) => `${one.id} on ${one['node-name']}`)
  }
  expect(await level({})).toEqual(['share-01234567-22222222-w on disk1-1'])
  const limits = { requestsPerSecond: 100, bytesPerSecond: null }
  expect(await level({ limits })).toEqual(['share-01234567-22222222-w on lim-disk1-22222222'])
  expect(await qmp.execute('qom-get', { path: '/objects/lim-disk1-22222222', property: 'limits' })).toMatchObject({ 'iops-total': 100 })
  // From then on a bound is changed where it is.
  expect(await level({ limits: NO_LIMITS })).toEqual(['share-01234567-22222222-w on lim-disk1-22222222'])
  expect(await level({ writeThrough: true })).toEqual(['share-01234567-22222222-wt on lim-disk1-22222222'])
})

it('a daemon that cannot open its image says why, though its monitor answered before', async () => {
  const runtime = runtimePaths(mkdtempSync(join(tmpdir(), 'strata-exports-'))).share(ID)
  const refused = launchDaemon(runtime, { driver: 'file', 'node-name': 'disk1-1', filename: '/nowhere/disk' })
  await expect(refused).rejects.toMatchObject({ error: { code: 'program-failed', causes: [expect.stringMatching(/^Could not open '\/nowhere\/disk'/)] } })
})
