import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { annoy } from '../support/hostile-client'
import { failureIn, openLab, until, type Lab } from '../support/lab'
import { isRoot } from '../support/scratch'
import { SHARED, ShareLab } from '../support/share-lab'

const MiB = 2 ** 20
/** Of a daemon and an owner each. */
const MOST_KILLS = 20
/** More in the soak of the same name. */
const ROUNDS = Number(process.env.STRATA_SHARE_ROUNDS ?? 1)

/** Puts the disks of a machine that is off on a file system of their own. @returns its folder */
async function onSmallFileSystem(lab: Lab, machine: string): Promise<string> {
  const { files } = await lab.call('disk.show', { machine, disk: 'disk1' })
  const folder = dirname(files[0]!.path)
  const kept = `${folder}.kept`
  cpSync(folder, kept, { recursive: true })
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m,mode=0700', 'tmpfs', folder])
  onTestFinished(() => void execFileSync('umount', ['--lazy', folder]))
  cpSync(kept, folder, { recursive: true, preserveTimestamps: true })
  return folder
}

/** Takes all space but this much. @returns what gives it back */
function fill(folder: string, leaveBytes: number): () => void {
  const { bavail, bsize } = statfsSync(folder)
  writeFileSync(join(folder, 'ballast'), Buffer.alloc(Math.max(0, bavail * bsize - leaveBytes)))
  return () => rmSync(join(folder, 'ballast'))
}

describe('while a client writes to a shared disk', () => {
  it('no fault of an exporter, of another client, or of the host’s disk loses what was acknowledged', { timeout: 300_000 * ROUNDS }, async () => {
    const lab = await openLab()
    const vms = new ShareLab(lab)
    await vms.machine('lab1')
    await lab.done('disk.create', { machine: 'lab1', size: '64M' })
    const folder = isRoot ? await onSmallFileSystem(lab, 'lab1') : null
    await Promise.all(['lab2', 'lab3'].map((name) => vms.machine(name, { sharedMemory: true })))
    await lab.done('share.create', { disk: 'lab1:disk1', mode: 'rw', to: ['lab2', 'lab3'] })
    await lab.done('share.hand-over', { share: 'lab1', machine: 'lab2' })
    await vms.start('lab1', 'lab2', 'lab3')
    expect(await vms.states()).toBe('machine, lab2 connected, lab3 connected')
    // Else a guest does not flush, and a sync means nothing.
    for (const name of ['lab2', 'lab3']) expect(await vms.inGuest(name, 'cat /sys/block/vdb/queue/write_cache')).toBe('write back')
    await vms.startNumbers('lab2')
    await vms.startReaders('lab3', [64])
    const untouched = await vms.sum('lab3', 0)

    // The owner is killed: the storage daemon goes on from what is on the host.
    process.kill(await vms.pidOf('lab1'), 'SIGKILL')
    await vms.becomes('daemon, lab2 connected, lab3 connected')
    await vms.expectNumbers('lab2', 'lab3')
    expect((await vms.share()).clients.map(({ reason }) => reason)).toEqual([null, null])

    for (let round = 0; round < ROUNDS; round++) {
      await killAndAnnoy(vms)
      await vms.becomes('daemon, lab2 connected, lab3 connected')
      await vms.expectNumbers('lab2', 'lab3')
      await vms.expectReading('lab3', [64], untouched)
    }

    if (folder) await expectFullDiskTold(vms, folder)

    // A client is killed: its export goes, and the writer does not notice.
    const { socket } = await vms.relay('lab3')
    const sockets = [socket, socket.replace('.sock', '-export.sock')]
    expect(sockets.every(existsSync)).toBe(true)
    process.kill(await vms.pidOf('lab3'), 'SIGKILL')
    await vms.becomes('daemon, lab2 connected, lab3 off')
    await until(lab, () => !sockets.some(existsSync), 30_000)
    await vms.expectNumbers('lab2', 'lab2')

    await expectWrittenThrough(vms)
    await expectHangTold(vms)
    await expectHeldForATime(vms)
  })
})

