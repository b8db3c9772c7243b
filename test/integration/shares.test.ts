import { renameSync, statSync, watch } from 'node:fs'
import { dirname } from 'node:path'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { EMPTY, failureIn, openLab, until, type Lab } from '../support/lab'
import { SHARED, ShareLab } from '../support/share-lab'

/** Each has several guests, which a slow machine boots slowly. */
vi.setConfig({ testTimeout: 300_000 })

let lab: Lab
let vms: ShareLab

beforeEach(async () => {
  lab = await openLab()
  vms = new ShareLab(lab)
  await vms.machine('lab1')
  await lab.done('disk.create', { machine: 'lab1', size: '32M' })
})

describe('a disk shared read-only', () => {
  it('is read by several machines while its owner writes, who cannot write themselves', async () => {
    await Promise.all([vms.machine('lab2', { sharedMemory: true }), vms.machine('lab3')])
    await vms.start('lab1', 'lab2')
    await vms.write('a', 0)
    await lab.done('share.create', { disk: 'lab1:disk1', to: ['lab2', 'lab3'] })
    expect(await vms.states()).toBe('machine, lab2 connected, lab3 off')
    const files = await lab.call('disk.list', { machine: 'lab1' })
    expect(files.map(({ of, sharedWith }) => `${of.kind === 'layer' ? of.disk : 'image'} ${sharedWith.join()}`)).toEqual(['disk0 ', 'disk1 lab2,lab3', 'image '])
    await vms.start('lab3')
    expect(await vms.states()).toBe('machine, lab2 connected, lab3 connected')
    await vms.expectSame(0, ['lab2', 'lab3'])
    await vms.write('b', 0)
    await vms.expectSame(0, ['lab2', 'lab3'])
    const refused = await lab.call('guest.exec', { machine: 'lab2', command: ['dd', 'if=/dev/zero', `of=${SHARED}`, 'bs=4096', 'count=1'], timeoutSeconds: 20 })
    expect(refused.exitCode).not.toBe(0)
    await vms.expectSame(0, ['lab2'])
    // The guest hands a megabyte over in large pieces: Linux takes what QEMU's export says of their size for a page.
    expect(Number(await vms.inGuest('lab2', 'cat /sys/block/vdb/queue/max_segment_size'))).toBeGreaterThan(4096)
    for (const socket of vms.sockets()) expect(statSync(socket).mode & 0o777).toBe(0o600)

    // A commit under the guests: the readers follow to the new overlay.
    await lab.done('overlay.renew', { machine: 'lab1', disk: 'disk1' })
    await vms.write('c', 0)
    await vms.write('d', 4)
    await vms.expectSame(0, ['lab2', 'lab3'])
    await vms.expectSame(4, ['lab2', 'lab3'])
    await lab.done('disk.resize', { machine: 'lab1', disk: 'disk1', size: '40M' })
    await lab.done('overlay.commit', { machine: 'lab1', disk: 'disk1', history: false })
    await vms.expectSame(0, ['lab2', 'lab3'])

    // Strata is closed and opened: nothing has changed for the guests, and it knows all again.
    await lab.reopen()
    expect(await vms.states()).toBe('machine, lab2 connected, lab3 connected')
    await vms.expectSame(4, ['lab2'])
    expect((await lab.refused('machine.remove', { machine: 'lab1' })).code).toBe('in-use')
    expect(failureIn(await lab.ended('disk.remove', { machine: 'lab1', disk: 'disk1' })).message).toContain('“lab2”, “lab3”')

    await lab.done('share.detach', { share: 'lab1:disk1', machine: 'lab2' })
    expect(await vms.states()).toBe('machine, lab3 connected')
    await vms.inGuest('lab2', `test ! -e ${SHARED}`)
    await lab.ended('machine.stop', { machine: 'lab3', force: true })
    await vms.becomes('idle, lab3 off')
    await lab.done('share.remove', { share: 'lab1:disk1' })
    expect(await lab.call('share.list', {})).toEqual([])
    await vms.write('e', 0)
  })
})

