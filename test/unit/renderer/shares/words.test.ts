import { describe, expect, it } from 'vitest'
import type { ClusterMember, Share, ShareClient, SharePublication, ShareRefresh } from '#contract'
import { lookOfClient, lookOfMember, sayPublished, sayReason, sayRefreshed, sayServer, whyNotAsked, whyNotPublish, whyNotRefresh } from '../../../../renderer/features/shares/words'

const reader = (machine: string, state: ShareRefresh['readers'][number]['state']): ShareRefresh['readers'][number] => ({ machineId: machine, machine, state, folders: [], afterMs: 1, reason: null })

describe('whoever serves and does not answer', () => {
  const hung = (server: Partial<Extract<Share['server'], { kind: 'hung' }>>): Share =>
    ({ machine: 'lab1', clients: [], server: { kind: 'hung', machine: null, pid: 1, sinceMs: new Date(2026, 0, 1, 14, 2, 31).getTime(), because: null, ...server } }) as unknown as Share

  it('is told with since when, why, and what can be done', () => {
    expect(sayServer(hung({}))).toBe('The storage daemon has not answered since 14:02:31. Guests wait; if it stays so, another can take its place.')
    expect(sayServer(hung({ machine: 'lab1', because: 'stopped' }))).toBe(
      'The QEMU of lab1, which serves it, has not answered since 14:02:31: it is stopped, by a signal or a debugger. Guests wait until it goes on; or force lab1 off, and a storage daemon serves it.'
    )
    expect(sayServer(hung({ because: 'storage' }))).toContain('the storage that its files are on does not answer. Guests wait until that does.')
  })

  it('is not asked to take part in anything', () => {
    for (const why of [whyNotPublish, whyNotRefresh]) expect(why(hung({}))).toBe('Whoever serves it does not answer.')
  })
})

describe('a disk that nobody can serve', () => {
  const GONE = 'Could not open it: No such file or directory'
  const client = { machine: 'lab2', state: 'waiting', reason: GONE } as ShareClient
  const failed = { machine: 'lab1', clients: [client], server: { kind: 'failed', message: GONE } } as unknown as Share

  it('is told once with why, and that it is tried again; of a client only that it waits', () => {
    expect(sayServer(failed)).toBe(`${GONE}. It is tried again every five seconds.`)
    expect(sayReason(failed, client)).toBe('What it asks for waits until somebody serves it.')
    expect(sayReason(failed, { ...client, state: 'failing', reason: 'It gets errors.' })).toBe('It gets errors.')
  })

  it('is not asked to take part in anything, and neither is one that passes to another process', () => {
    for (const why of [whyNotAsked, whyNotPublish, whyNotRefresh]) expect(why(failed)).toBe('Nobody can serve it now.')
    expect(whyNotAsked({ ...failed, server: { kind: 'moving' } })).toContain('in a moment')
  })
})

describe('a client', () => {
  it('that has the disk looks otherwise when something is to be known of it', () => {
    const connected = { state: 'connected', reason: null } as ShareClient
    expect(lookOfClient(connected)).toMatchObject({ tone: 'running', word: 'Connected' })
    expect(lookOfClient({ ...connected, reason: 'A request may have been lost.' })).toMatchObject({ tone: 'paused', word: 'Connected' })
    const mounted = { state: 'mounted' } as ClusterMember
    expect(lookOfMember(mounted)).toMatchObject({ tone: 'running', word: 'Mounted' })
    expect(lookOfMember(mounted, true)).toMatchObject({ tone: 'paused', word: 'Mounted' })
    // What is worse is told before it.
    expect(lookOfMember({ ...mounted, state: 'out' }, true)).toMatchObject({ tone: 'failed' })
  })
})

describe('how it went with readers', () => {
  it('is told in sentences, of one machine and of several', () => {
    const published: SharePublication = { version: 2, writer: 'lab1', settled: true, readers: [reader('lab2', 'fresh'), reader('lab3', 'unmounted'), reader('lab4', 'busy')] }
    expect(sayPublished(published)).toBe('Version 2 is published. lab2 and lab3 read it now. lab4 keeps what it had: a program uses the disk.')
    expect(sayPublished({ ...published, readers: [] })).toBe('Version 2 is published. Each machine gets it when it starts.')
    const refreshed: ShareRefresh = { writer: 'lab1', flushMs: 1, readers: [reader('lab2', 'fresh'), reader('lab3', 'unasked')] }
    expect(sayRefreshed(refreshed)).toBe('lab2 mounted it anew, and sees what lab1 has written. lab3 could not be asked.')
    expect(sayRefreshed({ ...refreshed, readers: [] })).toBe('No machine reads it now.')
  })
})
