import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { isSameProcess, processStartTicks, readProcessStats, run, signalProcess, spawnDetached } from '#core/host/process'
import { failureOf, scratchFolder, smallFileSystem, isRoot } from '../../support/scratch'

const alive = (pid: number): boolean => processStartTicks(pid) !== null

describe('run', () => {
  test('answers output, error output and exit code', async () => {
    expect(await run('sh', ['-c', 'echo out; echo err >&2'])).toEqual({ stdout: 'out\n', stderr: 'err\n', exitCode: 0 })
  })

  test('passes arguments as they are, without a shell', async () => {
    const { stdout } = await run('printf', ['%s|', 'a b', '$HOME', '`id`', "it's", 'ü,:'])
    expect(stdout).toBe("a b|$HOME|`id`|it's|ü,:|")
  })

  test('gives its input and closes it', async () => {
    expect((await run('cat', [], { input: 'ü\n'.repeat(100_000) })).stdout).toBe('ü\n'.repeat(100_000))
    expect((await run('cat', [])).stdout).toBe('')
  })

  test('does not mind a program that ends without reading its input', async () => {
    expect((await run('true', [], { input: 'x'.repeat(10_000_000) })).exitCode).toBe(0)
  })

  test('hands on output as it comes, with whole characters', async () => {
    const texts: string[] = []
    await run('sh', ['-c', "printf '\\303'; sleep 0.1; printf '\\274 end'; printf err >&2"], {
      onStdout: (text) => texts.push(text),
      onStderr: (text) => texts.push(text)
    })
    expect(texts.filter((text) => text !== 'err').join('')).toBe('ü end')
    expect(texts).toContain('err')
  })

  test('keeps no more output than asked for, and does not stall on the rest', async () => {
    const { stdout } = await run('head', ['-c', '5000000', '/dev/zero'], { maxOutputBytes: 1000 })
    expect(stdout.length).toBe(1000)
  })

  test('a missing program is named with the command that installs it', async () => {
    const error = await failureOf('missing-program', run('qemu-img', ['--version'], { env: { PATH: '/nowhere' } }))
    expect(error).toMatchObject({ program: 'qemu-img', install: 'sudo apt-get install qemu-utils' })
    expect(error.next).toContain('sudo apt-get install qemu-utils')
  })

  test('a missing folder to start in is not taken for a missing program', async () => {
    expect((await failureOf('not-found', run('true', [], { cwd: '/no/such/folder' }))).name).toBe('/no/such/folder')
  })

  test('a failure carries the program’s own words', async () => {
    const error = await failureOf('program-failed', run('sh', ['-c', 'echo it broke >&2; exit 7']))
    expect(error).toMatchObject({ program: 'sh', exitCode: 7, causes: ['it broke'] })
  })

  test('an exit code that is an answer is no failure', async () => {
    expect((await run('sh', ['-c', 'exit 3'], { acceptExitCodes: [3] })).exitCode).toBe(3)
  })

  test('a killed child is told from one that failed', async () => {
    const error = await failureOf('program-failed', run('sh', ['-c', 'kill -SEGV $$']))
    expect(error).toMatchObject({ exitCode: null, message: 'sh was ended by SIGSEGV.' })
  })

  test('cancelling kills the child', async () => {
    const controller = new AbortController()
    let pid = 0
    const running = run('sh', ['-c', 'echo $$; exec sleep 100'], {
      signal: controller.signal,
      onStdout: (text) => {
        pid = Number(text)
        controller.abort()
      }
    })
    await failureOf('cancelled', running)
    expect(pid).toBeGreaterThan(0)
    expect(alive(pid)).toBe(false)
    await failureOf('cancelled', run('true', [], { signal: controller.signal }))
  })

  test('cancelling kills what the child started too', async () => {
    const controller = new AbortController()
    let pid = 0
    const running = run('sh', ['-c', 'sleep 100 & echo $!; wait'], {
      signal: controller.signal,
      onStdout: (text) => {
        pid = Number(text)
        controller.abort()
      }
    })
    await failureOf('cancelled', running)
    expect(pid).toBeGreaterThan(0)
    expect(alive(pid)).toBe(false)
  })

  test('a time-out ends one that left a child behind with its output open', async () => {
    const error = await failureOf('time-out', run('sh', ['-c', 'sleep 100 & exit 3'], { timeoutMs: 200 }))
    expect(error.waitedMs).toBe(200)
  })

  test('a time-out kills the child and says how long it waited', async () => {
    let pid = 0
    const error = await failureOf('time-out', run('sh', ['-c', 'echo $$; exec sleep 100'], { timeoutMs: 100, onStdout: (text) => (pid = Number(text)) }))
    expect(error.waitedMs).toBe(100)
    expect(alive(pid)).toBe(false)
  })

  test('a full disk is told as such whatever the user’s language', async ({ skip }) => {
    const folder = smallFileSystem(64 * 1024)
    if (!folder) return skip('mounting a file system needs root')
    const target = join(folder, 'big')
    const error = await failureOf('no-space', run('cp', ['/bin/sh', target], { writes: target, env: { ...process.env, LANG: 'de_DE.UTF-8', LC_ALL: 'de_DE.UTF-8' } }))
    expect(error).toMatchObject({ path: target, message: `There is no space left for “${target}”.` })
  })
})

