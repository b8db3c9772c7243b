import { expect, it } from 'vitest'
import { z } from 'zod'
import { Failure } from '#contract'
import { checkedInput } from '#core/input'

const schema = z.strictObject({
  cpus: z.number().int().min(1).max(255),
  name: z.string().min(1).max(3),
  network: z.enum(['user', 'isolated']).optional(),
  tags: z.array(z.string()).optional()
})

const refusal = (input: unknown): string => {
  try {
    checkedInput(schema, input)
    return 'taken'
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return error.error.message
  }
}

it('says in plain words which field does not fit, and why', () => {
  const good = { cpus: 1, name: 'a' }
  expect(refusal(good)).toBe('taken')
  expect(refusal({ ...good, cpus: 0 })).toBe('“cpus” cannot be used: it has to be at least 1.')
  expect(refusal({ ...good, cpus: 256 })).toBe('“cpus” cannot be used: it has to be at most 255.')
  expect(refusal({ ...good, cpus: 1.5 })).toBe('“cpus” cannot be used: it has to be a whole number.')
  expect(refusal({ ...good, cpus: 'two' })).toBe('“cpus” cannot be used: it has to be a number.')
  expect(refusal({ name: 'a' })).toBe('“cpus” cannot be used: it is missing.')
  expect(refusal({ ...good, name: '' })).toBe('“name” cannot be used: it is empty.')
  expect(refusal({ ...good, name: 'abcd' })).toBe('“name” cannot be used: it is longer than 3 characters.')
  expect(refusal({ ...good, network: 'wlan' })).toBe('“network” cannot be used: it has to be one of user, isolated.')
  expect(refusal({ ...good, tags: 'x' })).toBe('“tags” cannot be used: it has to be a list.')
  expect(refusal({ ...good, tags: [1] })).toBe('“tags.0” cannot be used: it has to be a string.')
  expect(refusal({ ...good, colour: 'red' })).toContain('“colour” cannot be used')
  expect(refusal(7)).toBe('The input cannot be used: it has to be an object.')
})
