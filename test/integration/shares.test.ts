import { readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Share } from '#contract'
import { failureIn, openLab, until, type Lab } from '../support/lab'

let lab: Lab
const MEMORY = '160M'

async function machine(name: string, more: object = {}): Promise<void> {
  await lab.done('machine.create', { name, memory: MEMORY, cpus: 1, network: [], display: false, ...more })
}
const start = (name: string): Promise<unknown> => lab.done('machine.start', { machine: name, wait: 'agent' })
/** Runs a line in a guest's shell; it has to succeed. */
async function inGuest(name: string, line: string): Promise<string> {
  const { exitCode, stdout, stderr } = await lab.call('guest.exec', { machine: name, command: ['sh', '-c', line], timeoutSeconds: 120 })
  if (exitCode !== 0) throw new Error(`${name}: ${line}: ${exitCode} ${stdout}${stderr}`)
  return stdout.trim()
}
const share = (): Promise<Share> => lab.call('share.show', { share: 'lab1:disk1' })
const states = async (): Promise<string> => {
  const { server, clients } = await share()
  return [server.kind, ...clients.map(({ machine: name, state }) => `${name} ${state}`)].join(', ')
}
const becomes = (wanted: string): Promise<void> => until(lab, async () => (await states()) === wanted, 60_000)

/** A client's first disk is its own: the shared one is the second. */
const SHARED = '/dev/vdb'
/** Flushed: what its guest has not flushed an owner that is killed takes with it, as at a power cut. */
const write = (letter: string, atMiB: number): Promise<string> =>
  inGuest('lab1', `head -c 1048576 /dev/zero | tr '\\0' ${letter} | dd of=/dev/vdb bs=1M seek=${atMiB} conv=notrunc,fsync oflag=direct iflag=fullblock 2>/dev/null`)
const sum = (name: string, atMiB: number): Promise<string> => inGuest(name, `dd if=${SHARED} bs=1M count=1 skip=${atMiB} iflag=direct 2>/dev/null | md5sum`)
async function expectSame(atMiB: number, readers: string[], owner = 'lab1'): Promise<void> {
  const wanted = await sum(owner, atMiB)
  for (const reader of readers) expect(await sum(reader, atMiB), reader).toBe(wanted)
}

function sockets(): string[] {
  const root = join(lab.home, 'run/strata')
  const found = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => /share-[0-9a-f]{8}\/[0-9a-f]{8}\.sock$/.test(name))
  expect(found.length).toBeGreaterThan(0)
  return found.map((name) => join(root, name))
}
const pidOf = async (name: string): Promise<number> => {
  const { state } = await lab.machine(name)
  if (!('pid' in state)) throw new Error(`${name} is ${state.kind}`)
  return state.pid
}
const daemonPid = async (): Promise<number> => {
  const { server } = await share()
  if (server.kind !== 'daemon') throw new Error(`served by ${server.kind}`)
  return server.pid
}

beforeEach(async () => {
  lab = await openLab()
  await machine('lab1')
  await lab.done('disk.create', { machine: 'lab1', size: '32M' })
})

describe('a disk shared read-only', () => {
  it('is read by several machines while its owner writes, who cannot write themselves', async () => {
    await Promise.all([machine('lab2', { sharedMemory: true }), machine('lab3')])
    await Promise.all([start('lab1'), start('lab2')])
    await write('a', 0)
    await lab.done('share.create', { disk: 'lab1:disk1', to: ['lab2', 'lab3'] })
    expect(await states()).toBe('machine, lab2 connected, lab3 off')
    await start('lab3')
    expect(await states()).toBe('machine, lab2 connected, lab3 connected')
    await expectSame(0, ['lab2', 'lab3'])
    await write('b', 0)
    await expectSame(0, ['lab2', 'lab3'])
    const refused = await lab.call('guest.exec', { machine: 'lab2', command: ['dd', 'if=/dev/zero', `of=${SHARED}`, 'bs=4096', 'count=1'], timeoutSeconds: 20 })
    expect(refused.exitCode).not.toBe(0)
    await expectSame(0, ['lab2'])
    for (const socket of sockets()) expect(statSync(socket).mode & 0o777).toBe(0o600)

    // A commit under the guests: the readers follow to the new overlay.
    await lab.done('overlay.renew', { machine: 'lab1', disk: 'disk1' })
    await write('c', 0)
    await write('d', 4)
    await expectSame(0, ['lab2', 'lab3'])
    await expectSame(4, ['lab2', 'lab3'])
    await lab.done('overlay.commit', { machine: 'lab1', disk: 'disk1', history: false })
    await expectSame(0, ['lab2', 'lab3'])

    // Strata is closed and opened: nothing has changed for the guests, and it knows all again.
    await lab.reopen()
    expect(await states()).toBe('machine, lab2 connected, lab3 connected')
    await expectSame(4, ['lab2'])
    expect((await lab.refused('machine.remove', { machine: 'lab1' })).code).toBe('in-use')
    expect(failureIn(await lab.ended('disk.remove', { machine: 'lab1', disk: 'disk1' })).message).toContain('“lab2”, “lab3”')

    await lab.done('share.detach', { share: 'lab1:disk1', machine: 'lab2' })
    expect(await states()).toBe('machine, lab3 connected')
    await inGuest('lab2', `test ! -e ${SHARED}`)
    await lab.ended('machine.stop', { machine: 'lab3', force: true })
    await becomes('idle, lab3 off')
    await lab.done('share.remove', { share: 'lab1:disk1' })
    expect(await lab.call('share.list', {})).toEqual([])
    await write('e', 0)
  })
})

