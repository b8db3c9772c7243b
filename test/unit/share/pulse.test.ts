import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { readProcessWaits } from '#core/host/process'
import { PATIENCE_MS, Pulse } from '#core/share/pulse'
import type { QmpSession } from '#core/qmp/session'

afterEach(() => void vi.useRealTimers())

/** A monitor that answers, or keeps silent until it is told to answer. */
class Monitor {
  silent = false
  asked = 0
  private readonly waiting: (() => void)[] = []
  end!: () => void

  readonly qmp = {
    closed: new Promise<void>((resolve) => (this.end = resolve)),
    execute: () => {
      this.asked++
      return this.silent ? new Promise<void>((resolve) => this.waiting.push(resolve)) : Promise.resolve()
    }
  } as unknown as QmpSession

  answer(): void {
    this.silent = false
    this.waiting.splice(0).forEach((resolve) => resolve())
  }
}

/** A process that is in one wait as for a device, which no signal but SIGKILL ends: that of vfork(2), for a child that goes on. */
async function waitingForDevice(): Promise<{ pid: number; kill: () => void }> {
  const child = spawn('perl', ['-e', 'syscall(58) or select(undef, undef, undef, 60)'], { detached: true, stdio: 'ignore' })
  const pid = child.pid!
  await vi.waitFor(() => expect(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')).not.toBe('')) // before, it waits for what it is read from
  await vi.waitFor(() => expect(readProcessWaits(pid).waits).toHaveLength(1))
  return { pid, kill: () => void (child.exitCode === null && child.signalCode === null && process.kill(-pid, 'SIGKILL')) }
}

describe('whoever serves a shared disk', () => {
  /** @param pid by default this very process, which waits for no device */
  const watched = (pid = process.pid): { monitor: Monitor; pulse: Pulse; told: (string | null)[] } => {
    vi.useFakeTimers({ now: 1_000_000 })
    const monitor = new Monitor()
    const told: (string | null)[] = []
    const pulse = new Pulse(() => told.push(pulse.hanging && `since ${pulse.hanging.sinceMs}`))
    pulse.watch({ qmp: monitor.qmp, pid })
    return { monitor, pulse, told }
  }

  it('is well while its monitor answers, however often it is asked', async () => {
    const { monitor, pulse, told } = watched()
    await vi.advanceTimersByTimeAsync(60_000)
    expect([pulse.hanging, told]).toEqual([null, []])
    expect(monitor.asked).toBeGreaterThan(5)
  })

  it('hangs when it has not answered for some time, is asked no second question meanwhile, and is well again with the late answer', async () => {
    const { monitor, told } = watched()
    await vi.advanceTimersByTimeAsync(2_000)
    monitor.silent = true
    await vi.advanceTimersByTimeAsync(PATIENCE_MS)
    expect(told).toEqual([])
    await vi.advanceTimersByTimeAsync(30_000)
    expect(told).toEqual(['since 1004000'])
    expect(monitor.asked).toBe(2)
    monitor.answer()
    await vi.advanceTimersByTimeAsync(0)
    expect(told).toEqual(['since 1004000', null])
    await vi.advanceTimersByTimeAsync(2_000)
    expect(monitor.asked).toBe(3)
  })

  it('hangs when one of its threads waits for a device all the time, though its monitor answers', async () => {
    const { pid, kill } = await waitingForDevice()
    onTestFinished(kill)
    const { pulse, told } = watched(pid)
    await vi.advanceTimersByTimeAsync(PATIENCE_MS)
    expect(told).toEqual([])
    await vi.advanceTimersByTimeAsync(2_000)
    expect(pulse.hanging).toEqual({ pid, sinceMs: 1_002_000, because: 'storage' })
    kill()
    vi.useRealTimers()
    await vi.waitFor(() => expect(readProcessWaits(pid).waits).toEqual([]))
  })

  it('is looked after no more when it has ended, nor when another serves', async () => {
    const { monitor, pulse, told } = watched()
    monitor.silent = true
    await vi.advanceTimersByTimeAsync(20_000)
    monitor.end()
    await vi.advanceTimersByTimeAsync(20_000)
    expect(pulse.hanging).toBeNull()
    const other = new Monitor()
    pulse.watch({ qmp: other.qmp, pid: process.pid })
    await vi.advanceTimersByTimeAsync(2_000)
    pulse.watch(null)
    monitor.answer()
    await vi.advanceTimersByTimeAsync(20_000)
    expect([other.asked, told.length]).toEqual([1, 1])
  })
})

it('a process that was stopped is told from one that sleeps', async () => {
  const child = spawn('sleep', ['60'])
  onTestFinished(() => void child.kill('SIGKILL'))
  const pid = child.pid!
  expect(readProcessWaits(pid).stopped).toBe(false)
  child.kill('SIGSTOP')
  await vi.waitFor(() => expect(readProcessWaits(pid)).toEqual({ stopped: true, waits: [] }))
})

it('of a process that is gone nothing is told', () => {
  expect(readProcessWaits(2 ** 30)).toEqual({ stopped: false, waits: [] })
})
