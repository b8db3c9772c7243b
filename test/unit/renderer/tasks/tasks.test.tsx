import { configure, fireEvent, screen, waitFor, within } from '@testing-library/react'
import { describe, expect, it } from 'vitest'
import { failure } from '#contract'
import type { BridgeDouble, DoubleOptions } from '../../../support/bridge-double'
import type { Work } from '../../../support/bridge-double/world'
import { openWindow } from '../open-window'

configure({ asyncUtilTimeout: 10_000 })

async function openTasks(options: DoubleOptions = {}): Promise<BridgeDouble> {
  const double = await openWindow(options)
  double.sendCommand('go.tasks')
  return double
}
/** A task that runs until it is cancelled. */
const until = ({ signal }: Work): Promise<never> =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(failure('cancelled', 'It was cancelled.', {}))))
const entry = async (title: string): Promise<HTMLElement> =>
  (await screen.findByRole('heading', { name: title, level: 2 })).closest('li') ?? document.body
const titles = (): string[] =>
  within(screen.getByRole('region', { name: 'Tasks' }))
    .queryAllByRole('heading', { level: 2 })
    .map((heading) => heading.textContent)

describe('the tasks', () => {
  it('say what would be here while there are none', async () => {
    await openTasks()
    expect(await screen.findByText('No tasks yet')).toBeTruthy()
  })
  it('show how far one is as it goes on', async () => {
    const double = await openTasks()
    double.world.run('image.import', 'Import x', 'x', (work) => {
      work.phase('copying', 0.42)
      return until(work)
    })
    const bar = await within(await entry('Import x')).findByRole('progressbar', { name: 'Import x' })
    await waitFor(() => expect(bar.getAttribute('aria-valuenow')).toMatch(/^(42|0\.42)$/))
    expect(within(await entry('Import x')).getByText('copying')).toBeTruthy()
  })
  it('are cancelled on request', async () => {
    const double = await openTasks()
    double.world.run('image.import', 'Import x', 'x', until)
    fireEvent.click(await within(await entry('Import x')).findByRole('button', { name: 'Cancel' }))
    expect(await screen.findByText(/What it had begun was undone/)).toBeTruthy()
    expect(within(await entry('Import x')).queryByRole('button', { name: 'Cancel' })).toBeNull()
  })
  it('say why one cannot be cancelled any more', async () => {
    const double = await openTasks()
    double.world.run('machine.create', 'Create x', 'x', until, false)
    const cancel = await within(await entry('Create x')).findByRole('button', { name: 'Cancel' })
    expect(cancel.getAttribute('aria-description')).toMatch(/past the point/)
    fireEvent.click(cancel)
    expect(double.calls.some(({ name }) => name === 'task.cancel')).toBe(false)
  })
  it('show of a failed one what to do next, with the causes folded', async () => {
    const double = await openTasks()
    double.world.run('image.import', 'Import bad', 'bad', () =>
      Promise.reject(failure('bad-file', 'The file is damaged.', { path: '/x', next: 'Get it again.', cause: 'qemu-img: corrupt' }))
    )
    const failed = await entry('Import bad')
    expect(await within(failed).findByText('Get it again.')).toBeTruthy()
    expect(within(failed).queryByText(/qemu-img: corrupt/)).toBeNull()
    fireEvent.click(within(failed).getByRole('button', { name: 'Details' }))
    expect(within(failed).getByText(/qemu-img: corrupt/)).toBeTruthy()
  })
  it('unfold the result and the log of one that is done', async () => {
    const double = await openTasks()
    double.world.run('image.import', 'Import x', 'x', (work) => {
      work.log('qemu-img info x')
      return Promise.resolve({ name: 'x', format: 'raw' })
    })
    const done = await entry('Import x')
    fireEvent.click(await within(done).findByRole('button', { name: 'Result' }))
    expect(within(done).getByText(/"format": "raw"/)).toBeTruthy()
    fireEvent.click(within(done).getByRole('button', { name: 'Log' }))
    expect(within(done).getByText(/qemu-img info x/)).toBeTruthy()
  })
  it('are shown by what came of them', async () => {
    const double = await openTasks()
    double.world.run('a', 'Still going', null, until)
    double.world.run('b', 'Gone wrong', null, () => Promise.reject(failure('internal', 'No.', {})))
    await within(await entry('Gone wrong')).findByText('No.')
    fireEvent.click(screen.getByRole('button', { name: 'Running' }))
    expect(titles()).toEqual(['Still going'])
    fireEvent.click(screen.getByRole('button', { name: 'Failed' }))
    expect(titles()).toEqual(['Gone wrong'])
    fireEvent.click(screen.getByRole('button', { name: 'All' }))
    expect(titles()).toHaveLength(2)
  })
})

describe('the tray', () => {
  it('names the one task, counts several, and opens them', async () => {
    const double = await openWindow()
    const tray = (name: RegExp) => screen.findByRole('button', { name })
    expect(await tray(/^No tasks/)).toBeTruthy()
    double.world.run('image.import', 'Import x', 'x', until)
    expect(await tray(/^Import x/)).toBeTruthy()
    double.world.run('image.import', 'Import y', 'y', until)
    fireEvent.click(await tray(/^2.tasks running/))
    await entry('Import y')
    expect(titles()).toHaveLength(2)
  })
})
