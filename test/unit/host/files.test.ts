import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, linkSync, lstatSync, mkdirSync, openSync, readFileSync, readdirSync, statSync, symlinkSync, truncateSync, writeFileSync, writeSync, closeSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import {
  allocatedBytes, copyBig, copySmall, diskSpace, ensurePrivateFolder, exists, fileFacts, linkOrCopy, listFolder, makeReadOnly, move, punchHole, readJson, readTail,
  removeFile, removeTree, writeFileAtomic, writeJsonAtomic
} from '#core/host/files'
import { OpenFile } from '#core/host/open-file'
import { peek } from '#core/host/peek'
import { asNobody, failureOf, isRoot, scratchFolder, smallFileSystem } from '../../support/scratch'

const forever = new AbortController().signal

describe('writing a file whole', () => {
  test('gives content, mode, and nothing beside it', async () => {
    const folder = scratchFolder()
    const path = join(folder, 'a ü, file.json')
    await writeFileAtomic(path, 'one')
    await writeFileAtomic(path, new Uint8Array([116, 119, 111]), 0o644)
    expect(readFileSync(path, 'utf8')).toBe('two')
    expect(statSync(path).mode & 0o777).toBe(0o644)
    expect(readdirSync(folder)).toEqual(['a ü, file.json'])
  })

  test('on a full disk leaves the old content and nothing beside it', async ({ skip }) => {
    const folder = smallFileSystem(64 * 1024)
    if (!folder) return skip('mounting a file system needs root')
    const path = join(folder, 'file')
    await writeFileAtomic(path, 'old')
    expect((await failureOf('no-space', writeFileAtomic(path, 'x'.repeat(200_000)))).path).toBe(path)
    expect(readFileSync(path, 'utf8')).toBe('old')
    expect(readdirSync(folder)).toEqual(['file'])
  })

  test('names the file and the system’s code when it is not possible', async () => {
    const folder = scratchFolder()
    writeFileSync(join(folder, 'file'), '')
    expect(await failureOf('file', writeFileAtomic(join(folder, 'file', 'below'), ''))).toMatchObject({ path: join(folder, 'file', 'below'), errno: 'ENOTDIR' })
    chmodSync(folder, 0o555)
    expect(await failureOf('file', asNobody(() => writeFileAtomic(join(folder, 'other'), '')))).toMatchObject({ errno: 'EACCES' })
  })

  test('killed at any moment leaves the old content or the new one', async () => {
    const folder = scratchFolder()
    const path = join(folder, 'file')
    await writeFileAtomic(path, 'a'.repeat(300_000))
    const writer = join(folder, 'writer.mjs')
    writeFileSync(
      writer,
      `const { writeFileAtomic } = await import(${JSON.stringify(join(process.cwd(), 'electron/core/host/files.ts'))})
       console.log('ready')
       for (let n = 0; ; n++) await writeFileAtomic(${JSON.stringify(path)}, (n % 2 ? 'a' : 'b').repeat(300_000))`
    )
    for (const afterMs of [0, 3, 11]) {
      const child = spawn(process.execPath, ['--import', 'tsx', writer], { stdio: ['ignore', 'pipe', 'inherit'] })
      await once(child.stdout, 'data')
      await new Promise((resolve) => setTimeout(resolve, afterMs))
      child.kill('SIGKILL')
      await once(child, 'close')
      expect(readFileSync(path, 'utf8')).toMatch(/^(a{300000}|b{300000})$/)
    }
  }, 20_000)
})

describe('reading JSON', () => {
  const Schema = z.object({ schemaVersion: z.literal(1), size: z.number() })
  const given = async (text: string): Promise<string> => {
    const path = join(scratchFolder(), 'file.json')
    await writeFileAtomic(path, text)
    return path
  }

  test('gives what was written', async () => {
    const path = await given('')
    await writeJsonAtomic(path, { schemaVersion: 1, size: 5 })
    expect(await readJson(path, Schema)).toEqual({ schemaVersion: 1, size: 5 })
  })

  test('tells damage, naming what is wrong', async () => {
    expect((await failureOf('bad-file', readJson(await given('{"size": 5'), Schema))).message).toContain('does not hold JSON')
    expect((await failureOf('bad-file', readJson(await given('{"schemaVersion": 1, "size": "5"}'), Schema))).message).toContain('size')
    await failureOf('bad-file', readJson(await given('null'), Schema))
    await failureOf('not-found', readJson('/nowhere/file.json', Schema))
  })

  test('refuses a newer version and leaves it as it is', async () => {
    const path = await given('{"schemaVersion": 2, "other": true}')
    await failureOf('newer-version', readJson(path, Schema))
    expect(readFileSync(path, 'utf8')).toBe('{"schemaVersion": 2, "other": true}')
  })
})