describe('a disk shared read-write', () => {
  it('has one writer at a time, and QEMU refuses all others, whoever serves', async () => {
    await Promise.all([vms.machine('lab2', { sharedMemory: true }), vms.machine('lab3', { sharedMemory: true })])
    await vms.start('lab1', 'lab2', 'lab3')
    await vms.inGuest('lab1', 'mkfs.ext4 -q /dev/vdb && mkdir /data && mount /dev/vdb /data && echo from lab1 > /data/one')
    expect(await lab.call('share.contents', { disk: 'lab1:disk1' })).toEqual([{ partition: null, kind: 'ext4', cluster: false }])
    const refused = failureIn(await lab.ended('share.create', { disk: 'lab1:disk1', mode: 'cluster', to: ['lab2'] }))
    expect(refused).toMatchObject({ code: 'unsupported', next: expect.stringContaining('--force') as string })
    expect(refused.message).toContain('ext4')

    await lab.done('share.create', { disk: 'lab1:disk1', mode: 'rw', to: ['lab2', 'lab3'] })
    expect(await vms.writers()).toEqual(['lab1'])
    await vms.expectRefused('lab2')
    // What the writer's guest does not let go of stays where it is.
    await vms.inGuest('lab1', '(cd /data; exec sleep 1000) > /dev/null 2>&1 < /dev/null &')
    await vms.inGuest('lab1', 'while ! pidof sleep > /dev/null; do :; done')
    const busy = failureIn(await lab.ended('share.hand-over', { share: 'lab1', machine: 'lab2' }))
    expect(busy).toMatchObject({ code: 'in-use', causes: [expect.stringContaining('sleep') as string] })
    await vms.inGuest('lab1', 'killall sleep; while pidof sleep > /dev/null; do :; done')
    await vms.inGuest('lab1', 'echo still > /data/two')

    await lab.done('share.hand-over', { share: 'lab1', machine: 'lab2' })
    expect(await vms.writers()).toEqual(['lab2'])
    expect(await vms.inGuest('lab2', 'cat /data/one /data/two; echo from lab2 > /data/three; sync')).toBe('from lab1\nstill')
    await vms.expectRefused('lab1')
    await vms.expectRefused('lab3')

    // Readers see what is written when they are refreshed; where a program keeps the disk mounted, that is told.
    await vms.inGuest('lab3', 'mkdir /data && mount -o ro,noload /dev/vdb /data && ls /data')
    await vms.inGuest('lab2', 'echo new > /data/new')
    const { writer, readers } = await lab.call('share.refresh', { share: 'lab1' })
    expect(writer).toBe('lab2')
    expect(readers.map(({ machine: name, state, folders }) => [name, state, folders])).toEqual([
      ['lab1', 'fresh', ['/data']],
      ['lab3', 'fresh', ['/data']]
    ])
    for (const name of ['lab1', 'lab3']) expect(await vms.inGuest(name, 'cat /data/new')).toBe('new')
    await vms.inGuest('lab3', '(cd /data; exec sleep 1000) > /dev/null 2>&1 < /dev/null &')
    expect((await lab.call('share.refresh', { share: 'lab1' })).readers.map(({ state }) => state)).toEqual(['fresh', 'busy'])
    await vms.inGuest('lab3', 'killall sleep; while ! umount /data; do sleep 0.1; done')

    // A commit while the owner is kept from writing: the filter that does so stays on top.
    await lab.done('overlay.renew', { machine: 'lab1', disk: 'disk1' })
    await vms.expectRefused('lab1')
    await lab.reopen()
    expect(await vms.writers()).toEqual(['lab2'])

    // The daemon serves the writer, and covers what is committed.
    await lab.done('overlay.commit', { machine: 'lab1', disk: 'disk1' })
    await lab.ended('machine.stop', { machine: 'lab1', force: true })
    await vms.becomes('daemon, lab2 connected, lab3 connected')
    await vms.inGuest('lab2', 'echo beside the daemon > /data/four; sync')
    expect(await lab.call('share.contents', { disk: 'lab1:disk1' })).toEqual([{ partition: null, kind: 'ext4', cluster: false }])
    await vms.start('lab1')
    await vms.becomes('machine, lab2 connected, lab3 connected')
    await vms.expectRefused('lab1')
    await lab.done('share.hand-over', { share: 'lab1', machine: 'lab1', mount: '/mnt' })
    expect(await vms.writers()).toEqual(['lab1'])
    expect(await vms.inGuest('lab1', 'cat /mnt/three /mnt/four; echo five > /mnt/five; umount /mnt; fsck.ext4 -fn /dev/vdb > /dev/null 2>&1; echo $?')).toBe('from lab2\nbeside the daemon\n0')
    expect(await vms.inGuest('lab2', 'grep -o "/data ext4 ro" /proc/mounts')).toBe('/data ext4 ro')
    await vms.expectRefused('lab2')

    // Whoever is to lose it unmounts it first, also a reader; what a program uses it keeps, unless that is said.
    await vms.inGuest('lab3', 'mount -o ro,noload /dev/vdb /data')
    await lab.done('share.detach', { share: 'lab1', machine: 'lab3' })
    expect(await vms.inGuest('lab3', 'test ! -e /dev/vdb; grep /data /proc/mounts || echo unmounted')).toBe('unmounted')
    await vms.inGuest('lab2', '(cd /data; exec sleep 1000) > /dev/null 2>&1 < /dev/null & until pidof sleep > /dev/null; do sleep 0.05; done')
    const used = failureIn(await lab.ended('share.detach', { share: 'lab1', machine: 'lab2' }))
    expect(used).toMatchObject({ code: 'in-use', what: '/data', message: expect.stringMatching(/^\/data is in use in “lab2” by sleep \(process \d+\),/) as string, next: expect.stringContaining('force') as string })
    expect(failureIn(await lab.ended('share.remove', { share: 'lab1' }))).toMatchObject({ code: 'in-use', what: '/data' })
    expect(await vms.inGuest('lab2', 'echo 3 > /proc/sys/vm/drop_caches; cat /data/three')).toBe('from lab2')
    await lab.done('share.detach', { share: 'lab1', machine: 'lab2', force: true })
    await vms.inGuest('lab2', 'test ! -e /dev/vdb')
  })
})