/** A client that writes and reads with many requests under way, and checks what it reads. Its owner is off. */
async function deepWriter(): Promise<{ lab: Lab; vms: ShareLab }> {
  const lab = await openLab()
  const vms = new ShareLab(lab)
  await vms.machine('lab1')
  await lab.done('disk.create', { machine: 'lab1', size: '64M' })
  await vms.machine('lab2', { sharedMemory: true, memory: '320M' })
  await lab.done('share.create', { disk: 'lab1:disk1', mode: 'rw', to: ['lab2'] })
  await lab.done('share.hand-over', { share: 'lab1', machine: 'lab2' })
  await vms.start('lab2')
  await vms.startDeep('lab2')
  return { lab, vms }
}

describe('with many requests of a client under way', () => {
  it('no end of whoever serves loses one, and none is answered twice', { timeout: 300_000 * ROUNDS }, async () => {
    const { lab, vms } = await deepWriter()
    await lab.call('share.limit', { share: 'lab1', machine: 'lab2', requests: 1000 })
    // Until some were answered out of order when it was killed.
    for (let kill = 0; kill < 2 * ROUNDS || ((await vms.relay('lab2')).moved === 0 && kill < MOST_KILLS); kill++) {
      process.kill(await vms.daemonPid(), 'SIGKILL')
      await vms.becomes('daemon, lab2 connected')
      await vms.expectDeep('lab2')
      // The owner takes over, and is killed.
      await lab.done('machine.start', { machine: 'lab1' })
      await vms.becomes('machine, lab2 connected')
      await vms.expectDeep('lab2')
      process.kill(await vms.pidOf('lab1'), 'SIGKILL')
      await vms.becomes('daemon, lab2 connected')
      await vms.expectDeep('lab2')
    }
    const { moved, unsure, pid } = await vms.relay('lab2')
    expect(moved).toBeGreaterThan(0)
    expect(unsure).toBe(false)
    expect((await vms.share()).clients[0]!.reason).toBeNull()
    // What is between them ends: whoever serves answers all that it had taken, and another takes its place.
    process.kill(pid, 'SIGKILL')
    await until(lab, async () => (await vms.states()) !== 'daemon, lab2 connected', 30_000)
    await vms.becomes('daemon, lab2 connected')
    await vms.expectDeep('lab2', ['verified'])
  })

  it('one that may be lost is told, with what to do, until that was done', { timeout: 300_000 }, async () => {
    const { lab, vms } = await deepWriter()
    await vms.expectDeep('lab2')
    // More happens than a ring has room for, while the relay does not look; then whoever serves is killed.
    const { pid } = await vms.relay('lab2')
    const reads = async (): Promise<number> => Number((await vms.inGuest('lab2', 'cat /sys/block/vdb/stat')).split(/\s+/)[0])
    process.kill(pid, 'SIGSTOP')
    const before = await reads()
    await until(lab, async () => (await reads()) > before + 2048, 60_000)
    const daemon = await vms.daemonPid()
    process.kill(daemon, 'SIGKILL')
    await until(lab, async () => !existsSync(`/proc/${daemon}`), 10_000)
    process.kill(pid, 'SIGCONT')
    await until(lab, async () => (await vms.share()).clients[0]!.reason !== null, 30_000)
    expect((await vms.share()).clients[0]!.reason).toContain('reset the machine')
    await lab.call('machine.reset', { machine: 'lab2' })
    await until(lab, async () => (await vms.share()).clients[0]!.reason === null, 60_000)
    expect((await vms.relay('lab2')).unsure).toBe(false)
    await vms.becomes('daemon, lab2 connected')
  })
})

/** What is answered, and not yet synced, is lost with an exporter that is killed, unless each write is on the disk before. Set while it is written. */
async function expectWrittenThrough(vms: ShareLab): Promise<void> {
  expect((await vms.lab.call('share.edit', { share: 'lab1', writeThrough: true })).writeThrough).toBe(true)
  await vms.becomes('daemon, lab2 connected, lab3 off')
  await vms.stopNumbers('lab2')
  await vms.expectUnsynced('lab2', 'lab2', async () => void process.kill(await vms.daemonPid(), 'SIGKILL'))
}

