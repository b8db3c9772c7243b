import { beforeEach, describe, expect, it } from 'vitest'
import type { Share } from '#contract'
import { openLab, until, type Lab } from '../support/lab'

let lab: Lab
const WRITES = Number(process.env.STRATA_CLUSTER_WRITES ?? 0)
const NAMES = ['lab1', 'lab2', 'lab3']

async function machine(name: string): Promise<void> {
  await lab.done('machine.create', { name, memory: WRITES > 0 ? '320M' : '192M', cpus: 1, network: [], display: false, sharedMemory: true })
}
const start = (name: string): Promise<unknown> => lab.done('machine.start', { machine: name, wait: 'agent' })
/** Runs a line in a guest's shell; it has to succeed. */
async function inGuest(name: string, line: string, timeoutSeconds = 120): Promise<string> {
  const { exitCode, stdout, stderr } = await lab.call('guest.exec', { machine: name, command: ['sh', '-c', line], timeoutSeconds })
  if (exitCode !== 0) throw new Error(`${name}: ${line}: ${exitCode} ${stdout}${stderr}`)
  return stdout.trim()
}
const share = (): Promise<Share> => lab.call('share.show', { share: 'lab1:disk1' })
const members = async (): Promise<string> => (await share()).cluster?.members.map(({ machine: name, node, state }) => `${name} ${node} ${state}`).join(', ') ?? 'none'

beforeEach(async () => {
  lab = await openLab()
  await Promise.all([machine('lab1'), machine('lab2')])
  await lab.done('disk.create', { machine: 'lab1', size: '64M' })
})

describe('a disk that all write to', () => {
  it('is made, mounted in every guest and kept in step; those that go leave it clean', async () => {
    await Promise.all(['lab1', 'lab2'].map(start))
    await lab.done('share.create', { disk: 'lab1:disk1', mode: 'cluster', to: ['lab2'], mount: '/data' })
    expect(await members()).toBe('lab1 1 mounted, lab2 2 mounted')
    expect(await lab.call('share.contents', { disk: 'lab1:disk1' })).toEqual([{ partition: null, kind: 'OCFS2', cluster: true }])

    await inGuest('lab1', 'echo from lab1 > /data/file')
    expect(await inGuest('lab2', 'cat /data/file; echo and lab2 >> /data/file')).toBe('from lab1')
    expect(await inGuest('lab1', 'cat /data/file')).toBe('from lab1\nand lab2')
    // All append at once, and none writes over another. The file is there before: of two who make it at once, OCFS2 tells one that it exists already.
    await inGuest('lab1', ': > /data/lines')
    const append = (name: string): Promise<string> => inGuest(name, `set -e; for i in 1 2 3 4 5 6 7 8 9 10; do echo ${name} >> /data/lines; done`)
    await Promise.all(['lab1', 'lab2'].map(append))
    expect(await inGuest('lab2', 'sort /data/lines | uniq -c | tr -s " "')).toBe('10 lab1\n 10 lab2')

    // Strata is closed and opened: the guests are as they were.
    await lab.reopen()
    await until(lab, async () => (await members()) === 'lab1 1 mounted, lab2 2 mounted', 60_000)

    await lab.done('share.remove', { share: 'lab1:disk1' })
    expect(await inGuest('lab2', 'grep -c ocfs2 /proc/mounts; ls /sys/class/net; true')).not.toContain('eth')
    await inGuest('lab1', 'fsck.ocfs2 -fn /dev/vdb')
    expect(await inGuest('lab1', 'ls /sys/kernel/config/cluster')).toBe('')
  })

  /** For `npm run soak -- cluster`, which says how many writes. Each guest writes to a file of its own, which another reads back, and all to one. */
  it.runIf(WRITES > 0)('keeps what three guests write at random places, also when one starts again, and its file system is sound', { timeout: 900_000 }, async () => {
    await machine('lab3')
    await lab.done('disk.remove', { machine: 'lab1', disk: 'disk1' })
    await lab.done('disk.create', { machine: 'lab1', size: `${Math.ceil(WRITES / 100) + 256}M` })
    await Promise.all(NAMES.map(start))
    const clickedAt = performance.now()
    await lab.done('share.create', { disk: 'lab1:disk1', mode: 'cluster', to: ['lab2', 'lab3'], mount: '/data' })
    const mountedMs = performance.now() - clickedAt

    const each = Math.ceil(WRITES / 3)
    const fio = (index: number, more: string): string =>
      `fio --name=w --filename=/data/own${index} --size=${each * 4 + 4096}k --bs=4k --rw=randwrite --number_ios=${each} --ioengine=psync --verify=crc32c --randseed=${index + 1} ${more} > /dev/null`
    const common = (name: string): string =>
      `i=0; while [ $((i += 1)) -le 50 ]; do dd if=/dev/urandom of=/data/common bs=4k count=1 seek=$((RANDOM % 256)) conv=notrunc 2>/dev/null || exit 1; done; echo ${name}`
    await Promise.all(NAMES.map((name, index) => inGuest(name, `${fio(index, '--do_verify=0 --end_fsync=1')} && ${common(name)}`, 600)))
    await Promise.all(NAMES.map((name, index) => inGuest(name, fio((index + 1) % 3, '--verify_only'), 600)))
    const sums = await Promise.all(NAMES.map((name) => inGuest(name, 'md5sum < /data/common')))
    expect(new Set(sums).size).toBe(1)

    // One that starts again is back in it.
    await lab.done('machine.stop', { machine: 'lab2' })
    expect(await members()).toBe('lab1 1 mounted, lab2 2 off, lab3 3 mounted')
    await start('lab2')
    await until(lab, async () => (await members()) === 'lab1 1 mounted, lab2 2 mounted, lab3 3 mounted', 120_000)

    const readMs: number[] = []
    for (let round = 0; round < 20; round++) {
      await inGuest('lab1', `echo ${round} > /data/word`)
      const writtenAt = performance.now()
      expect(await inGuest('lab2', 'cat /data/word')).toBe(String(round))
      readMs.push(performance.now() - writtenAt)
    }
    await lab.done('share.remove', { share: 'lab1:disk1' })
    await inGuest('lab1', 'fsck.ocfs2 -fn /dev/vdb')
    const sorted = readMs.toSorted((a, b) => a - b).map(Math.round)
    process.stderr.write(`cluster: ${JSON.stringify({ writes: each * 3 + 150, mountedMs: Math.round(mountedMs), readMs: { median: sorted[10], worst: sorted.at(-1) } })}\n`)
  })
})
