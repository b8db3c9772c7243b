import { describe, expect, it } from 'vitest'
import { planFileSystem } from '#core/share/cluster'
import { addressOfNode, macOfNode } from '#core/share/cluster-guest'
import { fromGuest } from '#core/share/load'

const MIB = 2 ** 20

describe('a cluster file system', () => {
  it('has a journal for each machine, and eight where there is room', () => {
    expect(planFileSystem(32 * MIB, 2)).toEqual({ slots: 2, journalMiB: 4 })
    expect(planFileSystem(64 * MIB, 3)).toEqual({ slots: 4, journalMiB: 4 })
    expect(planFileSystem(256 * MIB, 2)).toEqual({ slots: 8, journalMiB: 4 })
    expect(planFileSystem(1024 * MIB, 2)).toEqual({ slots: 8, journalMiB: 8 })
    expect(planFileSystem(4096 * MIB, 12)).toEqual({ slots: 12, journalMiB: 8 })
  })

  it('is refused on a disk that is too small for its journals', () => {
    expect(() => planFileSystem(16 * MIB, 2)).toThrow('too small')
    expect(() => planFileSystem(48 * MIB, 4)).toThrow('too small')
  })

  it('gives each node an address of its own', () => {
    expect([addressOfNode(1), macOfNode(1)]).toEqual(['10.213.0.1', '52:54:01:d5:00:01'])
    expect([addressOfNode(254), macOfNode(254)]).toEqual(['10.213.0.254', '52:54:01:d5:00:fe'])
  })
})

describe('what a guest counts of a disk', () => {
  it('is taken from the kernel’s line, in sectors of 512 bytes', () => {
    const line = '     100        0     2048       50       20        0      512       30        0       60       80        0        0        0        0        0        0\n'
    expect(fromGuest('a', line)).toEqual({ machineId: 'a', reads: 100, writes: 20, readBytes: 2048 * 512, writtenBytes: 512 * 512, readMs: 50, writeMs: 30 })
  })

  it('is nothing when the line is of another kind', () => {
    expect(fromGuest('a', '')).toBeNull()
    expect(fromGuest('a', 'no such file')).toBeNull()
  })
})
