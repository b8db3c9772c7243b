import { appendFileSync, closeSync, openSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { FileTail } from '#core/host/tail'
import { failureOf, scratchFolder } from '../../support/scratch'

async function tailOf(content: string | Buffer, fromByte = 0, holeFromBytes?: number): Promise<{ path: string; tail: FileTail }> {
  const path = join(scratchFolder(), 'log')
  writeFileSync(path, content)
  const tail = await FileTail.open(path, fromByte, holeFromBytes)
  onTestFinished(() => tail.close())
  return { path, tail }
}

test('what is there is read, then what is appended, as it comes', async () => {
  const { path, tail } = await tailOf('one')
  expect((await tail.read())?.toString()).toBe('one')
  const next = tail.read()
  appendFileSync(path, 'two')
  expect((await next)?.toString()).toBe('two')
})

test('reading begins where it was asked to, at most at the end', async () => {
  expect((await (await tailOf('0123456789', 7)).tail.read())?.toString()).toBe('789')
  const { path, tail } = await tailOf('0123456789', 1000)
  const next = tail.read()
  appendFileSync(path, 'new')
  expect((await next)?.toString()).toBe('new')
})

test('the end comes after the last byte, once nothing more will be appended', async () => {
  const { path, tail } = await tailOf('')
  const next = tail.read()
  appendFileSync(path, 'last')
  tail.finish()
  expect((await next)?.toString()).toBe('last')
  expect(await tail.read()).toBeNull()
})

test('every byte of a writer that does not wait is read, in order', async () => {
  const { path, tail } = await tailOf('')
  const fd = openSync(path, 'a')
  const blocks = 200
  const writing = (async () => {
    for (let block = 0; block < blocks; block++) {
      writeSync(fd, Buffer.alloc(10_000, block))
      if (block % 7 === 0) await new Promise(setImmediate)
    }
    closeSync(fd)
    tail.finish()
  })()
  let offset = 0
  for (let chunk = await tail.read(); chunk; chunk = await tail.read()) {
    for (const byte of chunk) if (byte !== Math.floor(offset++ / 10_000)) throw new Error(`wrong byte at ${offset - 1}`)
  }
  await writing
  expect(offset).toBe(blocks * 10_000)
})

test('a beginning that was given back is skipped', async () => {
  const path = join(scratchFolder(), 'log')
  writeFileSync(path, '')
  truncateSync(path, 2 ** 20)
  appendFileSync(path, 'end')
  const tail = await FileTail.open(path, 0, 1000)
  onTestFinished(() => tail.close())
  const chunk = await tail.read()
  expect(chunk?.length).toBeLessThanOrEqual(4096 + 3)
  expect(chunk?.toString().endsWith('end')).toBe(true)
})

test('closing ends whoever waits, and may be done twice', async () => {
  const { tail } = await tailOf('')
  const next = tail.read()
  await tail.close()
  await tail.close()
  expect(await next).toBeNull()
  expect(await tail.read()).toBeNull()
})

test('a file that is not there is told by name', async () => {
  await failureOf('not-found', FileTail.open('/nowhere/log', 0))
})
