import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { NO_LIMITS } from '#contract'
import { nativeFile } from '#core/host/native-files'
import { runtimePaths, type RelayPaths } from '#core/library/paths'
import { launchDaemon, type StorageDaemon } from '#core/share/daemon'
import { levelExports, type WantedClient } from '#core/share/exports'
import { Relay } from '#core/share/relay'
import { failureOf, smallFileSystem } from '../support/scratch'

const SOURCES = join(import.meta.dirname, '../../native/share')
const FLAGS = ['-std=c11', '-D_GNU_SOURCE', '-g', '-O1', '-pthread', '-Wall', '-Wextra', '-Werror']
const ADDRESSES = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all']
const RELAY = ['relay.c', 'client.c', 'export.c', 'account.c', 'link.c', 'message.c', 'memory.c', 'ring.c']

const SECTORS = 2048
const DISK_BYTES = SECTORS * 512
const SHARE = '01234567'
/** Whoever wants to do harm, and another at the same daemon. */
const HOSTILE = '11111111-0000-4000-8000-000000000000'
const OTHER = '22222222-0000-4000-8000-000000000000'

const folder = mkdtempSync(join(tmpdir(), 'strata-relay-'))
const built = (name: string): string => join(folder, name)
const run = promisify(execFile)
const compile = (name: string, sources: string[], flags: string[]): Promise<unknown> => run('cc', [...FLAGS, ...flags, '-o', built(name), ...sources], { cwd: SOURCES })

beforeAll(async () => {
  await Promise.all([compile('account', ['test.c', 'ring.c'], ADDRESSES), compile('races', ['test.c', 'ring.c'], ['-fsanitize=thread'])])
  await Promise.all([compile('hostile', ['hostile.c', 'message.c'], []), compile('relay', RELAY, ADDRESSES)])
}, 60_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

it.each(['account', 'races'])('the account of a ring is right whenever it is sure, and does no harm amid nonsense, under sanitizers (%s)', async (program) => {
  const { stdout } = await run(built(program), [program === 'races' ? '4' : '40', '1'])
  expect(stdout).toMatch(/^ok: /)
})

/** A relay before its export. */
class TestedRelay {
  private said = ''
  private constructor(
    readonly paths: RelayPaths,
    private readonly child: ChildProcess
  ) {
    child.stderr!.on('data', (bytes: Buffer) => (this.said += bytes.toString()))
  }
  static async launch(program: string, paths: RelayPaths): Promise<TestedRelay> {
    for (const path of [paths.client, paths.observer, paths.account]) rmSync(path, { force: true })
    const relay = new TestedRelay(paths, spawn(program, [paths.client, paths.exporter, paths.observer, paths.account], { stdio: ['ignore', 'ignore', 'pipe'] }))
    while (!existsSync(paths.client) && relay.child.exitCode === null) await delay(5)
    return relay
  }
  /** How it is: "runs", or what it said when it ended. */
  get state(): string {
    return this.child.exitCode === null && this.child.signalCode === null ? 'runs' : this.said
  }
  get descriptors(): number {
    return readdirSync(`/proc/${this.child.pid}/fd`).length
  }
  async end(): Promise<void> {
    if (this.state !== 'runs') return
    this.child.kill('SIGKILL')
    await once(this.child, 'exit')
  }
}

describe('a hostile client', () => {
  const runtime = runtimePaths(folder).share(SHARE)
  let daemon: StorageDaemon
  let other: TestedRelay
  const client = (paths: RelayPaths, kind: string, seed: number, count: number): Promise<unknown> => run(built('hostile'), [paths.client, kind, String(seed), String(count)], { timeout: 60_000 })

  beforeAll(async () => {
    const disk = (name: string): Record<string, unknown> => ({ driver: 'qcow2', 'node-name': name, file: { driver: 'file', filename: built(`${name}.qcow2`) } })
    for (const name of ['mine', 'others']) await run('qemu-img', ['create', '-q', '-f', 'qcow2', built(`${name}.qcow2`), String(DISK_BYTES)])
    daemon = await launchDaemon(runtime, disk('mine'))
    await daemon.open(disk('others'))
    const exported = (machineId: string, nodeName: string, requestsPerSecond: number | null): WantedClient => ({
      ...{ machineId, nodeName, transport: 'vhost-user-blk', writes: true, version: null, writeThrough: false },
      limits: { ...NO_LIMITS, requestsPerSecond }
    })
    // A bound has more of the hostile client's requests under way.
    const clients = [exported(HOSTILE, 'mine', 2000), exported(OTHER, 'others', null)]
    await levelExports(daemon.qmp, { shareId: SHARE, disk: 'disk1', runtime, nbdSocket: runtime.daemonNbd, waiting: [], clients })
    other = await TestedRelay.launch(nativeFile('relay'), runtime.relay(OTHER))
    await client(other.paths, 'fill', 7, SECTORS)
  })
  afterAll(async () => {
    await other.end()
    await daemon.quit()
  })

  it.each([
    { program: 'as it is shipped', kind: 'wrong', rounds: 1 },
    { program: 'as it is shipped', kind: 'talk', rounds: 400 },
    { program: 'as it is shipped', kind: 'rings', rounds: 300 },
    { program: 'under sanitizers', kind: 'wrong', rounds: 1 },
    { program: 'under sanitizers', kind: 'talk', rounds: 400 },
    { program: 'under sanitizers', kind: 'rings', rounds: 300 }
  ])('harms neither the relay $program, nor the daemon, nor another client by $kind', async ({ program, kind, rounds }) => {
    const relay = await TestedRelay.launch(program === 'as it is shipped' ? nativeFile('relay') : built('relay'), runtime.relay(HOSTILE))
    try {
      await client(relay.paths, 'fill', 1, 8)
      const { descriptors } = relay
      await Promise.all([client(relay.paths, kind, rounds, rounds), client(other.paths, 'check', 7, SECTORS)])
      // Whoever comes next is served as if nothing had been.
      await client(relay.paths, 'fill', 2, SECTORS)
      await client(relay.paths, 'check', 2, SECTORS)
      await client(other.paths, 'check', 7, SECTORS)
      expect({ relay: relay.state, other: other.state }).toEqual({ relay: 'runs', other: 'runs' })
      expect(relay.descriptors).toBeLessThanOrEqual(descriptors)
      expect(JSON.parse(readFileSync(runtime.daemonRecord, 'utf8'))).toMatchObject({ pid: daemon.pid })
      expect(await daemon.qmp.execute('query-block-exports')).toHaveLength(2)
    } finally {
      await relay.end()
    }
  }, 60_000)
})

it('a relay for whose account there is no room does not begin, and says why', async ({ skip }) => {
  const full = smallFileSystem(64 * 1024)
  if (!full) return skip('this user may not mount file systems')
  const paths = runtimePaths(full).share(SHARE).relay(OTHER)
  mkdirSync(paths.root, { recursive: true, mode: 0o700 })
  const free = statfsSync(full)
  writeFileSync(join(full, 'filler'), Buffer.alloc((free.bavail - 2) * free.bsize))
  const { exitCode, causes } = await failureOf('program-failed', Relay.launch(paths, () => {}))
  expect({ exitCode, causes }).toEqual({ exitCode: 2, causes: [`relay: ${paths.account}: No space left on device`] })
})