describe('a disk shared read-write', () => {
  it('has one writer at a time, and QEMU refuses all others, whoever serves', async () => {
    await Promise.all([machine('lab2', { sharedMemory: true }), machine('lab3', { sharedMemory: true })])
    await Promise.all(['lab1', 'lab2', 'lab3'].map(start))
    await inGuest('lab1', 'mkfs.ext4 -q /dev/vdb && mkdir /data && mount /dev/vdb /data && echo from lab1 > /data/one')
    expect(await lab.call('share.contents', { disk: 'lab1:disk1' })).toEqual([{ partition: null, kind: 'ext4', cluster: false }])
    const refused = failureIn(await lab.ended('share.create', { disk: 'lab1:disk1', mode: 'cluster', to: ['lab2'] }))
    expect(refused).toMatchObject({ code: 'unsupported', next: expect.stringContaining('--force') as string })
    expect(refused.message).toContain('ext4')

    await lab.done('share.create', { disk: 'lab1:disk1', mode: 'rw', to: ['lab2', 'lab3'] })
    expect(await writers()).toEqual(['lab1'])
    await expectRefused('lab2')
    // What the writer's guest does not let go of stays where it is.
    const holder = inGuest('lab1', 'cd /data && exec sleep 3')
    await inGuest('lab1', 'while ! pidof sleep > /dev/null; do sleep 0.1; done')
    const busy = failureIn(await lab.ended('share.hand-over', { share: 'lab1', machine: 'lab2' }))
    expect(busy).toMatchObject({ code: 'in-use', causes: [expect.stringContaining('sleep') as string] })
    await holder
    await inGuest('lab1', 'echo still > /data/two')

    await lab.done('share.hand-over', { share: 'lab1', machine: 'lab2' })
    expect(await writers()).toEqual(['lab2'])
    expect(await inGuest('lab2', 'cat /data/one /data/two; echo from lab2 > /data/three; sync')).toBe('from lab1\nstill')
    await expectRefused('lab1')
    await expectRefused('lab3')

    // Readers see what is written when they are refreshed; where a program keeps the disk mounted, that is told.
    await inGuest('lab3', 'mkdir /data && mount -o ro,noload /dev/vdb /data && ls /data')
    await inGuest('lab2', 'echo new > /data/new')
    const { writer, readers } = await lab.call('share.refresh', { share: 'lab1' })
    expect(writer).toBe('lab2')
    expect(readers.map(({ machine: name, state, folders }) => [name, state, folders])).toEqual([
      ['lab1', 'fresh', ['/data']],
      ['lab3', 'fresh', ['/data']]
    ])
    for (const name of ['lab1', 'lab3']) expect(await inGuest(name, 'cat /data/new')).toBe('new')
    await inGuest('lab3', '(cd /data; exec sleep 1000) > /dev/null 2>&1 < /dev/null &')
    expect((await lab.call('share.refresh', { share: 'lab1' })).readers.map(({ state }) => state)).toEqual(['fresh', 'busy'])
    await inGuest('lab3', 'killall sleep; while ! umount /data; do sleep 0.1; done')

    // A commit while the owner is kept from writing: the filter that does so stays on top.
    await lab.done('overlay.renew', { machine: 'lab1', disk: 'disk1' })
    await expectRefused('lab1')
    await lab.reopen()
    expect(await writers()).toEqual(['lab2'])

    // The daemon serves the writer, and covers what is committed.
    await lab.done('overlay.commit', { machine: 'lab1', disk: 'disk1' })
    await lab.ended('machine.stop', { machine: 'lab1', force: true })
    await becomes('daemon, lab2 connected, lab3 connected')
    await inGuest('lab2', 'echo beside the daemon > /data/four; sync')
    expect(await lab.call('share.contents', { disk: 'lab1:disk1' })).toEqual([{ partition: null, kind: 'ext4', cluster: false }])
    await start('lab1')
    await becomes('machine, lab2 connected, lab3 connected')
    await expectRefused('lab1')
    await lab.done('share.hand-over', { share: 'lab1', machine: 'lab1', mount: '/mnt' })
    expect(await writers()).toEqual(['lab1'])
    expect(await inGuest('lab1', 'cat /mnt/three /mnt/four; echo five > /mnt/five; umount /mnt; fsck.ext4 -fn /dev/vdb > /dev/null 2>&1; echo $?')).toBe('from lab2\nbeside the daemon\n0')
    expect(await inGuest('lab2', 'grep -o "/data ext4 ro" /proc/mounts')).toBe('/data ext4 ro')
    await expectRefused('lab2')
  })
})

