import { describe, expect, it } from 'vitest'
import { interfaceIdentifier } from '#core/snapshot/identity'

describe('the half of an IPv6 address that is made of a MAC address', () => {
  it('has the bit of local administration turned over, and fffe in the middle', () => {
    expect(interfaceIdentifier('52:54:00:73:a0:de')).toBe('505400fffe73a0de')
    expect(interfaceIdentifier('00:1B:21:0a:00:01')).toBe('021b21fffe0a0001')
  })
})