describe('a private folder', () => {
  test('is made, with those above it, and an open one is closed', async () => {
    const folder = join(scratchFolder(), 'a', 'b')
    await ensurePrivateFolder(folder)
    chmodSync(folder, 0o755)
    await ensurePrivateFolder(folder)
    expect(statSync(folder).mode & 0o777).toBe(0o700)
  })

  test('is not a link, a file, or somebody else’s', async () => {
    const folder = scratchFolder()
    mkdirSync(join(folder, 'target'))
    symlinkSync(join(folder, 'target'), join(folder, 'link'))
    writeFileSync(join(folder, 'file'), '')
    expect(await failureOf('file', ensurePrivateFolder(join(folder, 'link')))).toMatchObject({ errno: 'ENOTDIR' })
    await failureOf('file', ensurePrivateFolder(join(folder, 'file')))
    if (!isRoot) return
    chownSync(join(folder, 'target'), 65534, 65534)
    expect(await failureOf('file', ensurePrivateFolder(join(folder, 'target')))).toMatchObject({ errno: 'EPERM' })
  })
})

describe('folders and names', () => {
  test('moving never replaces what is there', async () => {
    const folder = scratchFolder()
    for (const name of ['a', 'b']) writeFileSync(join(folder, name), name)
    await failureOf('already-exists', move(join(folder, 'a'), join(folder, 'b')))
    await failureOf('not-found', move(join(folder, 'none'), join(folder, 'c')))
    await move(join(folder, 'a'), join(folder, 'c'))
    expect(readFileSync(join(folder, 'c'), 'utf8')).toBe('a')
    expect(await exists(join(folder, 'a'))).toBe(false)
  })

  test('what is not there is an empty list, and removed already', async () => {
    const folder = scratchFolder()
    expect(await listFolder(join(folder, 'none'))).toEqual([])
    await removeFile(join(folder, 'none'))
    await removeTree(join(folder, 'none'))
    symlinkSync('/nowhere', join(folder, 'dangling'))
    expect(await exists(join(folder, 'dangling'))).toBe(true)
  })

  test('space is told in bytes, holes not counted', async () => {
    const folder = scratchFolder()
    mkdirSync(join(folder, 'below'))
    writeFileSync(join(folder, 'below', 'sparse'), '')
    truncateSync(join(folder, 'below', 'sparse'), 2 ** 30)
    writeFileSync(join(folder, 'full'), Buffer.alloc(100_000, 1))
    const bytes = await allocatedBytes(folder)
    expect(bytes).toBeGreaterThanOrEqual(100_000)
    expect(bytes).toBeLessThan(1_000_000)
    expect(await allocatedBytes(join(folder, 'none'))).toBe(0)
    const { freeBytes, totalBytes } = await diskSpace(folder)
    expect(freeBytes).toBeGreaterThan(0)
    expect(totalBytes).toBeGreaterThan(freeBytes)
    await failureOf('not-found', diskSpace(join(folder, 'none')))
  })
})

describe('parts of files', () => {
  test('the end and the start', async () => {
    const path = join(scratchFolder(), 'log')
    expect(await readTail(path, 10)).toEqual({ text: '', totalBytes: 0 })
    writeFileSync(path, 'one\ntwo\nthree\n')
    expect(await readTail(path, 6)).toEqual({ text: 'three\n', totalBytes: 14 })
    expect((await readTail(path, 100)).text).toBe('one\ntwo\nthree\n')
    const { sizeBytes, start, end } = await peek(path, 3, 6)
    expect([sizeBytes, start.toString(), end.toString()]).toEqual([14, 'one', 'three\n'])
    expect((await peek(path, 100, 100)).end.length).toBe(14)
  })

  test('a pipe or a folder is refused without waiting for it', async () => {
    const folder = scratchFolder()
    execFileSync('mkfifo', [join(folder, 'pipe')])
    expect((await failureOf('bad-file', peek(join(folder, 'pipe'), 10, 10))).message).toContain('is a pipe')
    expect((await failureOf('bad-file', peek(folder, 10, 10))).message).toContain('is a folder')
    expect((await failureOf('bad-file', peek('/dev/zero', 10, 10))).message).toContain('is a device')
    expect((await failureOf('bad-file', OpenFile.read(join(folder, 'pipe')))).message).toContain('is a pipe')
    expect((await failureOf('bad-file', OpenFile.read(folder))).message).toContain('is a folder')
  })

  test('the space of a long file’s beginning is given back, its size and end stay', async () => {
    const path = join(scratchFolder(), 'log')
    writeFileSync(path, Buffer.alloc(2_000_000, 'x'))
    await punchHole(path, 10_000_000, 4096)
    expect(statSync(path).blocks * 512).toBeGreaterThanOrEqual(2_000_000)
    await punchHole(path, 1_000_000, 4096)
    expect(statSync(path).size).toBe(2_000_000)
    expect(statSync(path).blocks * 512).toBeLessThan(20_000)
    expect((await readTail(path, 4096)).text).toBe('x'.repeat(4096))
  })
})