const writers = async (): Promise<string[]> => {
  const { machine: owner, ownerWrites, clients } = await share()
  return [...(ownerWrites ? [owner] : []), ...clients.filter(({ writes }) => writes).map((client) => client.machine)]
}
/** At the end of the disk, where no file is. */
async function expectRefused(name: string): Promise<void> {
  const { exitCode, stderr } = await lab.call('guest.exec', { machine: name, command: ['dd', 'if=/dev/zero', `of=${SHARED}`, 'bs=4096', 'count=1', 'seek=8191', 'oflag=direct'] })
  expect(exitCode, name).not.toBe(0)
  expect(stderr, name).toMatch(/not permitted|Input\/output error/)
}

/** Readers that go on for ever in a guest, each with requests of another size (KiB), so that they are not answered in the order of asking. */
const MANY = [32, 256, 1024]
const logOf = (kib: number): string => `/tmp/sums.${kib}`
async function startReaders(name: string, sizes: number[]): Promise<void> {
  await inGuest(name, `touch ${sizes.map(logOf).join(' ')}`)
  const loop = (kib: number): string => `while :; do dd if=${SHARED} bs=${kib}k count=${1024 / kib} iflag=direct 2>/dev/null | md5sum >> ${logOf(kib)}; done`
  await inGuest(name, sizes.map((kib) => `(${loop(kib)}) > /dev/null 2>&1 < /dev/null &`).join(' '))
}
/** Every reader reads on, and none has ever read anything but this. */
async function expectReading(name: string, sizes: number[], wanted: string): Promise<void> {
  const counts = async (): Promise<number[]> => (await inGuest(name, sizes.map((kib) => `wc -l < ${logOf(kib)}`).join('; '))).split('\n').map(Number)
  const before = await counts()
  await until(lab, async () => (await counts()).every((count, index) => count > before[index]! + 1), 60_000)
  expect(await inGuest(name, 'sort -u /tmp/sums.*')).toBe(wanted)
}

describe('a share', () => {
  it('is refused where it cannot be; what is published readers have as a disk that does not change, while the writer goes on', async () => {
    await machine('lab2')
    await Promise.all([start('lab1'), start('lab2')])
    const refused = async (input: object): Promise<object> => failureIn(await lab.ended('share.create', { disk: 'lab1:disk1', ...input }))
    expect(await refused({ to: ['lab2'] })).toMatchObject({ code: 'unsupported', next: expect.stringContaining('--next-start') as string })
    expect(await refused({ to: ['lab1'] })).toMatchObject({ code: 'bad-input', field: 'machine' })
    expect(await refused({ disk: 'lab1:disk7' })).toMatchObject({ code: 'not-found' })
    expect(await lab.call('share.list', {})).toEqual([])

    await lab.done('share.create', { disk: 'lab1:disk1', to: ['lab2'], nextStart: true })
    expect(await states()).toBe('idle, lab2 unplugged')
    expect((await share()).clients[0]!.reason).toContain('at its next start')
    expect(await refused({ to: [] })).toMatchObject({ code: 'already-exists' })
    expect(failureIn(await lab.ended('share.attach', { share: 'lab1', machine: 'lab2' }))).toMatchObject({ code: 'already-exists' })
    await lab.ended('machine.stop', { machine: 'lab2', force: true })
    await inGuest('lab1', 'mkfs.ext4 -q /dev/vdb && mkdir /data && mount /dev/vdb /data && echo 0 > /data/count && sync')
    await start('lab2')
    expect(await states()).toBe('machine, lab2 connected')
    await inGuest('lab2', 'mkdir /data && mount -o ro,noload /dev/vdb /data')

    await inGuest('lab1', '(n=0; while :; do n=$((n + 1)); echo $n > /data/next && mv /data/next /data/count; done) > /dev/null 2>&1 < /dev/null &')
    const count = async (name: string): Promise<number> => Number(await inGuest(name, 'cat /data/count'))
    await until(lab, async () => (await count('lab1')) > 0)
    const published = async (): Promise<object> => {
      const { readers, ...rest } = await lab.done('share.publish', { share: 'lab1' })
      return { ...rest, readers: readers.map(({ machine: name, state, folders }) => [name, state, ...folders]) }
    }
    expect(await published()).toEqual({ version: 1, writer: 'lab1', settled: true, readers: [['lab2', 'fresh', '/data']] })
    const first = await count('lab2')
    expect(first).toBeGreaterThan(0)
    await until(lab, async () => (await count('lab1')) > first)
    const whole = (): Promise<string> => inGuest('lab2', 'dd if=/dev/vdb bs=1M iflag=direct 2>/dev/null | md5sum')
    const frozen = await whole()
    expect(await published()).toMatchObject({ version: 2, settled: true })
    expect(await count('lab2')).toBeGreaterThan(first)
    expect(await whole()).not.toBe(frozen)
    expect(await inGuest('lab2', 'umount /data; fsck.ext4 -fn /dev/vdb > /dev/null; echo $?; mount -o ro /dev/vdb /data')).toBe('0')

    // Who keeps the disk busy keeps its version; that is neither changed nor merged away, also not when Strata was closed.
    const second = await whole()
    await inGuest('lab2', '(cd /data; exec sleep 1000) > /dev/null 2>&1 < /dev/null &')
    expect(await published()).toMatchObject({ version: 3, readers: [['lab2', 'busy']] })
    expect((await share()).clients[0]!.version).toBe(2)
    await lab.reopen()
    expect(failureIn(await lab.ended('overlay.commit', { machine: 'lab1', disk: 'disk1', history: false })).code).toBe('in-use')
    expect(await whole()).toBe(second)
    await inGuest('lab2', 'killall sleep')
    await lab.ended('machine.stop', { machine: 'lab1', force: true })
    await becomes('daemon, lab2 connected')
    expect(await whole()).toBe(second)
    expect(await lab.done('share.publish', { share: 'lab1', live: true })).toMatchObject({ version: null, readers: [{ machine: 'lab2' }] })
    expect((await share()).clients[0]!.version).toBeNull()
  })
})