/** What is bounded waits its turn: 200 requests at 100 a second, of which a tenth may come at once. Set while it runs, it holds at once. */
async function expectLimited(machine: string): Promise<void> {
  await lab.call('share.limit', { share: 'lab1', machine, requests: 100 })
  const startedAt = performance.now()
  await vms.inGuest(machine, `dd if=${SHARED} of=/dev/null bs=4096 count=200 iflag=direct 2>/dev/null`)
  expect(performance.now() - startedAt).toBeGreaterThan(1_800)
  const { clients } = await lab.call('share.limit', { share: 'lab1', machine, bytes: '64M' })
  expect(clients.find((client) => client.machine === machine)!.limits).toEqual({ requestsPerSecond: 100, bytesPerSecond: 64 * 2 ** 20 })
  await lab.call('share.limit', { share: 'lab1', machine, requests: 0, bytes: 0 })
}

/** Over NBD a guest waits for as long as it is to, too; and a machine that waits is ended by force, though its QEMU waits as well. */
async function expectHeld(machine: string): Promise<void> {
  await lab.call('share.edit', { share: 'lab1', hold: 5 })
  const { path } = (await lab.call('disk.show', { machine: 'lab1', disk: 'disk1' })).files[0]!
  renameSync(path, `${path}.away`)
  process.kill(await vms.daemonPid(), 'SIGKILL')
  const read = (): Promise<{ stderr: string }> => lab.call('guest.exec', { machine, command: ['dd', `if=${SHARED}`, 'of=/dev/null', 'bs=4096', 'count=1', 'iflag=direct'], timeoutSeconds: 60 })
  expect((await read()).stderr).toContain('Input/output error')
  await vms.becomes('failed, lab2 failing, lab3 failing')
  await lab.call('share.edit', { share: 'lab1', hold: 0 })
  await vms.becomes('failed, lab2 waiting, lab3 waiting')
  await vms.inGuest(machine, `(dd if=${SHARED} of=/dev/null bs=4096 count=1 iflag=direct) > /dev/null 2>&1 < /dev/null &`)
  await vms.inGuest(machine, 'until grep -q "^State:.D" $(printf "/proc/%s/status " $(pidof dd)); do sleep 0.05; done')
  const paused = lab.refused('machine.pause', { machine })
  expect((await lab.ended('machine.stop', { machine, force: true })).state.kind).toBe('done')
  expect((await paused).code).toBe('connection-lost')
  await vms.becomes('failed, lab2 waiting, lab3 off')
  renameSync(`${path}.away`, path)
}

/** Readers with requests of several sizes (KiB) at once. */
const MANY = [32, 256, 1024]

