import { describe, expect, it } from 'vitest'
import { Failure, NO_LIMITS, type ShareRecord } from '#contract'
import type { ManagedMachine } from '#core/machine/machine'
import { requirePossible } from '#core/share/possible'

const owner = '11111111-0000-4000-8000-000000000000'
const client = { name: 'lab2', definition: { id: '22222222-0000-4000-8000-000000000000' } } as ManagedMachine
const record: ShareRecord = {
  ...{ schemaVersion: 1, id: '01234567', machineId: owner, disk: 'disk0', mode: 'ro', writer: null, published: null, cluster: null, holdSeconds: null, writeThrough: false },
  ...{ createdAtMs: 0, clients: [] }
}
const whyNot = (shares: number, cluster: boolean, more: Partial<ShareRecord> = {}): string | null => {
  try {
    requirePossible({ ...record, ...more }, client, { shares, cluster })
    return null
  } catch (error) {
    return error instanceof Failure ? error.error.message : String(error)
  }
}

describe('a machine can get a shared disk', () => {
  it('while it has a port for it, of which the network of the cluster takes one', () => {
    expect(whyNot(3, false)).toBeNull()
    expect(whyNot(2, true)).toBeNull()
    expect(whyNot(4, false)).toBe('“lab2” has 4 shared disks, and no port for another disk.')
    expect(whyNot(3, true)).toBe('“lab2” has 3 shared disks and the network of the cluster, and no port for another disk.')
  })

  it('once, and not its own', () => {
    const { id: machineId } = client.definition
    expect(whyNot(0, false, { machineId })).toContain('it is its own')
    expect(whyNot(1, false, { clients: [{ machineId, addedAtMs: 0, version: null, limits: NO_LIMITS }] })).toContain('has this disk already')
  })
})
