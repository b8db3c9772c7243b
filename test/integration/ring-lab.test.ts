import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openLab, type Lab } from '../support/lab'

const SIZE = 4 * 2 ** 20

/** A lab whose ring is served; the service ends with the test. */
async function servedLab(input: { size?: number; file?: string; cachePercent?: number } = { size: SIZE }): Promise<Lab> {
  const lab = await openLab()
  onTestFinished(async () => void (await lab.core.call('ring.stop', {})))
  await lab.call('ring.start', input)
  return lab
}
const folder = (lab: Lab): string => join(lab.environment.STRATA_HOME!, 'ring')

describe('the ring lab', () => {
  it('starts a service, shows what it does, and leaves nothing when it stops', async () => {
    const lab = await openLab()
    expect((await lab.call('ring.show', {})).service).toEqual({ kind: 'off' })
    expect(await lab.refused('ring.stop', {})).toMatchObject({ code: 'wrong-state', state: 'off' })
    expect(await lab.refused('ring.read', { sector: 0 })).toMatchObject({ code: 'wrong-state' })
    const { service } = await lab.call('ring.start', { size: SIZE })
    expect(service).toMatchObject({ kind: 'serving', image: join(folder(lab), 'lab.img'), sectors: SIZE / 512, requests: 0 })
    expect(await lab.refused('ring.start', {})).toMatchObject({ code: 'wrong-state', state: 'serving' })
    expect((await lab.call('ring.stop', {})).said).toContain('cache hit ratio')
    expect(readdirSync(join(folder(lab), 'run'))).toEqual(['service.log'])
    expect(lab.events.flatMap((event) => (event.kind === 'ring-changed' ? [event.ring.service.kind] : []))).toEqual(['serving', 'off'])
  })

  it('is a client itself: the sectors are those of the image, and the second time they come from the cache', async () => {
    const lab = await servedLab()
    const image = readFileSync(join(folder(lab), 'lab.img'))
    for (const sector of [0, 7, SIZE / 512 - 1, 7]) {
      const read = await lab.call('ring.read', { sector })
      expect(Buffer.from(read.bytesBase64, 'base64').equals(image.subarray(sector * 512, (sector + 1) * 512))).toBe(true)
      expect(read.ns).toBeGreaterThan(0)
    }
    const { clients, service } = await lab.call('ring.show', {})
    expect(clients).toMatchObject([{ pid: process.pid, own: true, answered: 4, hits: 1, misses: 3, refused: 0, inFlight: 0, requests: { producer: 4, consumer: 4 }, responses: { producer: 4 } }])
    expect(clients[0]!.latency.reduce((sum, count) => sum + count, 0)).toBe(4)
    expect(clients[0]!.latency[0]).toBe(0) // also an answer from the cache takes its time
    expect(service).toMatchObject({ requests: 4, cache: { hits: 1, misses: 3 } })
    expect(await lab.refused('ring.read', { sector: SIZE / 512 })).toMatchObject({ code: 'bad-input', field: 'sector' })
    await lab.call('ring.stop', {})
    await lab.call('ring.start', { size: SIZE })
    expect((await lab.call('ring.read', { sector: 1 })).sector).toBe(1)
  })

  it('runs clients at once, checks what they read, and takes their files away', async () => {
    const lab = await servedLab()
    const { clients, fairness } = await lab.done('ring.load', { clients: 3, threads: 4, requests: 2000 })
    expect(clients).toHaveLength(3)
    for (const client of clients) {
      expect(client).toMatchObject({ threads: 4, requests: 2000 })
      expect(client.minNs <= client.meanNs && client.meanNs <= client.maxNs && client.perSecond > 0).toBe(true)
    }
    expect(fairness).toBeGreaterThan(1 / 3)
    expect((await lab.call('ring.show', {})).service).toMatchObject({ requests: 6003, clientsEver: 3 })
    expect(readdirSync(folder(lab)).filter((name) => /^(sectors|read)\./.test(name))).toEqual([])
  })

  it('ends the clients of a load that is cancelled', async () => {
    const lab = await servedLab()
    const { taskId } = await lab.call('ring.load', { clients: 2, threads: 2, requests: 1_000_000 })
    await expect.poll(async () => (await lab.call('ring.show', {})).clients.length).toBe(2)
    expect(await lab.refused('ring.start', {})).toMatchObject({ code: 'wrong-state' })
    await lab.call('task.cancel', { taskId })
    expect((await lab.call('task.wait', { taskId })).state.kind).toBe('cancelled')
    await expect.poll(async () => (await lab.call('ring.show', {})).clients).toEqual([])
    expect(readdirSync(folder(lab)).filter((name) => /^(sectors|read)\./.test(name))).toEqual([])
  })

  it('refuses an image that cannot be served, by its reason', async () => {
    const lab = await openLab()
    const file = join(lab.home, 'odd.img')
    expect(await lab.refused('ring.start', { file })).toMatchObject({ code: 'not-found', name: file })
    writeFileSync(file, 'x'.repeat(1000))
    expect(await lab.refused('ring.start', { file })).toMatchObject({ code: 'bad-file', path: file })
    expect(await lab.refused('ring.start', { size: 1000 })).toMatchObject({ code: 'bad-input', field: 'size' })
  })

  it('finds a service again that was started by an earlier owner', async () => {
    const lab = await servedLab()
    await lab.reopen()
    expect((await lab.call('ring.show', {})).service).toMatchObject({ kind: 'serving', sectors: SIZE / 512 })
    expect((await lab.call('ring.read', { sector: 3 })).sector).toBe(3)
  })

  it('takes a service that was started by hand, with its image', async () => {
    const lab = await openLab()
    const image = join(folder(lab), 'by-hand.img')
    mkdirSync(folder(lab), { recursive: true })
    writeFileSync(image, randomBytes(SIZE / 4))
    onTestFinished(async () => void (await lab.core.call('ring.stop', {})))
    execFileSync(join(process.cwd(), 'native/bin/service'), ['start', '--image', 'by-hand.img'], { cwd: folder(lab), stdio: 'ignore' })
    expect((await lab.call('ring.show', {})).service).toMatchObject({ kind: 'serving', image, sectors: SIZE / 4 / 512 })
    expect((await lab.done('ring.load', { clients: 1, threads: 2, requests: 500 })).clients).toHaveLength(1)
    expect(await lab.refused('ring.start', {})).toMatchObject({ code: 'wrong-state', state: 'serving' })
  })

  it('reads the same image by the ring, vhost-user-blk and NBD, and leaves no socket', async () => {
    const lab = await servedLab()
    const { ways } = await lab.done('ring.compare', { requestsAtATime: 4, seconds: 0.3 })
    expect(ways.map((way) => way.name)).toEqual(['ring', 'vhost-user-blk', 'nbd'])
    for (const way of ways) expect(way.perSecond > 0 && way.medianNs <= way.p99Ns).toBe(true)
    expect((await lab.call('ring.show', {})).compared?.ways).toEqual(ways)
    for (const socket of ['vhost.sock', 'nbd.sock']) expect(existsSync(join(folder(lab), socket))).toBe(false)
  })
})
