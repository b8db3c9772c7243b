import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { builtPrograms, copySources, make, RingLab, until } from '../support/ring'
import { isRoot, scratchFolder } from '../support/scratch'

const MiB = 2 ** 20
const LINE = /^\d+(\.\d)?\|\d+(\.\d)?\|\d+(\.\d)?\|\d+(\.\d)?\|\d+(\.\d)?\n$/
let programs: string
let clone: string

/** A lab whose service, if any is left, is ended with the test. */
function openRing(imageBytes = 8 * MiB): RingLab {
  const lab = new RingLab(programs, scratchFolder())
  onTestFinished(async () => void (await lab.run('service', 'stop')))
  if (imageBytes > 0) lab.image(imageBytes)
  return lab
}

async function startedRing(...options: string[]): Promise<RingLab> {
  const lab = openRing()
  expect(await lab.run('service', 'start', ...options)).toMatchObject({ code: 0, said: '' })
  return lab
}

async function readsWell(lab: RingLab, threads = 4, requests = 1000): Promise<void> {
  const client = await lab.run('client', threads, requests)
  expect(client).toMatchObject({ code: 0, said: '' })
  expect(client.out).toMatch(LINE)
  expect(lab.wrongSectors(client.pid)).toBe(0)
}

beforeAll(() => {
  programs = builtPrograms()
  clone = copySources()
}, 120_000)
afterAll(() => rmSync(clone, { recursive: true, force: true }))

describe('the contract', () => {
  it('is kept from the folder of the Makefile, with three clients at once and the integrity tool over the files of each', async () => {
    make(clone, 'clean')
    make(clone)
    const lab = new RingLab(clone, clone)
    execFileSync('dd', ['if=/dev/urandom', 'of=disk1.img', 'bs=1M', 'count=20'], { cwd: clone, stdio: 'ignore' })
    expect((await lab.run('service', 'start')).code).toBe(0)
    const loads = [[1, 2000], [4, 10_000], [32, 10_007]] as const
    const clients = await Promise.all(loads.map(([threads, requests]) => lab.run('client', threads, requests)))
    for (const [n, client] of clients.entries()) {
      const requests = loads[n]![1]
      expect(client.out).toMatch(LINE)
      const [max, average, min, , rate] = client.out.trim().split('|').map(Number) as [number, number, number, number, number]
      expect(min <= average && average <= max && rate > 0).toBe(true)
      expect(readFileSync(join(clone, `sectors.${client.pid}`), 'utf8').trimEnd().split('\n')).toHaveLength(requests)
      const checked = await lab.run('tool_for_integrity', 'disk1.img', `sectors.${client.pid}`, `read.${client.pid}`)
      expect(checked).toMatchObject({ code: 0, out: `All ${requests} sectors are those of disk1.img.\n` })
      expect(lab.wrongSectors(client.pid)).toBe(0)
    }
    const { pid } = lab.service()
    expect((await lab.run('service', 'stop')).out).toMatch(/^cache hit ratio: 0\.\d{4} \(\d+ of 22007 reads\)\n$/)
    await until(() => !existsSync(`/proc/${pid}`)) // ended already; somebody has yet to take note of it
    expect(readdirSync(join(clone, 'run'))).toEqual(['service.log'])
  })

  it.each(['uring', 'threads'])('reads with the way that is asked for: %s', async (way) => {
    const lab = await startedRing('--io', way)
    await readsWell(lab, 40, 5000)
  })

  it('takes at most a hundredth of the image for its cache, all in all', async () => {
    const lab = await startedRing()
    const page = lab.statistics()
    expect(Number(page.readBigUInt64LE(16))).toBe((8 * MiB) / 512)
    expect(Number(page.readBigUInt64LE(24))).toBeGreaterThan(0.9 * 0.01 * 8 * MiB)
    expect(Number(page.readBigUInt64LE(24))).toBeLessThanOrEqual(0.01 * 8 * MiB)
  })

  it('ends by itself when nobody asks for anything, and says so', async () => {
    const lab = await startedRing('--idle', '1')
    const { pid } = lab.service()
    await until(() => !existsSync(`/proc/${pid}`))
    expect(readFileSync(join(lab.folder, 'run/service.log'), 'utf8')).toContain('nobody asked for anything')
    expect(await lab.run('service', 'stop')).toMatchObject({ code: 0, out: expect.stringContaining('cache hit ratio: 0.0000') as string })
    expect((await lab.run('service', 'stop')).code).toBe(3)
  })

  it('refuses a second start, and a client or a stop without a service', async () => {
    const lab = openRing()
    expect((await lab.run('client', 1, 1)).code).toBe(3)
    expect((await lab.run('service', 'stop')).code).toBe(3)
    await lab.run('service', 'start')
    const { pid } = lab.service()
    expect(await lab.run('service', 'start')).toMatchObject({ code: 4, said: expect.stringContaining(`(pid ${pid})`) as string })
    await readsWell(lab)
  })

  it.each(['client', 'client 0 5', 'client 1 -1', 'client 1 x', 'client 4097 1', 'service', 'service halt', 'service start --cache 0.02', 'tool_for_integrity a'])(
    'explains itself when called as %s',
    async (command) => {
      const [program = '', ...args] = command.split(' ')
      const lab = openRing()
      expect(await lab.run(program, ...args)).toMatchObject({ code: 2, said: expect.stringMatching(/^usage: /) as string })
    }
  )
})

