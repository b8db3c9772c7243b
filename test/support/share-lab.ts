import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { Share } from '#contract'
import { connectUnix } from '#core/host/socket'
import { until, type Lab } from './lab'

/** A client's first disk is its own: the shared one is the second. */
export const SHARED = '/dev/vdb'
/** A guest takes a moment to find what is plugged in. */
const SEEN = `until [ -b ${SHARED} ]; do sleep 0.05; done`
const logOf = (kib: number): string => `/tmp/sums.${kib}`

/** Machines that share `lab1:disk1`, and what their guests read and write. */
export class ShareLab {
  constructor(readonly lab: Lab) {}

  async machine(name: string, more: object = {}): Promise<void> {
    await this.lab.done('machine.create', { name, memory: '160M', cpus: 1, network: [], display: false, ...more })
  }
  async start(...names: string[]): Promise<void> {
    await Promise.all(names.map((name) => this.lab.done('machine.start', { machine: name, wait: 'agent' })))
  }
  /** Runs a line in a guest's shell; it has to succeed. */
  async inGuest(name: string, line: string): Promise<string> {
    const { exitCode, stdout, stderr } = await this.lab.call('guest.exec', { machine: name, command: ['sh', '-c', line], timeoutSeconds: 120 })
    if (exitCode !== 0) throw new Error(`${name}: ${line}: ${exitCode} ${stdout}${stderr}`)
    return stdout.trim()
  }
  share(): Promise<Share> {
    return this.lab.call('share.show', { share: 'lab1:disk1' })
  }
  async states(): Promise<string> {
    const { server, clients } = await this.share()
    return [server.kind, ...clients.map(({ machine, state }) => `${machine} ${state}`)].join(', ')
  }
  async becomes(wanted: string): Promise<void> {
    await until(this.lab, async () => (await this.states()) === wanted, 60_000).catch(async () => expect(await this.states()).toBe(wanted))
  }

  /** Flushed: what its guest has not flushed an owner that is killed takes with it, as at a power cut. */
  async write(letter: string, atMiB: number): Promise<void> {
    await this.inGuest('lab1', `head -c 1048576 /dev/zero | tr '\\0' ${letter} | dd of=${SHARED} bs=1M seek=${atMiB} conv=notrunc,fsync oflag=direct iflag=fullblock 2>/dev/null`)
  }
  sum(name: string, atMiB: number): Promise<string> {
    return this.inGuest(name, `${SEEN}; dd if=${SHARED} bs=1M count=1 skip=${atMiB} iflag=direct 2>/dev/null | md5sum`)
  }
  async expectSame(atMiB: number, readers: string[]): Promise<void> {
    const wanted = await this.sum('lab1', atMiB)
    for (const reader of readers) expect(await this.sum(reader, atMiB), reader).toBe(wanted)
  }
  /** At the end of the disk, where no file is. */
  async expectRefused(name: string): Promise<void> {
    await this.inGuest(name, SEEN)
    const { exitCode, stderr } = await this.lab.call('guest.exec', { machine: name, command: ['dd', 'if=/dev/zero', `of=${SHARED}`, 'bs=4096', 'count=1', 'seek=8191', 'oflag=direct'] })
    expect(exitCode, name).not.toBe(0)
    expect(stderr, name).toMatch(/not permitted|Input\/output error/)
  }
  async writers(): Promise<string[]> {
    const { machine, ownerWrites, clients } = await this.share()
    return [...(ownerWrites ? [machine] : []), ...clients.filter(({ writes }) => writes).map((client) => client.machine)]
  }