describe('a share', () => {
  it('is refused where it cannot be; what is published readers have as a disk that does not change, while the writer goes on', async () => {
    await vms.machine('lab2')
    await vms.start('lab1', 'lab2')
    const refused = async (input: object): Promise<object> => failureIn(await lab.ended('share.create', { disk: 'lab1:disk1', ...input }))
    expect(await refused({ to: ['lab1'] })).toMatchObject({ code: 'bad-input', field: 'machine' })
    expect(await refused({ disk: 'lab1:disk7' })).toMatchObject({ code: 'not-found' })
    expect(await lab.call('share.list', {})).toEqual([])

    // Who runs with memory that cannot be mapped has it over NBD, unless told to wait.
    await vms.write('a', 0)
    await lab.done('share.create', { disk: 'lab1:disk1', to: ['lab2'] })
    expect((await vms.share()).clients[0]).toMatchObject({ state: 'connected', transport: 'nbd', transportReason: expect.stringContaining('cannot map its memory') as string })
    await vms.expectSame(0, ['lab2'])
    await vms.expectRefused('lab2')
    await lab.done('share.remove', { share: 'lab1' })
    await vms.inGuest('lab2', `test ! -e ${SHARED}`)
    await lab.done('share.create', { disk: 'lab1:disk1', to: ['lab2'], nextStart: true })
    expect(await vms.states()).toBe('idle, lab2 unplugged')
    expect((await vms.share()).clients[0]!.reason).toContain('at its next start')
    expect(await refused({ to: [] })).toMatchObject({ code: 'already-exists' })
    expect(failureIn(await lab.ended('share.attach', { share: 'lab1', machine: 'lab2' }))).toMatchObject({ code: 'already-exists' })
    await lab.ended('machine.stop', { machine: 'lab2', force: true })
    await vms.inGuest('lab1', 'mkfs.ext4 -q /dev/vdb && mkdir /data && mount /dev/vdb /data && echo 0 > /data/count && sync')
    await vms.start('lab2')
    expect((await vms.share()).clients[0]).toMatchObject({ state: 'connected', transport: 'vhost-user-blk', transportReason: null })
    await vms.inGuest('lab2', 'mkdir /data && mount -o ro,noload /dev/vdb /data')

    await vms.inGuest('lab1', '(n=0; while :; do n=$((n + 1)); echo $n > /data/next && mv /data/next /data/count; done) > /dev/null 2>&1 < /dev/null &')
    const count = async (name: string): Promise<number> => Number(await vms.inGuest(name, 'cat /data/count'))
    await until(lab, async () => (await count('lab1')) > 0)
    const published = async (): Promise<object> => {
      const { readers, ...rest } = await lab.done('share.publish', { share: 'lab1' })
      return { ...rest, readers: readers.map(({ machine: name, state, folders }) => [name, state, ...folders]) }
    }
    expect(await published()).toEqual({ version: 1, writer: 'lab1', settled: true, readers: [['lab2', 'fresh', '/data']] })
    const first = await count('lab2')
    expect(first).toBeGreaterThan(0)
    await until(lab, async () => (await count('lab1')) > first)
    const whole = (): Promise<string> => vms.inGuest('lab2', 'dd if=/dev/vdb bs=1M iflag=direct 2>/dev/null | md5sum')
    const frozen = await whole()
    expect(await published()).toMatchObject({ version: 2, settled: true })
    expect(await count('lab2')).toBeGreaterThan(first)
    expect(await whole()).not.toBe(frozen)
    expect(await vms.inGuest('lab2', 'umount /data; fsck.ext4 -fn /dev/vdb > /dev/null; echo $?; mount -o ro /dev/vdb /data')).toBe('0')

    // Who keeps the disk busy keeps its version; that is neither changed nor merged away, also not when Strata was closed.
    const second = await whole()
    await vms.inGuest('lab2', '(cd /data; exec sleep 1000) > /dev/null 2>&1 < /dev/null &')
    expect(await published()).toMatchObject({ version: 3, readers: [['lab2', 'busy']] })
    expect((await vms.share()).clients[0]!.version).toBe(2)
    await lab.reopen()
    expect(failureIn(await lab.ended('overlay.commit', { machine: 'lab1', disk: 'disk1', history: false })).code).toBe('in-use')
    expect(await whole()).toBe(second)
    await vms.inGuest('lab2', 'killall sleep')
    await lab.ended('machine.stop', { machine: 'lab1', force: true })
    await vms.becomes('daemon, lab2 connected')
    expect(await whole()).toBe(second)
    expect(await lab.done('share.publish', { share: 'lab1', live: true })).toMatchObject({ version: null, readers: [{ machine: 'lab2' }] })
    expect((await vms.share()).clients[0]!.version).toBeNull()
  })
})