/** What another process runs that has `spawnDetached`. @returns its file */
function starterOf(lines: string): string {
  const file = join(scratchFolder(), 'starter.mjs')
  writeFileSync(file, `const { spawnDetached } = await import(${JSON.stringify(join(process.cwd(), 'electron/core/host/process.ts'))})\n${lines}`)
  return file
}

describe('spawnDetached', () => {
  test('runs in a session of its own with its output in a private log', async () => {
    const logFile = join(scratchFolder(), 'log')
    writeFileSync(logFile, 'before\n', { mode: 0o600 })
    const child = await spawnDetached('sh', ['-c', 'echo out; echo err >&2; cat; cut -d" " -f6 /proc/self/stat; exit 5'], { logFile })
    expect(await child.exited).toEqual({ exitCode: 5, signal: null })
    expect(readFileSync(logFile, 'utf8')).toBe(`before\nout\nerr\n${child.pid}\n`)
    expect(statSync(logFile).mode & 0o777).toBe(0o600)
  })

  test('does not take the processor from what runs, nor do its children', async () => {
    const logFile = join(scratchFolder(), 'log')
    const child = await spawnDetached('sh', ['-c', 'chrt --pid $$; sh -c "chrt --pid \\$\\$"'], { logFile })
    await child.exited
    expect(readFileSync(logFile, 'utf8').match(/policy: .*/g)).toEqual(['policy: SCHED_BATCH', 'policy: SCHED_BATCH'])
  })

  const policyIn = (logFile: string): string | undefined => readFileSync(logFile, 'utf8').split(') ')[1]?.split(' ')[41 - 3]

  test('runs as ever where there is no chrt', async () => {
    const folder = scratchFolder()
    const logFile = join(folder, 'log')
    const child = await spawnDetached('/bin/cat', ['/proc/self/stat'], { logFile, env: { PATH: folder } })
    await child.exited
    expect(policyIn(logFile)).toBe('0')
  })

  test('stays SCHED_IDLE where Strata is', async () => {
    const logFile = join(scratchFolder(), 'log')
    const starter = starterOf(`setInterval(() => {}, 1000) // what is detached keeps nobody alive
       await (await spawnDetached('cat', ['/proc/self/stat'], { logFile: ${JSON.stringify(logFile)} })).exited
       process.exit()`)
    await run('chrt', ['--idle', '0', process.execPath, '--import', 'tsx', starter])
    expect(policyIn(logFile)).toBe('5')
  })

  test('outlives the process that started it', async () => {
    const starter = starterOf(`const child = await spawnDetached('sleep', ['100'], { logFile: ${JSON.stringify(join(scratchFolder(), 'log'))} })
       console.log(child.pid, child.startTicks)
       setInterval(() => {}, 1000)`)
    const parent = spawn(process.execPath, ['--import', 'tsx', starter], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = (await once(parent.stdout, 'data')) as [Buffer]
    parent.kill('SIGKILL')
    await once(parent, 'close')
    const [pid = 0, startTicks = 0] = line.toString().split(' ').map(Number)
    expect(isSameProcess(pid, startTicks)).toBe(true)
    expect(signalProcess(pid, startTicks, 'SIGKILL')).toBe(true)
  })

  test('hands descriptors on as 3, 4, ...', async () => {
    const folder = scratchFolder()
    const file = join(folder, 'given')
    const { open } = await import('node:fs/promises')
    const handle = await open(file, 'w')
    const child = await spawnDetached('sh', ['-c', 'echo through 3 >&3'], { logFile: join(folder, 'log'), inheritFds: [handle.fd] })
    await child.exited
    await handle.close()
    expect(readFileSync(file, 'utf8')).toBe('through 3\n')
  })

  test('a missing program and an impossible log are told', async () => {
    const folder = scratchFolder()
    await failureOf('missing-program', spawnDetached('no-such-program', [], { logFile: join(folder, 'log') }))
    await failureOf('not-found', spawnDetached('true', [], { logFile: join(folder, 'missing', 'log') }))
  })
})

describe('a process by pid and start', () => {
  test('is found whatever its name', async () => {
    const folder = scratchFolder()
    const odd = join(folder, 'a) S 1 (b')
    await run('cp', ['/bin/sleep', odd])
    const child = await spawnDetached(odd, ['100'], { logFile: join(folder, 'log') })
    await vi.waitFor(() => expect(readFileSync(`/proc/${child.pid}/stat`, 'utf8')).toContain('(a) S 1 (b)'))
    expect(child.startTicks).toBeGreaterThan(processStartTicks(process.pid) ?? Infinity)
    expect(processStartTicks(child.pid)).toBe(child.startTicks)
    expect(signalProcess(child.pid, child.startTicks, 'SIGTERM')).toBe(true)
    expect(await child.exited).toEqual({ exitCode: null, signal: 'SIGTERM' })
    expect(processStartTicks(child.pid)).toBeNull()
    expect(signalProcess(child.pid, child.startTicks, 'SIGTERM')).toBe(false)
  })

  test('a pid that another process has now is never signalled', async () => {
    const folder = scratchFolder()
    const child = await spawnDetached('sleep', ['100'], { logFile: join(folder, 'log') })
    expect(isSameProcess(child.pid, child.startTicks - 1)).toBe(false)
    expect(signalProcess(child.pid, child.startTicks - 1, 'SIGKILL')).toBe(false)
    expect(isSameProcess(child.pid, child.startTicks)).toBe(true)
    signalProcess(child.pid, child.startTicks, 'SIGKILL')
    await child.exited
  })

  test.runIf(isRoot)('a pid is not mistaken once the kernel has really used it again', async ({ skip }) => {
    const folder = scratchFolder()
    const first = await spawnDetached('sleep', ['0.05'], { logFile: join(folder, 'log') })
    await first.exited
    // The kernel gives the next process the number after this one, if it is free.
    const again = await run('sh', ['-c', `echo ${first.pid - 1} > /proc/sys/kernel/ns_last_pid; sleep 100 >/dev/null 2>&1 & echo $!`], { acceptExitCodes: [0, 1, 2] })
    const pid = Number(again.stdout)
    try {
      if (pid !== first.pid) skip('another process got the pid first, or the kernel lets nobody choose')
      expect(isSameProcess(first.pid, first.startTicks)).toBe(false)
      expect(signalProcess(first.pid, first.startTicks, 'SIGKILL')).toBe(false)
    } finally {
      if (pid > 0) process.kill(pid, 'SIGKILL')
    }
  })

  test('processor time and memory are read, and null once it is gone', async () => {
    const mine = readProcessStats(process.pid)
    expect(mine?.cpuSeconds).toBeGreaterThan(0)
    const resident = process.memoryUsage().rss
    expect(Math.abs((mine?.residentBytes ?? 0) - resident)).toBeLessThan(resident / 5)
    const child = await spawnDetached('true', [], { logFile: join(scratchFolder(), 'log') })
    await child.exited
    expect(readProcessStats(child.pid)).toBeNull()
  })
})
