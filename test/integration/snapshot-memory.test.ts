import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, readSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { memoryFile } from '#core/host/memory-file'
import { QmpSession } from '#core/qmp/session'
import { capture, type Captured } from '#core/snapshot/capture'
import { copyMemory } from '#core/snapshot/copy'
import { asWork } from '#core/task/work'
import { EMPTY, openLab, type Lab } from '../support/lab'
import { failureOf, scratchFolder, smallFileSystem } from '../support/scratch'

const PAGE_BYTES = 4096
const MiB = 2 ** 20

/** Memory with a hole from 2 to 6 MiB, and zeros that are none from 7 MiB on. */
function memory(folder: string): { path: string; put: (at: number, bytes: Buffer) => void } {
  const path = join(folder, 'the guest’s ☂')
  const file = openSync(path, 'w+')
  const put = (at: number, bytes: Buffer): void => void writeSync(file, bytes, 0, bytes.length, at)
  put(0, random(2 * MiB))
  put(6 * MiB, random(MiB))
  put(7 * MiB, Buffer.alloc(MiB))
  return { path, put }
}
const random = (bytes: number): Buffer => Buffer.from(Array.from({ length: bytes }, () => Math.floor(Math.random() * 256)))
const holding = (path: string): { path: string; usedBytes: number } => ({ path, usedBytes: 0 })
const heldBytes = (path: string): number => statSync(path).blocks * 512

describe('memory that is copied while it changes', () => {
  it('is what it was when the guest stood still; what was never touched, or is zeros, takes no room', async () => {
    const folder = scratchFolder()
    const { path, put } = memory(folder)
    const target = join(folder, 'copy')
    writeFileSync(target, '')
    const copy = copyMemory(holding(path), target)
    await copy.nearly()
    expect(heldBytes(target)).toBeLessThanOrEqual(3 * MiB)
    put(5 * PAGE_BYTES + 7, Buffer.from([1, 2, 3])) // in a page that was copied
    put(9 * PAGE_BYTES, Buffer.alloc(2 * PAGE_BYTES)) // which became zeros
    put(4 * MiB - 1, random(2)) // in a hole, across a boundary
    put(7 * MiB + 5 * PAGE_BYTES + 1, Buffer.from([9])) // in zeros
    put(8 * MiB - 1, Buffer.from([8])) // the last byte
    await copy.finish()
    await copy.abandon()
    expect(readFileSync(target).equals(readFileSync(path))).toBe(true)
    expect(heldBytes(target)).toBeLessThanOrEqual(3.1 * MiB)
    expect(heldBytes(path)).toBeLessThanOrEqual(4.1 * MiB) // looking at a hole does not fill it
  })

  it('that has no room, is none, or is given up, is told with the name of the file', async () => {
    const small = smallFileSystem(MiB)
    const folder = scratchFolder()
    const { path } = memory(folder)
    if (small) {
      writeFileSync(join(small, 'copy'), '')
      const full = copyMemory(holding(path), join(small, 'copy'))
      expect(await failureOf('no-space', () => full.nearly())).toMatchObject({ path: join(small, 'copy') })
      await failureOf('no-space', () => full.finish())
      await full.abandon()
    }
    writeFileSync(join(folder, 'copy'), '')
    const none = copyMemory(holding(join(folder, 'none')), join(folder, 'copy'))
    expect(await failureOf('not-found', () => none.nearly())).toMatchObject({ message: expect.stringContaining('memory') as string })
    truncateSync(path, 100)
    await failureOf('file', () => copyMemory(holding(path), join(folder, 'copy')).nearly())
    const given = copyMemory(holding(memory(folder).path), join(folder, 'copy'))
    await given.nearly()
    await given.abandon()
    await failureOf('cancelled', () => given.finish())
  })
})

/** Takes the memory of lab1, which stands still afterwards, as who is its owner would. */
async function captured(lab: Lab, act: (qmp: QmpSession, pid: number, folder: string) => Promise<void>): Promise<void> {
  const { pid, runtimeFolder } = JSON.parse(readFileSync(join(lab.home, 'library/machines/lab1/run.json'), 'utf8')) as { pid: number; runtimeFolder: string }
  await lab.core.close()
  const qmp = await QmpSession.connect(join(runtimeFolder, 'qmp.sock'))
  try {
    await act(qmp, pid, scratchFolder())
    await qmp.execute('cont')
  } finally {
    qmp.close()
  }
  await lab.open()
}