describe('who serves', () => {
  it('passes from the owner to a storage daemon and back while a client reads on', async () => {
    await machine('lab2', { sharedMemory: true })
    await Promise.all([start('lab1'), start('lab2')])
    await write('a', 0)
    const wanted = await sum('lab1', 0)
    await lab.done('share.create', { disk: 'lab1:disk1', to: ['lab2'] })
    await startReaders('lab2', MANY)
    await expectReading('lab2', MANY, wanted)
    await lab.done('machine.stop', { machine: 'lab1', timeoutSeconds: 60 })
    await becomes('daemon, lab2 connected')
    expect((await lab.machine('lab1')).state).toMatchObject({ kind: 'stopped', exit: { reason: 'The guest powered off.' } })
    await expectReading('lab2', MANY, wanted)
    expect(failureIn(await lab.ended('overlay.commit', { machine: 'lab1', disk: 'disk1', history: false }))).toMatchObject({ code: 'in-use', holder: '“lab2”' })
    await lab.reopen()
    await becomes('daemon, lab2 connected')
    await start('lab1')
    await becomes('machine, lab2 connected')
    await expectReading('lab2', MANY, wanted)
    await lab.ended('machine.stop', { machine: 'lab1', force: true })
    await becomes('daemon, lab2 connected')
    await expectReading('lab2', MANY, wanted)
    expect((await share()).clients[0]!.reason).toBeNull()
  })

  it('is found again when it was killed, and clients do not suffer from each other', async () => {
    await Promise.all([machine('lab2', { sharedMemory: true }), machine('lab3')])
    await Promise.all([start('lab1'), start('lab2')])
    await write('a', 0)
    const wanted = await sum('lab1', 0)
    await lab.done('share.create', { disk: 'lab1:disk1', to: ['lab2', 'lab3'] })
    await start('lab3')
    await startReaders('lab2', [64])
    process.kill(await pidOf('lab1'), 'SIGKILL')
    await becomes('daemon, lab2 connected, lab3 connected')
    await expectReading('lab2', [64], wanted)
    expect((await share()).clients[0]!.reason).toContain('ended without warning')
    for (const socket of sockets()) rmSync(socket) // the next one makes them anew
    const pid = await daemonPid()
    process.kill(pid, 'SIGKILL')
    await until(lab, async () => (await share()).server.kind === 'daemon' && (await daemonPid()) !== pid, 60_000)
    await becomes('daemon, lab2 connected, lab3 connected')
    await expectReading('lab2', [64], wanted)
    process.kill(await pidOf('lab3'), 'SIGKILL')
    await becomes('daemon, lab2 connected, lab3 off')
    await until(lab, () => sockets().length === 1, 30_000)
    await expectReading('lab2', [64], wanted)
  })
})
