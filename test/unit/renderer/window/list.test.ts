import { fireEvent, screen, waitFor, within } from '@testing-library/react'
import { beforeEach, describe, expect, it } from 'vitest'
import { newMachine } from '../../../support/bridge-double/samples'
import type { BridgeDouble } from '../../../support/bridge-double'
import { findRow, list, openWindow, row, rowNames, selectedNames } from '../open-window'

const stopped = { kind: 'stopped' as const, exit: { atMs: 0, reason: 'The guest powered off.', exitCode: 0, signal: null, log: [] } }
const machines = () => [
  newMachine('alpha', { kind: 'running', pid: 1, sinceMs: 0 }, { tags: ['course'] }),
  newMachine('beta', stopped, { tags: ['course'] }),
  newMachine('gamma', stopped),
  newMachine('delta', { kind: 'paused', pid: 2, sinceMs: 0, reason: '' })
]
const calls = (double: BridgeDouble, name: string): unknown[] => double.calls.filter((call) => call.name === name).map((call) => call.input)
const idOf = (double: BridgeDouble, name: string): string => double.world.machine(name).id

describe('the list of machines', () => {
  let double: BridgeDouble
  beforeEach(async () => {
    double = await openWindow({ machines: machines() })
    await findRow('alpha')
  })

  it('shows name, state as a word, and tags, and marks its first painting', async () => {
    expect(rowNames()).toEqual(['alpha', 'beta', 'delta', 'gamma'])
    expect(row('alpha').textContent).toBe('alphacourseRunning')
    await waitFor(() => expect(performance.getEntriesByName('strata:list-painted-states')).toHaveLength(1))
  })

  it('is remembered, so that the next window opens with the names', async () => {
    const seen = (): { rows: { label: string }[] } => JSON.parse(localStorage.getItem('strata.machine-list-seen') ?? '{"rows":[]}') as never
    await waitFor(() => expect(seen().rows.map(({ label }) => label)).toEqual(['alpha', 'beta', 'delta', 'gamma']))
  })

  it('follows what the core says', async () => {
    double.world.apply(idOf(double, 'alpha'), { kind: 'paused', reason: '' })
    await waitFor(() => expect(row('alpha').textContent).toContain('Paused'))
  })

  it('filters by name, tag and state, and says so when nothing fits', async () => {
    const filter = screen.getByRole('searchbox')
    fireEvent.change(filter, { target: { value: 'course stop' } })
    await waitFor(() => expect(rowNames()).toEqual(['beta']))
    fireEvent.change(filter, { target: { value: 'nothing' } })
    await screen.findByText('No machine fits “nothing”.')
    fireEvent.keyDown(filter, { key: 'Escape' })
    await waitFor(() => expect(rowNames()).toHaveLength(4))
  })

  it('goes on from the filter to the first machine that fits', async () => {
    const filter = screen.getByRole('searchbox')
    fireEvent.change(filter, { target: { value: 'gam' } })
    await waitFor(() => expect(rowNames()).toEqual(['gamma']))
    fireEvent.keyDown(filter, { key: 'ArrowDown' })
    await screen.findByRole('heading', { level: 1, name: 'gamma' })
    expect(document.activeElement).toBe(list())
  })

  it('selects with the arrow keys, extends with Shift, takes all with Ctrl+A', async () => {
    list().focus()
    fireEvent.keyDown(list(), { key: 'ArrowDown' })
    await waitFor(() => expect(selectedNames()).toEqual(['alpha']))
    fireEvent.keyDown(list(), { key: 'ArrowDown', shiftKey: true })
    fireEvent.keyDown(list(), { key: 'ArrowDown', shiftKey: true })
    await waitFor(() => expect(selectedNames()).toEqual(['alpha', 'beta', 'delta']))
    fireEvent.keyDown(list(), { key: 'a', ctrlKey: true })
    await waitFor(() => expect(selectedNames()).toHaveLength(4))
    fireEvent.keyDown(list(), { key: 'Escape' })
    await waitFor(() => expect(selectedNames()).toEqual(['alpha']))
  })

  it('selects with Ctrl and Shift and the pointer', async () => {
    fireEvent.mouseDown(row('alpha'))
    fireEvent.mouseDown(row('gamma'), { ctrlKey: true })
    await waitFor(() => expect(selectedNames()).toEqual(['alpha', 'gamma']))
    fireEvent.mouseDown(row('beta'))
    fireEvent.mouseDown(row('gamma'), { shiftKey: true })
    await waitFor(() => expect(selectedNames()).toEqual(['beta', 'delta', 'gamma']))
  })

  it('starts and stops those of a selection that can, and leaves the others', async () => {
    fireEvent.mouseDown(row('alpha'))
    fireEvent.mouseDown(row('gamma'), { shiftKey: true })
    const bar = within(await screen.findByRole('toolbar', { name: 'Selected machines' }))
    fireEvent.click(bar.getByRole('button', { name: 'Start' }))
    await waitFor(() =>
      expect(rowNames().map((name) => row(name).textContent)).toEqual([
        'alphacourseRunning',
        'betacourseRunning',
        'deltaPaused',
        'gammaRunning'
      ])
    )
    expect(calls(double, 'machine.start')).toHaveLength(2)
    fireEvent.click(bar.getByRole('button', { name: 'Stop' }))
    await waitFor(() => expect(calls(double, 'machine.stop')).toHaveLength(4))
  })

  it('deletes a selection without a question, tells what stayed, and brings all of it back', async () => {
    fireEvent.mouseDown(row('alpha'))
    fireEvent.mouseDown(row('gamma'), { shiftKey: true })
    const bar = within(await screen.findByRole('toolbar', { name: 'Selected machines' }))
    fireEvent.click(bar.getByRole('button', { name: 'Delete' }))
    await waitFor(() => expect(rowNames()).toEqual(['alpha', 'delta']))
    const message = (await screen.findByText(/were deleted/)).closest('div[data-tone]') as HTMLElement
    expect(message.textContent).toMatch(/^2.machines were deleted\..*2.machines could not be deleted while running/)
    fireEvent.click(within(message).getByRole('button', { name: 'Undo' }))
    await waitFor(() => expect(rowNames()).toEqual(['alpha', 'beta', 'delta', 'gamma']))
    expect(screen.queryByText(/were deleted/)).toBeNull()
  })

  it('shows the neighbour of a machine that was deleted, and undoes it with Ctrl+Z', async () => {
    fireEvent.mouseDown(row('beta'))
    await screen.findByRole('heading', { level: 1, name: 'beta' })
    fireEvent.keyDown(document.body, { key: 'Delete', code: 'Delete', ctrlKey: true })
    await screen.findByRole('heading', { level: 1, name: 'delta' })
    fireEvent.keyDown(document.body, { key: 'z', code: 'KeyZ', ctrlKey: true })
    await screen.findByRole('heading', { level: 1, name: 'beta' })
    expect(rowNames()).toContain('beta')
  })

  it('says why a running machine cannot be deleted', async () => {
    fireEvent.mouseDown(row('alpha'))
    await screen.findByRole('heading', { level: 1, name: 'alpha' })
    fireEvent.keyDown(document.body, { key: 'Delete', code: 'Delete', ctrlKey: true })
    await screen.findByText('Stop it first.')
    expect(calls(double, 'machine.remove')).toEqual([])
  })

  it('offers what fits the machine under the pointer in a menu, with reasons for what does not', async () => {
    fireEvent.mouseDown(row('gamma'), { button: 2 })
    fireEvent.contextMenu(row('gamma'), { clientX: 10, clientY: 10 })
    const menu = within(await screen.findByRole('menu'))
    expect(menu.getByRole('menuitem', { name: /Stop/ }).textContent).toContain('It is not running, it is stopped.')
    fireEvent.click(menu.getAllByRole('menuitem', { name: /^Start/ })[0]!)
    await waitFor(() => expect(calls(double, 'machine.start')).toEqual([{ machine: idOf(double, 'gamma') }]))
  })
})

describe('a long list', () => {
  it('draws only what can be seen of five hundred machines', async () => {
    await openWindow({ machines: Array.from({ length: 500 }, (_none, index) => newMachine(`m${index}`, { kind: 'created' })) })
    await findRow('m0')
    expect(rowNames().length).toBeLessThan(50)
    expect(row('m0').getAttribute('aria-setsize')).toBe('500')
    screen.getByText('500 machines')
  })
})