function options(folder: string, how: Parameters<typeof capture>[1]['how'], resume: boolean): Parameters<typeof capture>[1] {
  const files = { ram: join(folder, 'ram'), devices: join(folder, 'devices') }
  return { how, socket: join(folder, 'socket'), files, running: true, resume, beforeInstant: async () => {}, atInstant: async () => {} }
}

/** Whether two files hold the same, told by the first place where they differ. */
function firstDifference(one: string, other: string): number | null {
  const files = [openSync(one, 'r'), openSync(other, 'r')]
  const parts = [Buffer.alloc(MiB), Buffer.alloc(MiB)]
  try {
    for (let at = 0, read = 1; read > 0; at += read) {
      read = readSync(files[0]!, parts[0]!, 0, MiB, at)
      if (readSync(files[1]!, parts[1]!, 0, MiB, at) !== read || Buffer.compare(parts[0]!, parts[1]!) !== 0) return at
    }
    return null
  } finally {
    files.forEach((file) => closeSync(file))
  }
}

describe('the memory of a QEMU', () => {
  it('of a busy guest is, byte for byte, what QEMU has when it stands still', async () => {
    const lab = await openLab()
    await lab.done('machine.create', { name: 'lab1', memory: '256M', cpus: 2 })
    await lab.done('machine.start', { machine: 'lab1', wait: 'agent' })
    const busy = 'for n in 1 2 3; do (while :; do dd if=/dev/urandom of=/dev/shm/$n bs=64k count=64; cat /proc/*/maps; sync; done) >/dev/null 2>&1 & done'
    await lab.call('guest.exec', { machine: 'lab1', command: ['/bin/sh', '-c', busy] })
    await captured(lab, async (qmp, pid, scratch) => {
      for (let round = 1; round <= 3; round++) {
        const folder = join(scratch, String(round))
        mkdirSync(folder)
        const source = await memoryFile(pid, '')
        const taken: Captured = await asWork((work) => capture(qmp, options(folder, { method: 'copied', memory: source! }, false), work))
        expect(taken.memoryBytes).toBe(256 * MiB)
        expect(firstDifference(source!.path, join(folder, 'ram')), `round ${round}`).toBe(null)
        await qmp.execute('cont')
      }
    })
    expect((await lab.machine('lab1')).state.kind).toBe('running')
  })

  /** Of 1 GiB, but for what its firmware uses. */
  const [FROM, TO] = [8 * MiB, 1016 * MiB]
  it('that is all in use is written by QEMU in the background', async () => {
    const lab = await openLab()
    await lab.done('machine.create', { ...EMPTY, name: 'lab1', memory: '1G' })
    await lab.done('machine.start', { machine: 'lab1' })
    const { state } = await lab.machine('lab1')
    const source = await memoryFile('pid' in state ? state.pid : 0, '')
    const file = openSync(source!.path, 'r+')
    for (let at = FROM; at < TO; at += PAGE_BYTES) writeSync(file, Buffer.from('used'), 0, 4, at)
    closeSync(file)
    expect(await lab.call('snapshot.plan', { machine: 'lab1' })).toMatchObject({ method: 'background', reason: null })
    expect(await lab.done('snapshot.take', { machine: 'lab1', name: 'full' })).toMatchObject({ method: 'background' })
    const ram = join(lab.home, 'library/snapshots', readdirSync(join(lab.home, 'library/snapshots'))[0]!, 'ram')
    const part = Buffer.alloc(4)
    const written = openSync(ram, 'r')
    for (let at = FROM; at < TO; at += 97 * PAGE_BYTES) {
      readSync(written, part, 0, 4, at)
      expect(part.toString(), String(at)).toBe('used')
    }
    closeSync(written)
    expect((await lab.machine('lab1')).state.kind).toBe('running')
  })
})