describe('the integrity tool', () => {
  it('finds a single wrong byte, and files that do not fit together', async () => {
    const lab = await startedRing()
    const { pid } = await lab.run('client', 2, 100)
    const names = ['disk1.img', `sectors.${pid}`, `read.${pid}`] as const
    const good = readFileSync(join(lab.folder, names[2]))
    const bad = Buffer.from(good)
    bad[37 * 512 + 5]! ^= 1
    writeFileSync(join(lab.folder, names[2]), bad)
    const found = await lab.run('tool_for_integrity', ...names)
    expect(found.code).toBe(20)
    expect(found.said).toMatch(/^Line 38, sector \d+: differs from byte 5 on .*\n1 of 100 sectors differ from disk1\.img\.\n$/)
    writeFileSync(join(lab.folder, names[2]), Buffer.concat([good, Buffer.from('x')]))
    expect((await lab.run('tool_for_integrity', ...names)).code).toBe(21)
    writeFileSync(join(lab.folder, names[2]), good.subarray(1))
    expect((await lab.run('tool_for_integrity', ...names)).code).toBe(21)
    writeFileSync(join(lab.folder, names[1]), '7\nseven\n')
    expect((await lab.run('tool_for_integrity', ...names)).code).toBe(21)
  })
})

describe('images that cannot be served', () => {
  it('are refused by name and reason', async () => {
    const lab = openRing(0)
    const image = join(lab.folder, 'disk1.img')
    expect(await lab.run('service', 'start')).toMatchObject({ code: 10, said: expect.stringContaining('no image disk1.img') as string })
    writeFileSync(image, '')
    expect(await lab.run('service', 'start')).toMatchObject({ code: 12, said: expect.stringContaining('is empty') as string })
    writeFileSync(image, 'x'.repeat(1000))
    expect(await lab.run('service', 'start')).toMatchObject({ code: 13, said: expect.stringContaining('not a multiple of 512') as string })
    rmSync(image)
    mkdirSync(image)
    expect((await lab.run('service', 'start')).code).toBe(15)
    expect(existsSync(join(lab.folder, 'run'))).toBe(false)
  })

  it.skipIf(!isRoot)('are refused where they may not be read', async () => {
    const { folder } = openRing()
    // Nobody else may be let into the folder that the programs were made in.
    cpSync(join(programs, 'bin'), join(folder, 'bin'), { recursive: true })
    const lab = new RingLab(folder, folder)
    chmodSync(folder, 0o777)
    chmodSync(join(lab.folder, 'disk1.img'), 0o600)
    const refused = await lab.start('service', ['start'], { uid: 65534 }).ended
    expect(refused).toMatchObject({ code: 11, said: 'The image disk1.img may not be read by this user.\n' })
  })

  it.skipIf(!isRoot)('are refused on a file system without O_DIRECT', async () => {
    const lab = openRing(0)
    const folder = scratchFolder()
    execFileSync('mount', ['-t', 'ramfs', 'strata-test', folder])
    onTestFinished(() => void execFileSync('umount', ['--lazy', folder]))
    writeFileSync(join(folder, 'disk1.img'), Buffer.alloc(4096))
    expect(await lab.run('service', 'start', '--image', join(folder, 'disk1.img'))).toMatchObject({ code: 14, said: expect.stringContaining('O_DIRECT') as string })
  })

  it('that are cut off while they are served fail the reads, not the service', async () => {
    const lab = await startedRing()
    truncateSync(join(lab.folder, 'disk1.img'), 512)
    expect(await lab.run('client', 4, 1000)).toMatchObject({ code: 1, said: expect.stringContaining('Input/output error') as string })
    expect((await lab.run('service', 'stop')).code).toBe(0)
  })

  it('of a single sector are served', async () => {
    const lab = openRing(512)
    await lab.run('service', 'start')
    await readsWell(lab, 3, 50)
  })
})

