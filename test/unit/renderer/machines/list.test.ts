import { describe, expect, it } from 'vitest'
import type { MachineState } from '#contract'
import { fits, listEntries } from '../../../../renderer/features/machines/list/filter'
import { newMachine } from '../../../support/bridge-double/samples'

const running: MachineState = { kind: 'running', pid: 1, sinceMs: 0 }
const machine = (name: string, tags: string[] = [], state: MachineState = running) => newMachine(name, state, { tags })
const names = (entries: ReturnType<typeof listEntries>): string[] =>
  entries.map((entry) => (entry.kind === 'group' ? `# ${entry.label} ${entry.count}` : entry.id))

describe('the filter', () => {
  const lab = machine('Müller-Übung 3', ['Kurs A', 'os'])
  it.each(['', 'mul', 'MÜLLER ubung', 'kurs', 'run', 'os run 3', 'tag:kurs', 'state:running'])('“%s” finds it', (filter) => {
    expect(fits(lab, filter)).toBe(true)
  })
  it.each(['stopped', 'tag:a', 'state:run3', 'müller x', 'tag:müller'])('“%s” does not', (filter) => {
    expect(fits(lab, filter)).toBe(false)
  })
  it('finds one that does not end, by what is shown of it', () => {
    const late = machine('x', [], { kind: 'stopping', pid: 1, sinceMs: 0, deadlineMs: 0, askedBy: 'acpi', overdue: true })
    expect(fits(late, 'not')).toBe(true)
  })
})

describe('the list', () => {
  it('is sorted as people count', () => {
    const ids = ['lab10', 'lab9', 'Lab2', 'älter'].map((name) => machine(name))
    expect(listEntries(ids, '', false, []).map((entry) => ids.find((one) => one.id === entry.key)?.name)).toEqual([
      'älter',
      'Lab2',
      'lab9',
      'lab10'
    ])
  })
  it('groups by tag, those without one last, and folds', () => {
    const machines = [machine('a', ['red']), machine('b', ['blue', 'red']), machine('c')]
    const id = (name: string): string => machines.find((one) => one.name === name)!.id
    expect(names(listEntries(machines, '', true, []))).toEqual(['# blue 1', id('b'), '# red 2', id('a'), id('b'), '# No tag 1', id('c')])
    expect(names(listEntries(machines, '', true, ['red']))).toEqual(['# blue 1', id('b'), '# red 2', '# No tag 1', id('c')])
  })
})
