import { describe, expect, it } from 'vitest'
import { operations } from '#contract'
import { limitsOn } from '#core/disk/nodes'
import { limitName } from '#core/share/limit'

const machineId = '22222222-0000-4000-8000-000000000000'

describe('what a client may ask for', () => {
  it('is bounded by a filter whose name QEMU takes, and that is found by its disk alone', () => {
    const longest = `a${'9'.repeat(15)}`
    for (const version of [null, 3]) expect(limitName(longest, machineId, { version }).length).toBeLessThan(32)
    expect(limitName('disk1', machineId, { version: null }).startsWith(limitsOn('disk1'))).toBe(true)
    expect(limitName('disk10', machineId, { version: null }).startsWith(limitsOn('disk1'))).toBe(false)
    expect(limitName('disk1', machineId, { version: 3 }).startsWith(limitsOn('disk1'))).toBe(false) // it stands on a layer below
  })

  it('is neither so little that a guest seems to hang, nor more than QEMU takes', () => {
    const { input } = operations['share.limit']
    const bytes = (given: string): number | undefined => {
      const parsed = input.safeParse({ share: 'lab1', machine: 'lab2', bytes: given })
      return parsed.success ? parsed.data.bytes : undefined
    }
    expect(['10M', '0', '64K', '900T'].map(bytes)).toEqual([10 * 2 ** 20, 0, 2 ** 16, 900 * 2 ** 40])
    expect(['10', '1000T', 'much'].map(bytes)).toEqual([undefined, undefined, undefined])
  })
})
