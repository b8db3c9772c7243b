import { describe, expect, it } from 'vitest'
import { failure, type Event } from '#contract'
import type { Core } from '#core/core'
import { linkCore } from '../../../electron/main/link'

/** A core that answers each call with its owner's name. */
function someCore(owner: string): Core & { emit(event: Event): void; closed: boolean } {
  const listeners = new Set<(event: Event) => void>()
  return {
    owner,
    closed: false,
    call: (name) => Promise.resolve({ ok: true, value: `${owner} ${name}` }),
    openStream: () => Promise.reject(new Error('not used here')),
    onEvent: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    close() {
      this.closed = true
      return Promise.resolve()
    },
    emit: (event) => listeners.forEach((listener) => listener(event))
  }
}
const event = (owner: string): Event => ({ owner, sequence: 1, kind: 'machine-removed', id: 'm' })

describe('the link to the core', () => {
  it('opens once for all the calls that wait for it', async () => {
    let opened = 0
    let finish = (_core: Core): void => undefined
    const link = linkCore(() => {
      opened++
      return new Promise((resolve) => (finish = resolve))
    })
    const calls = [link.call('machine.list', {}), link.call('task.list', {})]
    expect(link.core).toBeNull()
    finish(someCore('a'))
    expect(await Promise.all(calls)).toEqual([
      { ok: true, value: 'a machine.list' },
      { ok: true, value: 'a task.list' }
    ])
    expect(opened).toBe(1)
  })

  it('answers every waiting call with why it cannot open, and tries again when asked later', async () => {
    let time = 0
    let attempts = 0
    const link = linkCore(
      () => {
        attempts++
        if (attempts > 1) return Promise.resolve(someCore('a'))
        return Promise.reject(failure('library-owned', 'Another process owns the library.', { library: '/l', pid: 1 }))
      },
      () => time
    )
    const [first, second] = await Promise.all([link.call('machine.list', {}), link.call('host.show', {})])
    expect(first).toMatchObject({ ok: false, error: { code: 'library-owned', pid: 1 } })
    expect(second).toEqual(first)
    expect(await link.call('task.list', {})).toEqual(first)
    expect(attempts).toBe(1)
    time += 1000
    expect(await link.call('machine.list', {})).toEqual({ ok: true, value: 'a machine.list' })
  })

  it('shows an exception that nobody expected as a mistake of ours, with its stack', async () => {
    const link = linkCore(() => Promise.reject(new TypeError('x is undefined')))
    expect(await link.call('machine.list', {})).toMatchObject({ ok: false, error: { code: 'internal', causes: [expect.stringContaining('TypeError')] } })
  })

  it('passes on events of the open core, and of the next one after it was lost', async () => {
    const cores = [someCore('a'), someCore('b')]
    let next = 0
    const link = linkCore(() => Promise.resolve(cores[next++]!))
    const seen: string[] = []
    link.onEvent((told) => seen.push(told.owner))
    await link.call('machine.list', {})
    cores[0]!.emit(event('a'))
    link.lose(cores[0]!)
    expect(link.core).toBeNull()
    cores[0]!.emit(event('a'))
    expect(await link.call('machine.list', {})).toEqual({ ok: true, value: 'b machine.list' })
    cores[1]!.emit(event('b'))
    expect(seen).toEqual(['a', 'b'])
  })

  it('closes a core that finishes opening after the app began to close', async () => {
    const core = someCore('late')
    let finish = (_core: Core): void => undefined
    const link = linkCore(() => new Promise((resolve) => (finish = resolve)))
    const call = link.call('machine.list', {})
    const closing = link.close()
    finish(core)
    await closing
    expect(core.closed).toBe(true)
    expect(await call).toMatchObject({ ok: false, error: { code: 'cancelled' } })
    expect(await link.call('machine.list', {})).toMatchObject({ ok: false, error: { code: 'cancelled' } })
  })
})
