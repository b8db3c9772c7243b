import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { run } from '#core/host/process'
import { runtimePaths } from '#core/library/paths'
import { byIoUring, launchDaemon } from '#core/share/daemon'
import { scratchFolder } from '../../support/scratch'

afterEach(() => void vi.unstubAllEnvs())

it('every file of an image is read by io_uring, however deep it lies', () => {
  const file = (filename: string): object => ({ driver: 'file', filename })
  expect(byIoUring({ driver: 'qcow2', file: file('a'), backing: { driver: 'raw', file: file('b'), 'read-only': true } })).toEqual({
    ...{ driver: 'qcow2', file: { driver: 'file', filename: 'a', aio: 'io_uring' } },
    backing: { driver: 'raw', file: { driver: 'file', filename: 'b', aio: 'io_uring' }, 'read-only': true }
  })
  expect(byIoUring({ driver: 'null-co', size: 1, backing: null })).toEqual({ driver: 'null-co', size: 1, backing: null })
})

describe('a storage daemon', () => {
  /** An image, and a program in front of the real one that notes what it is told; `refuses`: it lets nobody use io_uring. */
  async function prepared(refuses: boolean): Promise<{ start: () => ReturnType<typeof launchDaemon>; told: () => string[] }> {
    const folder = scratchFolder()
    const image = join(folder, 'disk.qcow2')
    await run('qemu-img', ['create', '-f', 'qcow2', image, '1M'])
    const program = (await run('sh', ['-c', 'command -v qemu-storage-daemon'])).stdout.trim()
    const refusal = 'case "$*" in *io_uring*) echo "qemu-storage-daemon: failed to init linux io_uring ring: Operation not permitted" >&2; exit 1;; esac\n'
    writeFileSync(join(folder, 'qemu-storage-daemon'), `#!/bin/sh\necho "$*" >> "${folder}/told"\n${refuses ? refusal : ''}exec ${program} "$@"\n`)
    chmodSync(join(folder, 'qemu-storage-daemon'), 0o755)
    vi.stubEnv('PATH', `${folder}:${process.env.PATH}`)
    const node = { driver: 'qcow2', 'node-name': 'disk', file: { driver: 'file', filename: image } }
    return { start: () => launchDaemon(runtimePaths(join(folder, 'run')).share('01234567'), node), told: () => readFileSync(join(folder, 'told'), 'utf8').trim().split('\n').map((line) => (line.includes('io_uring') ? 'io_uring' : 'threads')) }
  }

  it.each([
    { refuses: false, as: ['io_uring'] },
    { refuses: true, as: ['io_uring', 'threads'] }
  ])('is started by io_uring, and without where that is refused: $refuses', async ({ refuses, as }) => {
    const { start, told } = await prepared(refuses)
    const daemon = await start()
    onTestFinished(() => daemon.kill().catch(() => {}))
    expect((await daemon.qmp.execute('query-named-block-nodes', { flat: true })).length).toBeGreaterThan(0)
    expect(told()).toEqual(as)
    await daemon.quit()
  })

  it('that cannot open its image is not started twice, and is told with its words', async () => {
    const { told } = await prepared(false)
    const runtime = runtimePaths(join(scratchFolder(), 'run')).share('01234567')
    const start = launchDaemon(runtime, { driver: 'qcow2', 'node-name': 'disk', file: { driver: 'file', filename: '/nowhere' } })
    await expect(start).rejects.toMatchObject({ error: { code: 'program-failed', causes: ["Could not open '/nowhere': No such file or directory"] } })
    expect(told()).toHaveLength(1)
  })
})
