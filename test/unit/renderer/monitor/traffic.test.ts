import { describe, expect, it } from 'vitest'
import { KEPT_CHARACTERS, KEPT_ENTRIES, passes, Traffic } from '../../../../renderer/features/monitor/traffic'

const line = (direction: 'sent' | 'received', message: unknown, atMs = 1000): string => JSON.stringify({ atMs, direction, message }) + '\n'
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const none = new Set<string>()

describe('QMP traffic', () => {
  it('names answers after their commands, and says how long they took', () => {
    const traffic = new Traffic()
    traffic.push(
      bytes(
        line('sent', { execute: 'query-block', id: 'a1' }, 1000) +
          line('sent', { execute: 'device_del', arguments: { id: 'x' }, id: 'a2' }, 1001) +
          line('received', { event: 'RESUME', timestamp: {} }, 1002) +
          line('received', { error: { class: 'DeviceNotFound', desc: 'no' }, id: 'a2' }, 1003) +
          line('received', { return: [], id: 'a1' }, 1007) +
          line('received', { return: {}, id: 'unheard' }, 1008)
      )
    )
    expect(traffic.entries.map(({ kind, name, tookMs }) => [kind, name, tookMs])).toEqual([
      ['command', 'query-block', null],
      ['command', 'device_del', null],
      ['event', 'RESUME', null],
      ['error', 'device_del', 2],
      ['return', 'query-block', 7],
      ['return', '', null]
    ])
  })
  it('is put together again however it was cut, within characters too', () => {
    const traffic = new Traffic()
    const all = bytes(line('received', { event: 'JÖB 😀' }) + 'not json\n' + line('received', { event: 'STOP' }))
    for (const byte of all) traffic.push(Uint8Array.of(byte))
    expect(traffic.entries.map(({ name }) => name)).toEqual(['JÖB 😀', 'STOP'])
  })
  it('keeps the last messages only', () => {
    const traffic = new Traffic()
    for (let count = 0; count < KEPT_ENTRIES + 500; count++) traffic.push(bytes(line('received', { event: `E${count}` })))
    expect(traffic.entries).toHaveLength(KEPT_ENTRIES)
    expect(traffic.entries[0]?.name).toBe('E500')
    expect(traffic.dropped).toBe(500)
  })
  it('keeps less of messages that are long', () => {
    const traffic = new Traffic()
    const long = 'x'.repeat(KEPT_CHARACTERS / 4)
    for (let count = 0; count < 10; count++) traffic.push(bytes(line('received', { event: `E${count}`, long })))
    expect(traffic.entries.map(({ name }) => name)).toEqual(['E7', 'E8', 'E9'])
  })
})

describe('the filter', () => {
  const traffic = new Traffic()
  traffic.push(
    bytes(line('sent', { execute: 'query-blockstats', id: 1 }) + line('received', { return: ['Disk0'], id: 1 }) + line('sent', { execute: 'query-block', id: 2 }) + line('received', { error: { desc: 'no' }, id: 3 }))
  )
  const names = (filter: Partial<Parameters<typeof passes>[1]>): string[] =>
    traffic.entries.filter((entry) => passes(entry, { text: '', hidePolling: true, asked: none, ...filter })).map(({ kind, name }) => `${kind} ${name}`)

  it('hides what the window asks for again and again, with the answers', () => {
    expect(names({})).toEqual(['command query-block', 'error '])
    expect(names({ hidePolling: false })).toHaveLength(4)
  })
  it('shows it when it was typed here', () => {
    expect(names({ asked: new Set(['query-blockstats']) })).toHaveLength(4)
  })
  it('finds text anywhere in a message, whatever its case', () => {
    expect(names({ hidePolling: false, text: ' disk0 ' })).toEqual(['return query-blockstats'])
    expect(names({ hidePolling: false, text: 'BLOCKSTATS' })).toHaveLength(2)
  })
})