/** How often a relay, and a storage daemon, came or went in each of these runtime folders, while something happens. */
async function comeAndGo(folders: string[], happens: () => Promise<void>): Promise<{ relay: number; daemon: number }[]> {
  const counts = folders.map(() => ({ relay: 0, daemon: 0 }))
  const watchers = folders.map((folder, index) =>
    watch(folder, (kind, name) => {
      if (kind !== 'rename') return
      if (name?.endsWith('-relay.sock')) counts[index]!.relay++
      if (name === 'daemon.json') counts[index]!.daemon++
    })
  )
  await happens()
  for (const watcher of watchers) watcher.close()
  return counts
}

describe('who serves', () => {
  it('begins once at the start of a machine, for each disk that it gets, and ends when that is stopped', async () => {
    await lab.done('machine.create', { name: 'lab2', ...EMPTY })
    await lab.done('disk.create', { machine: 'lab1', size: '32M' })
    for (const disk of ['lab1:disk1', 'lab1:disk2']) await lab.done('share.create', { disk, to: ['lab2'] })
    const servers = async (): Promise<string[]> => (await lab.call('share.list', {})).map(({ server, clients }) => `${server.kind}, ${clients[0]!.state}`)
    const start = async (): Promise<void> => {
      await lab.done('machine.start', { machine: 'lab2' })
      expect(await servers()).toEqual(['daemon, connected', 'daemon, connected'])
    }
    const stop = async (): Promise<void> => {
      await lab.ended('machine.stop', { machine: 'lab2', force: true })
      await until(lab, async () => (await servers()).every((server) => server === 'idle, off'))
    }
    await start() // makes the folders
    const folders = vms.sockets().map(dirname)
    await stop()
    const once = { relay: 1, daemon: 1 }
    expect(await comeAndGo(folders, start)).toEqual([once, once])
    expect(await comeAndGo(folders, stop)).toEqual([once, once])
  })

  it('passes from the owner to a storage daemon and back while one client reads on, and another writes on over NBD', async () => {
    await Promise.all([vms.machine('lab2', { sharedMemory: true }), vms.machine('lab3')])
    await vms.start('lab1', 'lab2', 'lab3')
    await vms.write('a', 0)
    const wanted = await vms.sum('lab1', 0)
    await lab.done('share.create', { disk: 'lab1:disk1', mode: 'rw', to: ['lab2', 'lab3'] })
    await lab.done('share.hand-over', { share: 'lab1', machine: 'lab3' })
    expect((await vms.share()).clients.map(({ transport, writes }) => [transport, writes])).toEqual([['vhost-user-blk', false], ['nbd', true]])
    await expectLimited('lab2')
    await vms.startReaders('lab2', MANY)
    await vms.startNumbers('lab3')
    const expectGoingOn = async (): Promise<void> => {
      await vms.expectReading('lab2', MANY, wanted)
      await vms.expectNumbers('lab3', 'lab3')
    }
    await expectGoingOn()
    await lab.done('machine.stop', { machine: 'lab1', timeoutSeconds: 60 })
    await vms.becomes('daemon, lab2 connected, lab3 connected')
    expect((await lab.machine('lab1')).state).toMatchObject({ kind: 'stopped', exit: { reason: 'The guest powered off.' } })
    await expectGoingOn()
    expect(failureIn(await lab.ended('overlay.commit', { machine: 'lab1', disk: 'disk1', history: false }))).toMatchObject({ code: 'in-use', holder: '“lab2”, “lab3”' })
    await lab.reopen()
    await vms.becomes('daemon, lab2 connected, lab3 connected')
    await vms.start('lab1')
    await vms.becomes('machine, lab2 connected, lab3 connected')
    await expectGoingOn()
    await lab.done('overlay.renew', { machine: 'lab1', disk: 'disk1' })
    await lab.ended('machine.stop', { machine: 'lab1', force: true })
    await vms.becomes('daemon, lab2 connected, lab3 connected')
    await expectGoingOn()
    expect((await vms.share()).clients.map(({ reason }) => reason)).toEqual([null, null])
    await expectLimited('lab3')

    // Over NBD what was not answered by a process that is killed is asked again. What was written and not yet synced then may be gone.
    const synced = await vms.acknowledged('lab3')
    process.kill(await vms.daemonPid(), 'SIGKILL')
    await vms.expectNumbers('lab3', 'lab3', synced)
    expect((await vms.share()).clients[1]).toMatchObject({ state: 'connected', reason: null })
    await expectHeld('lab3')
  })
})