/** One that hangs is told, and is left alone: it may go on. One can have another in its place. */
async function expectHangTold(vms: ShareLab): Promise<void> {
  const { lab } = vms
  const pid = await vms.daemonPid()
  process.kill(pid, 'SIGSTOP')
  await vms.becomes('hung, lab2 waiting, lab3 off')
  expect((await vms.share()).server).toMatchObject({ kind: 'hung', machine: null, pid, because: 'stopped' })
  process.kill(pid, 'SIGCONT')
  await vms.becomes('daemon, lab2 connected, lab3 off')
  expect(await vms.daemonPid()).toBe(pid)
  expect(failureIn(await lab.ended('share.restart', { share: 'lab1' })).message).toContain('answers')
  process.kill(pid, 'SIGSTOP')
  const { server } = await lab.done('share.restart', { share: 'lab1', force: true })
  expect(server.kind === 'daemon' && server.pid).not.toBe(pid)
  await vms.becomes('daemon, lab2 connected, lab3 off')
  await vms.inGuest('lab2', `dd if=${SHARED} of=/dev/null bs=4096 count=1 iflag=direct`)
}

/** Nobody can serve it: the guest waits for as long as it is to, then it gets errors, until somebody can. */
async function expectHeldForATime(vms: ShareLab): Promise<void> {
  await vms.lab.call('share.edit', { share: 'lab1', hold: 5 })
  const { path } = (await vms.lab.call('disk.show', { machine: 'lab1', disk: 'disk1' })).files[0]!
  renameSync(path, `${path}.away`)
  process.kill(await vms.daemonPid(), 'SIGKILL')
  const read = (): Promise<{ exitCode: number | null; stderr: string }> =>
    vms.lab.call('guest.exec', { machine: 'lab2', command: ['dd', `if=${SHARED}`, 'of=/dev/null', 'bs=4096', 'count=1', 'iflag=direct'], timeoutSeconds: 60 })
  const startedAt = performance.now()
  expect((await read()).stderr).toContain('Input/output error')
  expect(performance.now() - startedAt).toBeGreaterThan(4_000)
  await vms.becomes('failed, lab2 failing, lab3 off')
  // It is so too for the next Strata, and is over as soon as there is something to serve.
  await vms.lab.reopen()
  await vms.becomes('failed, lab2 failing, lab3 off')
  expect((await read()).stderr).toContain('Input/output error')
  renameSync(`${path}.away`, path)
  await vms.becomes('daemon, lab2 connected, lab3 off')
  expect((await read()).exitCode).toBe(0)
}

/** All sockets are deleted, and the daemon is killed. Then the relay of lab3 is: at the new one’s socket somebody else is faster, and talks nonsense, which never reaches the daemon. */
async function killAndAnnoy(vms: ShareLab): Promise<void> {
  const relay = await vms.relay('lab3')
  for (const socket of vms.sockets()) rmSync(socket)
  process.kill(await vms.daemonPid(), 'SIGKILL')
  await vms.becomes('daemon, lab2 connected, lab3 connected')
  process.kill(relay.pid, 'SIGKILL')
  const deadlineMs = Date.now() + 60_000
  while ((await annoy(relay.socket, 1)) === 0 && Date.now() < deadlineMs) await delay(5)
  const pid = await vms.daemonPid()
  await annoy(relay.socket, 4)
  expect(await vms.daemonPid()).toBe(pid)
}

/** What has no room is an error in the guest, of that write alone. */
async function expectFullDiskTold(vms: ShareLab, folder: string): Promise<void> {
  const giveBack = fill(folder, 6 * MiB)
  const write = (name: string): Promise<{ exitCode: number | null; stderr: string }> =>
    vms.lab.call('guest.exec', { machine: name, command: ['dd', 'if=/dev/urandom', `of=${SHARED}`, 'bs=1M', 'seek=20', 'count=30', 'oflag=direct', 'conv=notrunc,fsync'], timeoutSeconds: 60 })
  const refused = await write('lab2')
  expect(refused.exitCode).not.toBe(0)
  expect(refused.stderr).toMatch(/No space left|Input\/output error/)
  giveBack()
  expect((await write('lab2')).exitCode).toBe(0)
  await vms.expectNumbers('lab2', 'lab3')
}