describe('copies', () => {
  const big = (folder: string): string => {
    const path = join(folder, 'from ü, :a')
    const fd = openSync(path, 'w')
    for (const megabyte of [0, 30, 63]) writeSync(fd, Buffer.alloc(2 ** 20, megabyte + 1), 0, 2 ** 20, megabyte * 2 ** 20)
    closeSync(fd)
    return path
  }

  test('a big one has the same bytes and the same holes', async () => {
    const folder = scratchFolder()
    const [from, to] = [big(folder), join(folder, '-to')]
    await copyBig(from, to, { signal: forever, onProgress: () => {} })
    expect(readFileSync(to).equals(readFileSync(from))).toBe(true)
    expect(statSync(to).blocks * 512).toBeLessThan(5 * 2 ** 20)
  })

  test('a big one that does not fit, or is cancelled, fails as such', async ({ skip }) => {
    const folder = scratchFolder()
    const from = big(folder)
    const controller = new AbortController()
    controller.abort()
    await failureOf('cancelled', copyBig(from, join(folder, 'to'), { signal: controller.signal, onProgress: () => {} }))
    await failureOf('not-found', copyBig(join(folder, 'none'), join(folder, 'to'), { signal: forever, onProgress: () => {} }))
    const small = smallFileSystem(2 ** 20)
    if (!small) return skip('mounting a file system needs root')
    expect((await failureOf('no-space', copyBig(from, join(small, 'to'), { signal: forever, onProgress: () => {} }))).path).toBe(join(small, 'to'))
  })

  test('a small one replaces nothing and tells which side failed', async ({ skip }) => {
    const folder = scratchFolder()
    const [from, to] = [join(folder, 'from'), join(folder, 'to')]
    writeFileSync(from, 'content')
    await copySmall(from, to)
    expect(statSync(to).mode & 0o777).toBe(0o600)
    expect(await failureOf('file', copySmall(from, to))).toMatchObject({ path: to, errno: 'EEXIST' })
    expect((await failureOf('not-found', copySmall(join(folder, 'none'), join(folder, 'other')))).name).toBe(join(folder, 'none'))
    expect((await failureOf('not-found', copySmall(from, join(folder, 'none', 'other')))).name).toBe(join(folder, 'none', 'other'))
    const small = smallFileSystem(8192)
    if (!small) return skip('mounting a file system needs root')
    writeFileSync(from, Buffer.alloc(100_000, 1))
    expect((await failureOf('no-space', copySmall(from, join(small, 'to')))).path).toBe(join(small, 'to'))
  })

  test('another name for the file where that is possible, else a copy', async ({ skip }) => {
    const folder = scratchFolder()
    const from = join(folder, 'from')
    writeFileSync(from, 'content')
    await linkOrCopy(from, join(folder, 'to'))
    expect(statSync(join(folder, 'to')).ino).toBe(statSync(from).ino)
    const other = smallFileSystem(2 ** 20)
    if (!other) return skip('mounting a file system needs root')
    expect(() => linkSync(from, join(other, 'to'))).toThrow('EXDEV')
    await linkOrCopy(from, join(other, 'to'))
    expect(readFileSync(join(other, 'to'), 'utf8')).toBe('content')
  })

  test('read-only is for everybody, and facts notice a change', async () => {
    const path = join(scratchFolder(), 'file')
    writeFileSync(path, 'content')
    const before = await fileFacts(path)
    await makeReadOnly(path)
    expect(lstatSync(path).mode & 0o777).toBe(0o444)
    expect(await fileFacts(path)).toEqual(before)
    chmodSync(path, 0o600)
    writeFileSync(path, 'Content')
    expect(await fileFacts(path)).not.toEqual(before)
  })
})