describe('crashes', () => {
  it('of a service: clients end with a sentence, stop cleans up, and the next start is like the first', async () => {
    const lab = await startedRing()
    const client = lab.start('client', [4, 100_000_000])
    await until(() => lab.held().rings === 1)
    process.kill(lab.service().pid, 'SIGKILL')
    expect(await client.ended).toMatchObject({ code: 1, said: 'The service ended before all sectors were read.\n' })
    expect(await lab.run('service', 'stop')).toMatchObject({ code: 0, out: expect.stringContaining('crashed') as string })
    expect(readdirSync(join(lab.folder, 'run'))).toEqual(['service.log'])
    await lab.run('service', 'start')
    await readsWell(lab)
  })

  it('of a service need no stop before the next start', async () => {
    const lab = await startedRing()
    process.kill(lab.service().pid, 'SIGKILL')
    await until(() => !existsSync(`/proc/${lab.service().pid}`))
    expect((await lab.run('service', 'start')).code).toBe(0)
    await readsWell(lab)
  })

  it('of clients in the middle of their work leave nothing in the service, nor in the file', async () => {
    const lab = await startedRing()
    const before = lab.held()
    const clients = Array.from({ length: 8 }, () => lab.start('client', [8, 100_000_000]))
    await until(() => lab.held().rings === 8)
    for (const client of clients) client.kill('SIGKILL')
    await Promise.all(clients.map((client) => client.ended))
    await until(() => lab.held().rings === 0)
    expect(lab.held()).toEqual(before)
    expect(readFileSync(join(lab.folder, 'run/clients'), 'utf8')).toBe('')
    await readsWell(lab)
  })

  it('are not feigned: a stop in the middle of the work tells the clients', async () => {
    const lab = await startedRing()
    const client = lab.start('client', [16, 100_000_000])
    await until(() => lab.held().rings === 1)
    expect((await lab.run('service', 'stop')).code).toBe(0)
    expect(await client.ended).toMatchObject({ code: 1, said: 'The service ended before all sectors were read.\n' })
  })
})

describe('many and hostile clients', () => {
  it('come and go by the hundred without a leak', async () => {
    const lab = await startedRing()
    await readsWell(lab)
    await until(() => lab.held().rings === 0) // its ring goes after its client
    const before = lab.held()
    for (let wave = 0; wave < 10; wave++) {
      const clients = await Promise.all(Array.from({ length: 30 }, () => lab.run('client', 2, 50)))
      for (const client of clients) expect([client.code, client.said, lab.wrongSectors(client.pid)]).toEqual([0, '', 0])
    }
    await until(() => lab.held().rings === 0)
    expect(lab.held()).toEqual(before)
  })

  it('that are stopped with requests open, or sit on the lock, do not hold up the others', async () => {
    const lab = await startedRing()
    const stopped = lab.start('client', [8, 100_000_000])
    await until(() => lab.held().rings === 1)
    stopped.kill('SIGSTOP')
    const lock = lab.start('hostile', ['lock', 2])
    await readsWell(lab)
    stopped.kill('SIGKILL')
    await Promise.all([stopped.ended, lock.ended])
  })

  it('of every kind at once harm nobody', async () => {
    const lab = await startedRing()
    const kinds = ['scribble', 'overrun', 'nonsense', 'silent', 'leave', 'lines', 'memory', 'lock']
    const hostile = kinds.map((kind, seed) => lab.start('hostile', [kind, 3, seed]))
    await Promise.all([readsWell(lab, 1), readsWell(lab, 8), readsWell(lab, 64)])
    for (const one of hostile) expect((await one.ended).code).toBe(0)
    await until(() => lab.held().rings === 0)
    await readsWell(lab)
    expect((await lab.run('service', 'stop')).code).toBe(0)
  })
})
