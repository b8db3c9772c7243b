import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { isLocked, lockFile } from '#core/host/lock'
import { signalProcess, spawnDetached } from '#core/host/process'
import { failureOf, scratchFolder } from '../../support/scratch'

test('only one holds a lock, until it is released', async () => {
  const path = join(scratchFolder(), 'lock')
  const lock = await lockFile(path)
  expect(lock).not.toBeNull()
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(await lockFile(path)).toBeNull()
  expect(await isLocked(path)).toBe(true)
  lock?.release()
  lock?.release()
  expect(await isLocked(path)).toBe(false)
  ;(await lockFile(path))?.release()
})

test('asking neither makes the file nor disturbs who locks it meanwhile', async () => {
  const path = join(scratchFolder(), 'lock')
  expect(await isLocked(path)).toBe(false)
  expect(existsSync(path)).toBe(false)
  ;(await lockFile(path))?.release()
  const [a, lock, b] = await Promise.all([isLocked(path), lockFile(path), isLocked(path)])
  expect([a, lock === null, b]).toEqual([false, false, true])
  lock?.release()
})

test('of many who try at once exactly one gets it', async () => {
  const path = join(scratchFolder(), 'lock')
  const locks = await Promise.all(Array.from({ length: 8 }, () => lockFile(path)))
  expect(locks.filter((lock) => lock !== null)).toHaveLength(1)
  for (const lock of locks) lock?.release()
})

test('a child that inherits the lock holds it until it ends, even by SIGKILL', async () => {
  const folder = scratchFolder()
  const path = join(folder, 'lock')
  const lock = await lockFile(path)
  const child = await spawnDetached('sleep', ['100'], { logFile: join(folder, 'log'), inheritFds: lock ? [lock.fd] : [] })
  lock?.release()
  expect(await isLocked(path)).toBe(true)
  expect(await lockFile(path)).toBeNull()
  signalProcess(child.pid, child.startTicks, 'SIGKILL')
  await child.exited
  expect(await isLocked(path)).toBe(false)
})

test('the lock of a process that is killed is free again', async () => {
  const path = join(scratchFolder(), 'lock')
  const holder = spawn('flock', [path, '-c', 'echo held; exec sleep 100'], { stdio: ['ignore', 'pipe', 'ignore'], detached: true })
  await once(holder.stdout, 'data')
  expect(await lockFile(path)).toBeNull()
  process.kill(-(holder.pid ?? 0), 'SIGKILL')
  await once(holder, 'close')
  const lock = await lockFile(path)
  expect(lock).not.toBeNull()
  lock?.release()
})

test('a lock file in a folder that is not there is told by name', async () => {
  const path = join(scratchFolder(), 'none', 'lock')
  expect((await failureOf('not-found', lockFile(path))).name).toBe(path)
})