  sockets(): string[] {
    const root = join(this.lab.home, 'run/strata')
    const found = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => /share-[0-9a-f]{8}\/[0-9a-f]{8}\.sock$/.test(name))
    expect(found.length).toBeGreaterThan(0)
    return found.map((name) => join(root, name))
  }
  /** What the relay of a client tells of itself. */
  async relay(name: string): Promise<{ socket: string; pid: number; moved: number; unsure: boolean }> {
    const { id } = await this.lab.machine(name)
    const socket = this.sockets().find((path) => path.endsWith(`/${id.slice(0, 8)}.sock`))!
    const observer = await connectUnix(socket.replace(/\.sock$/, '-relay.sock'))
    const [line] = (await once(observer, 'data')) as [Buffer]
    observer.destroy()
    return { socket, ...(JSON.parse(line.toString()) as { pid: number; moved: number; unsure: boolean }) }
  }
  async pidOf(name: string): Promise<number> {
    const { state } = await this.lab.machine(name)
    if (!('pid' in state)) throw new Error(`${name} is ${state.kind}`)
    return state.pid
  }
  async daemonPid(): Promise<number> {
    const { server } = await this.share()
    if (server.kind !== 'daemon') throw new Error(`served by ${server.kind}`)
    return server.pid
  }

  /** Readers that go on for ever in a guest, each with requests of another size (KiB), so that they are not answered in the order of asking. */
  async startReaders(name: string, sizes: number[]): Promise<void> {
    await this.inGuest(name, `touch ${sizes.map(logOf).join(' ')}`)
    const loop = (kib: number): string => `while :; do dd if=${SHARED} bs=${kib}k count=${1024 / kib} iflag=direct 2>/dev/null | md5sum >> ${logOf(kib)}; done`
    await this.inGuest(name, sizes.map((kib) => `(${loop(kib)}) > /dev/null 2>&1 < /dev/null &`).join(' '))
  }
  /** Every reader reads on, and none has ever read anything but this. */
  async expectReading(name: string, sizes: number[], wanted: string): Promise<void> {
    const counts = async (): Promise<number[]> => (await this.inGuest(name, sizes.map((kib) => `wc -l < ${logOf(kib)}`).join('; '))).split('\n').map(Number)
    const before = await counts()
    await until(this.lab, async () => (await counts()).every((count, index) => count > before[index]! + 1), 60_000)
    expect(await this.inGuest(name, 'sort -u /tmp/sums.*')).toBe(wanted)
  }

  /**
   * Writes and reads without end, of many sizes and 48 at a time, bounded so that they are not answered in the order of asking; all that is
   * written is read again and compared. The guest needs 320 MiB.
   */
  async startDeep(name: string): Promise<void> {
    const fio = `fio --filename=${SHARED} --direct=1 --ioengine=libaio`
    const write = `${fio} --name=write --rw=randwrite --bs=4k --iodepth=32 --size=4M --verify=crc32c --do_verify=1 --verify_fatal=1`
    const read = `${fio} --name=read --readonly --rw=randread --bsrange=4k-256k --iodepth=16 --size=64M --time_based --runtime=36000`
    await this.inGuest(name, `dd if=/dev/urandom of=${SHARED} bs=1M count=4 oflag=direct conv=fsync 2>/dev/null; : > /tmp/verified; (while ${write} > /tmp/deep 2>&1; do echo >> /tmp/verified; done; cp /tmp/deep /tmp/broken) > /dev/null 2>&1 < /dev/null &`)
    await this.inGuest(name, `(${read} > /tmp/deep-read 2>&1; cp /tmp/deep-read /tmp/broken) > /dev/null 2>&1 < /dev/null &`)
  }
  /** What its guest has read and written until now, and how often it has found all that it wrote. */
  private async deep(name: string): Promise<{ reads: number; writes: number; verified: number }> {
    const [verified, ...stat] = (await this.inGuest(name, 'test ! -e /tmp/broken || tail -n 5 /tmp/broken >&2; test ! -e /tmp/broken && wc -l < /tmp/verified && cat /sys/block/vdb/stat')).split(/\s+/).map(Number)
    return { verified: verified!, reads: stat[0]!, writes: stat[4]! }
  }
  /** It reads on, and writes; or has verified once more. */
  async expectDeep(name: string, of: readonly ('reads' | 'writes' | 'verified')[] = ['reads', 'writes']): Promise<void> {
    const before = await this.deep(name)
    await until(
      this.lab,
      async () => {
        const now = await this.deep(name)
        return of.every((key) => now[key] > before[key])
      },
      60_000
    )
  }

  /** A writer that goes on for ever: block n holds the number n, each flushed before the next. What is acknowledged stands in a file of the guest's own. They have room. */
  async startNumbers(name: string): Promise<void> {
    const one = `printf %08d $n | dd of=${SHARED} bs=4096 seek=$((n % ${NUMBERS} + ${FIRST_NUMBER})) conv=sync,notrunc,fsync oflag=direct 2> /tmp/said && echo $n > /tmp/acknowledged`
    await this.inGuest(name, `dd if=/dev/zero of=${SHARED} bs=4096 seek=${FIRST_NUMBER} count=${NUMBERS} conv=notrunc 2>/dev/null; sync; echo 0 > /tmp/acknowledged; (n=0; while n=$((n + 1)); do ${one} || { cp /tmp/said /tmp/failed; exit; }; [ ! -e /tmp/stop ] || { touch /tmp/stopped; exit; }; done) > /dev/null 2>&1 < /dev/null &`)
  }
  async stopNumbers(name: string): Promise<void> {
    await this.inGuest(name, 'touch /tmp/stop; until [ -e /tmp/stopped ] || [ -e /tmp/failed ]; do sleep 0.05; done; test ! -e /tmp/failed')
  }

  /** Numbers where nothing was written before, each alone in its cluster and none of them flushed, while something happens. All are there at the end. */
  async expectUnsynced(name: string, reader: string, happens: () => Promise<void>): Promise<void> {
    const one = `printf %08d $n | dd of=${SHARED} bs=4096 seek=$((n * 16 + ${FIRST_UNSYNCED})) conv=sync,notrunc oflag=direct 2> /tmp/said && echo $n > /tmp/written`
    await this.inGuest(name, `echo 0 > /tmp/written; (n=0; while n=$((n + 1)); [ $n -le ${UNSYNCED} ]; do ${one} || { cp /tmp/said /tmp/lost; exit; }; done) > /dev/null 2>&1 < /dev/null &`)
    const written = (): Promise<number> => this.inGuest(name, 'test ! -e /tmp/lost || cat /tmp/lost >&2; test ! -e /tmp/lost && cat /tmp/written').then(Number)
    await until(this.lab, async () => (await written()) > 20, 60_000)
    await happens()
    await until(this.lab, async () => (await written()) === UNSYNCED, 60_000)
    const text = await this.inGuest(reader, `dd if=${SHARED} bs=64k skip=${FIRST_UNSYNCED / 16} count=${UNSYNCED + 1} iflag=direct 2>/dev/null | tr -d '\\0'`)
    const there = (text.match(/\d{8}/g) ?? []).map(Number)
    expect(there).toEqual(Array.from({ length: UNSYNCED }, (_, index) => index + 1))
  }

  acknowledged(name: string): Promise<number> {
    return this.inGuest(name, 'test ! -e /tmp/failed || cat /tmp/failed >&2; test ! -e /tmp/failed && cat /tmp/acknowledged').then(Number)
  }
  /** It writes on, without an error, and all that was acknowledged is there for another to read. @param upTo only what was acknowledged by then */
  async expectNumbers(name: string, reader: string, upTo = Infinity): Promise<void> {
    const before = await this.acknowledged(name)
    await until(this.lab, async () => (await this.acknowledged(name)) > before + 2, 60_000)
    const last = await this.acknowledged(name)
    const text = await this.inGuest(reader, `dd if=${SHARED} bs=4096 skip=${FIRST_NUMBER} count=${NUMBERS} iflag=direct 2>/dev/null | tr -d '\\0'`)
    const there = new Set((text.match(/\d{8}/g) ?? []).map(Number))
    const lost: number[] = []
    for (let n = Math.min(last, upTo); n > Math.max(0, last - NUMBERS); n--) if (!there.has(n) && !there.has(n + NUMBERS)) lost.push(n)
    expect(lost, `of ${last} acknowledged writes`).toEqual([])
  }
}
/** Blocks for numbers, after the first four MiB; then they are used again. */
const NUMBERS = 2048
const FIRST_NUMBER = 1024
/** In the last MiB of a disk of 64 MiB. */
const FIRST_UNSYNCED = 13_312
const UNSYNCED = 100
