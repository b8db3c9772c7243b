import { fireEvent, screen, waitFor, within } from '@testing-library/react'
import { describe, expect, it } from 'vitest'
import type { Disk } from '#contract'
import type { BridgeDouble, DoubleOptions } from '../../../support/bridge-double'
import { builtinImage, newMachine } from '../../../support/bridge-double/samples'
import { diskMachines, eventfulDisk, libraryOf200 } from '../../../support/bridge-double/disk-samples'
import { findRow, openWindow } from '../open-window'

async function openDisks(name: string, options: DoubleOptions = {}): Promise<BridgeDouble> {
  const double = await openWindow({ machines: diskMachines(), ...options })
  fireEvent.mouseDown(await findRow(name))
  fireEvent.click(await screen.findByRole('tab', { name: 'Disks' }))
  await screen.findByRole('button', { name: 'Commit…' })
  return double
}
const diskOf = (double: BridgeDouble, name: string, id = 'disk0'): Disk =>
  double.world.machine(name).definition!.disks.find((disk) => disk.id === id)!
const layers = async (): Promise<string[]> => {
  const list = await screen.findByRole('list', { name: /^Layers of/ })
  return [...list.closest('[class*=chain]')!.querySelectorAll('strong')].map((title) => title.textContent)
}
const press = (name: string | RegExp): boolean => fireEvent.click(screen.getByRole('button', { name }))
const dialog = async () => within(await screen.findByRole('dialog'))
const menuItem = async (name: RegExp): Promise<HTMLElement> => {
  press('More that can be done to the disk')
  return within(await screen.findByRole('menu')).getByRole('menuitem', { name })
}
const inputsOf = (double: BridgeDouble, name: string): unknown[] =>
  double.calls.filter((call) => call.name === name).map(({ input }) => input)

describe('the disks of a machine', () => {
  it('are drawn from the layer that the guest writes to down to the image, with what was undone beside', async () => {
    await openDisks('lab1')
    await waitFor(async () =>
      expect(await layers()).toEqual(['Active layer', 'Commit 5', 'Commit 4', 'Commit 3', 'Commit 2', 'Built-in guest'])
    )
    screen.getByText('lab1 writes here')
    screen.getByText('Undone, and set aside')
    const history = within(screen.getByRole('list', { name: 'History' }))
    expect(history.getAllByRole('listitem').map((item) => item.querySelector('strong')?.textContent)).toEqual([
      'Commit 5',
      'Now',
      'Commit 4',
      'Commit 3',
      'Commit 2',
      'Commit 1'
    ])
  })

  it('show another disk, and remember which', async () => {
    await openDisks('lab1')
    fireEvent.click(screen.getByRole('radio', { name: /disk1/ }))
    await waitFor(async () => expect(await layers()).toEqual(['Active layer']))
    screen.getByText(/No commits yet/)
    fireEvent.mouseDown(await findRow('lab2'))
    await screen.findByText('lab2 is off; when it runs, it writes here')
    fireEvent.mouseDown(await findRow('lab1'))
    await waitFor(() => expect(screen.getByRole<HTMLInputElement>('radio', { name: /disk1/ }).checked).toBe(true))
  })

  it('follow what happens elsewhere', async () => {
    const double = await openDisks('lab2')
    await screen.findAllByText('exercise 2')
    await double.call('overlay.commit', { machine: 'lab2', disk: 'disk0', note: 'from the command line' })
    await screen.findAllByText('from the command line')
  })

  it('offer to add one where there is none', async () => {
    const double = await openWindow({ machines: diskMachines() })
    fireEvent.mouseDown(await findRow('diskless'))
    fireEvent.click(await screen.findByRole('tab', { name: 'Disks' }))
    fireEvent.click(await screen.findByRole('button', { name: 'Add a disk…' }))
    fireEvent.click((await dialog()).getByRole('button', { name: 'Add' }))
    await waitFor(() => expect(diskOf(double, 'diskless')).toMatchObject({ sizeBytes: 2 ** 30, image: null }))
  })

  it('say why something cannot be done', async () => {
    await openDisks('fresh')
    expect(screen.getByRole('button', { name: 'Undo…' }).getAttribute('aria-description')).toBe(
      'There is no commit yet that could be undone.'
    )
    expect((await menuItem(/^Merge layers/)).textContent).toContain('one layer of its own')
  })

  it('show where the data lies', async () => {
    await openDisks('lab2')
    fireEvent.click(await screen.findByRole('button', { name: 'Where the data lies' }))
    await screen.findByRole('img', { name: /^The guest reads/ })
    screen.getByRole('img', { name: /^Commit 2/ })
  })

  it('say what could not be read', async () => {
    const double = await openWindow({ machines: diskMachines() })
    double.failNext('disk.show', { code: 'file', message: 'The disk cannot be read.', path: '/x', errno: 'EIO', causes: [] })
    fireEvent.mouseDown(await findRow('lab2'))
    fireEvent.click(await screen.findByRole('tab', { name: 'Disks' }))
    await screen.findByText('The disk cannot be read.')
  })
})

describe('a commit', () => {
  it('keeps its note, and can be undone from the message', async () => {
    const double = await openDisks('lab2')
    press('Commit…')
    const form = await dialog()
    fireEvent.change(form.getByLabelText('Note'), { target: { value: 'exercise 3' } })
    fireEvent.click(form.getByRole('button', { name: 'Commit' }))
    await waitFor(() => expect(diskOf(double, 'lab2').history.at(-1)).toMatchObject({ sequence: 3, note: 'exercise 3', state: 'applied' }))
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull())
    await screen.findByText('Commit 3 of disk0 is made.')
  })

  it('asks before it gives up what was undone', async () => {
    const double = await openDisks('lab1')
    press('Renew…')
    const form = await dialog()
    const renew = form.getByRole('button', { name: 'Renew' })
    fireEvent.click(renew)
    expect(inputsOf(double, 'overlay.renew')).toEqual([])
    fireEvent.click(form.getByRole('checkbox', { name: /Give up commit 5/ }))
    fireEvent.click(renew)
    await waitFor(() => expect(inputsOf(double, 'overlay.renew')).toMatchObject([{ disk: 'disk0', history: true, forget: true }]))
  })

  it('keeps what was typed when it is refused, and says why', async () => {
    const double = await openDisks('lab2')
    press('Commit…')
    const form = await dialog()
    fireEvent.change(form.getByLabelText('Note'), { target: { value: 'kept' } })
    double.failNext('overlay.commit', { code: 'no-space', message: 'The disk of the host is full.', path: '/', causes: [] })
    fireEvent.click(form.getByRole('button', { name: 'Commit' }))
    await form.findByText('The disk of the host is full.')
    expect(form.getByLabelText<HTMLInputElement>('Note').value).toBe('kept')
  })

  it('for good is not offered where nothing of the machine’s own lies below', async () => {
    await openDisks('fresh')
    press('Commit…')
    const form = await dialog()
    expect(form.getByRole<HTMLInputElement>('radio', { name: /For good/ }).disabled).toBe(true)
    form.getByText(/an image of the library is never written to/)
  })
})

describe('undo', () => {
  it('goes back to a point that is chosen on the time line, and forward again', async () => {
    const double = await openDisks('lab2')
    await screen.findAllByText('exercise 1')
    press('Undo…')
    const form = await dialog()
    fireEvent.click(form.getByRole('button', { name: /Commit 1.*exercise 1/ }))
    await form.findByText(/Commits 1 and 2 are set aside/)
    const lost = await form.findByRole('checkbox', { name: /Throw away what was written since commit 2/ })
    expect(form.getByRole('button', { name: 'Undo' }).getAttribute('aria-disabled')).toBe('true')
    fireEvent.click(lost)
    fireEvent.click(form.getByRole('button', { name: 'Undo' }))
    await waitFor(() => expect(diskOf(double, 'lab2').undone).toHaveLength(2))
    expect(inputsOf(double, 'overlay.undo')).toMatchObject([{ to: 1, discard: true }])
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull())

    fireEvent.click(await within(screen.getByRole('list', { name: 'History' })).findByRole('button', { name: /Commit 2.*undone/ }))
    const redo = await dialog()
    await redo.findByText(/Commits 1 and 2 are put back/)
    const more = redo.queryByRole('checkbox', { name: /Throw away/ })
    if (more) fireEvent.click(more)
    fireEvent.click(redo.getByRole('button', { name: 'Redo' }))
    await waitFor(() => expect(diskOf(double, 'lab2').undone).toHaveLength(0))
  })

  it('stops a machine that runs, and starts it again', async () => {
    const double = await openDisks('lab1')
    press('Undo…')
    const form = await dialog()
    fireEvent.click(form.getByRole('checkbox', { name: /Throw away/ }))
    fireEvent.click(form.getByRole('button', { name: 'Stop and undo' }))
    await waitFor(() => expect(diskOf(double, 'lab1').undone).toHaveLength(2))
    await waitFor(() => expect(double.world.machine('lab1').state.kind).toBe('running'))
    expect(double.calls.map(({ name }) => name).filter((name) => /^machine\.st|^overlay/.test(name))).toEqual([
      'machine.stop',
      'overlay.undo',
      'machine.start'
    ])
  })

  it('does nothing to the disk when the machine does not stop', async () => {
    const double = await openDisks('lab1')
    press('Undo…')
    const form = await dialog()
    fireEvent.click(form.getByRole('checkbox', { name: /Throw away/ }))
    double.failNext('machine.stop', { code: 'time-out', message: 'It has not powered off.', waitedMs: 1, causes: [] })
    fireEvent.click(form.getByRole('button', { name: 'Stop and undo' }))
    await form.findByText('It has not powered off.')
    expect(inputsOf(double, 'overlay.undo')).toEqual([])
  })
})

describe('layers', () => {
  it('are merged by dragging one onto another below it, after it is said what becomes final', async () => {
    const double = await openDisks('lab2')
    const dataTransfer = { setData: () => {}, effectAllowed: '' }
    await screen.findAllByText('exercise 1')
    const chain = screen.getByRole('list', { name: /^Layers of/ })
    const of = (name: string): Element => within(chain).getByText(name, { selector: 'strong' }).closest('li')!
    fireEvent.dragStart(of('Active layer'), { dataTransfer })
    fireEvent.drop(of('Commit 1'), { dataTransfer })
    const form = await dialog()
    fireEvent.click(form.getByRole('checkbox', { name: /Make commit 2 final/ }))
    fireEvent.click(form.getByRole('button', { name: 'Merge' }))
    await waitFor(() => expect(inputsOf(double, 'overlay.commit')).toMatchObject([{ into: 'disk0-1', forget: true }]))
  })

  it('have a menu each, for the same by keyboard', async () => {
    await openDisks('lab2')
    fireEvent.click(await screen.findByRole('button', { name: 'What can be done with Commit 1' }))
    const menu = within(await screen.findByRole('menu'))
    fireEvent.click(menu.getByRole('menuitem', { name: 'Merge all above into this…' }))
    await (await dialog()).findByText('Make commit 2 final')
  })
})

/** The machines, with the layer below the active one recorded with another time than it has: see the double. */
function recordedAs(modifiedAtMs: number): ReturnType<typeof diskMachines> {
  const frozen = { sizeBytes: 1, modifiedAtMs, headSha256: '' }
  return diskMachines().map((machine) => ({
    ...machine,
    definition: machine.definition && {
      ...machine.definition,
      disks: machine.definition.disks.map((disk) => ({ ...disk, layers: disk.layers.map((layer, index) => (index === 1 ? { ...layer, frozen } : layer)) }))
    }
  }))
}

describe('a file that is not where it was', () => {
  it('is said with the disk, and found again', async () => {
    const images = [{ ...builtinImage(), problem: '“/srv/base.qcow2” does not exist.' }]
    const double = await openDisks('lab2', { images, shell: { chooseFile: () => Promise.resolve('/media/base.qcow2') } })
    const banner = within((await screen.findByText(/Built-in guest is not where it was/)).closest<HTMLElement>('[role=alert]')!)
    fireEvent.click(banner.getByRole('button', { name: 'Find it…' }))
    const form = await dialog()
    expect(form.getByRole('button', { name: 'Use this file' }).getAttribute('aria-description')).toBe('Say where the file is now.')
    fireEvent.click(form.getByRole('button', { name: 'Choose…' }))
    await form.findByDisplayValue('/media/base.qcow2')
    fireEvent.click(form.getByRole('button', { name: 'Use this file' }))
    await waitFor(() => expect(inputsOf(double, 'disk.find')).toMatchObject([{ disk: 'disk0', path: '/media/base.qcow2', unchecked: false }]))
    await screen.findByText(/is there again/)
  })
})

describe('a layer that is gone', () => {
  it('is proposed from where a snapshot or a linked clone has it', async () => {
    const double = await openDisks('lab2', { machines: recordedAs(-1) })
    const banner = within((await screen.findByText(/is not where it was/)).closest<HTMLElement>('[role=alert]')!)
    fireEvent.click(banner.getByRole('button', { name: 'Find it…' }))
    const form = await dialog()
    form.getByText(/a linked clone or a snapshot has it/)
    fireEvent.click(form.getByRole('button', { name: 'Use this file' }))
    await waitFor(() => expect(inputsOf(double, 'disk.find')).toMatchObject([{ disk: 'disk0', path: expect.stringContaining('/snapshots/one/disks/') as unknown, unchecked: false }]))
  })
})

describe('a throw-away overlay', () => {
  it('is offered when a machine starts', async () => {
    const double = await openDisks('lab2')
    press('More actions')
    fireEvent.click(within(await screen.findByRole('menu')).getByRole('menuitem', { name: 'Start on a throw-away overlay' }))
    await waitFor(() => expect(inputsOf(double, 'machine.start')).toMatchObject([{ temporary: true }]))
  })
  it('is kept', async () => {
    const double = await openDisks('trial')
    await screen.findByText(/wrote to a throw-away overlay/)
    press('Keep')
    await waitFor(() => expect(diskOf(double, 'trial').layers[0]!.temporary).toBe(false))
    await waitFor(() => expect(screen.queryByText(/wrote to a throw-away overlay/)).toBeNull())
  })
  it('on several disks is committed on each, with one note', async () => {
    const machines = diskMachines()
    const trial = machines.find(({ name }) => name === 'trial')!
    const [disk] = trial.definition!.disks
    trial.definition!.disks.push({ ...disk!, id: 'disk1', layers: disk!.layers.map((layer) => ({ ...layer, nodeName: layer.nodeName.replace('disk0', 'disk1'), file: layer.file.replace('disk0', 'disk1') })) })
    const double = await openDisks('trial', { machines })
    await screen.findByText(/on each of 2 disks/)
    fireEvent.click(within(screen.getByText(/on each of 2 disks/).closest('[role=status]')!).getByRole('button', { name: 'Commit…' }))
    const question = await dialog()
    fireEvent.change(question.getByLabelText('Note'), { target: { value: 'the exercise' } })
    fireEvent.click(question.getByRole('button', { name: 'Commit 2 disks' }))
    await waitFor(() => expect(inputsOf(double, 'overlay.commit')).toMatchObject([{ disk: 'disk0', note: 'the exercise' }, { disk: 'disk1', note: 'the exercise' }]))
  })
  it('is discarded only after a question', async () => {
    const double = await openDisks('trial')
    fireEvent.click(await screen.findByRole('button', { name: 'Discard…' }))
    const question = await dialog()
    expect(inputsOf(double, 'overlay.discard')).toEqual([])
    fireEvent.click(question.getByRole('button', { name: 'Discard' }))
    await waitFor(() => expect(diskOf(double, 'trial').layers[0]!.temporary).toBe(false))
    expect(inputsOf(double, 'overlay.discard')).toHaveLength(1)
  })
})

describe('what else is done to a disk', () => {
  it('is larger, and says that it cannot be smaller', async () => {
    const double = await openDisks('lab2')
    fireEvent.click(await menuItem(/^Resize/))
    const form = await dialog()
    const size = form.getByRole('textbox', { name: /New size/ })
    fireEvent.change(size, { target: { value: '512M' } })
    form.getByText(/cannot be made smaller/)
    fireEvent.change(size, { target: { value: '4G' } })
    fireEvent.click(form.getByRole('button', { name: 'Resize' }))
    await waitFor(() => expect(diskOf(double, 'lab2').sizeBytes).toBe(4 * 2 ** 30))
  })
  it('is checked, and what was found is said for each file', async () => {
    await openDisks('lab2')
    fireEvent.click(await menuItem(/^Check and repair/))
    const form = await dialog()
    fireEvent.click(form.getByRole('button', { name: 'Check' }))
    const found = within(await form.findByRole('list', { name: 'What was found' }))
    expect(found.getAllByText('sound').length).toBeGreaterThan(2)
  })
  it('with a layer that was changed by somebody else says so, and takes it as it is once somebody is sure', async () => {
    const double = await openDisks('lab2', { machines: recordedAs(0) })
    const trouble = await screen.findByText(/was changed by somebody else: lab2 cannot start/)
    fireEvent.click(within(trouble.closest<HTMLElement>('[role=alert]')!).getByRole('button', { name: 'Take it as it is…' }))
    const form = await dialog()
    fireEvent.click(form.getByRole('button', { name: 'Take it as it is' }))
    expect(inputsOf(double, 'disk.find')).toEqual([])
    fireEvent.click(form.getByRole('checkbox'))
    fireEvent.click(form.getByRole('button', { name: 'Take it as it is' }))
    await waitFor(() => expect(inputsOf(double, 'disk.find')).toMatchObject([{ disk: 'disk0', unchecked: true }]))
    await waitFor(() => expect(screen.queryByText(/changed by somebody else/)).toBeNull())
  })
  it('has dialogs that begin in their first field, and give the focus back to the button of the menu', async () => {
    await openDisks('lab2')
    const entry = await menuItem(/^Resize/)
    entry.focus()
    fireEvent.keyDown(entry, { key: 'Enter' })
    const size = (await dialog()).getByRole('textbox', { name: 'New size' })
    await waitFor(() => expect(document.activeElement).toBe(size))
    fireEvent.keyDown(size, { key: 'Escape' })
    await waitFor(() => expect(document.activeElement).toBe(screen.getByRole('button', { name: 'More that can be done to the disk' })))
  })
  it('is added with a size; what is none is named beside its field', async () => {
    await openDisks('lab2')
    press('Add a disk')
    const form = await dialog()
    const size = form.getByRole('textbox', { name: 'Size' })
    for (const bad of ['', 'large', '0', '-5']) {
      fireEvent.change(size, { target: { value: bad } })
      expect(size.getAttribute('aria-invalid')).toBe('true')
      form.getByText(/That is no size/)
    }
    fireEvent.change(size, { target: { value: '1.5' } })
    expect(size.getAttribute('aria-invalid')).toBeNull()
  })
  it('needs the machine off for some, and says so', async () => {
    await openDisks('lab1')
    expect((await menuItem(/^Export to a file/)).textContent).toContain('Stop lab1 first')
  })
  it('is cloned whole or linked; linked, it asks before it gives up what was undone', async () => {
    const double = await openDisks('lab9', { machines: [newMachine('lab9', { kind: 'created' }, { disks: [eventfulDisk()] })] })
    fireEvent.click(await menuItem(/^Clone/))
    const form = await dialog()
    fireEvent.click(form.getByRole('radio', { name: /^Linked/ }))
    form.getByText(/What was written is sealed as commit 6\./)
    fireEvent.click(form.getByRole('button', { name: 'Clone' }))
    expect(inputsOf(double, 'disk.clone')).toEqual([])
    fireEvent.click(form.getByRole('checkbox', { name: /Give up commit 5/ }))
    fireEvent.click(form.getByRole('button', { name: 'Clone' }))
    await waitFor(() => expect(inputsOf(double, 'disk.clone')).toMatchObject([{ disk: 'disk0', linked: true, forget: true }]))
  })
  it('is removed only when the box is ticked', async () => {
    const double = await openDisks('lab2')
    fireEvent.click(await menuItem(/^Remove for good/))
    const form = await dialog()
    fireEvent.click(form.getByRole('button', { name: 'Remove for good' }))
    expect(inputsOf(double, 'disk.remove')).toEqual([])
    fireEvent.click(form.getByRole('checkbox'))
    fireEvent.click(form.getByRole('button', { name: 'Remove for good' }))
    await screen.findByRole('button', { name: 'Add a disk…' })
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull())
  })
  it('goes from a running guest that has it mounted only when that is said', async () => {
    const double = await openDisks('lab1')
    fireEvent.click(await menuItem(/^Detach/))
    const form = await dialog()
    fireEvent.click(form.getByRole('checkbox', { name: /^Take it even if it is mounted/ }))
    fireEvent.click(form.getByRole('button', { name: 'Detach' }))
    await waitFor(() => expect(inputsOf(double, 'disk.detach')).toMatchObject([{ disk: 'disk0', force: true }]))
  })
})

describe('the disks of the library', () => {
  it('stand on their images, and lead to their machines', async () => {
    const double = await openWindow({ machines: diskMachines() })
    double.sendCommand('go.disks')
    fireEvent.click(await screen.findByRole('button', { name: /^lab2, disk0/ }))
    await screen.findByRole('heading', { level: 1, name: 'lab2' })
    await screen.findAllByText('exercise 2')
  })
  it('are found by a word, and listed in a table', async () => {
    const double = await openWindow(libraryOf200())
    double.sendCommand('go.disks')
    await screen.findByText(/^200.files/)
    const screenOfDisks = within(screen.getByRole('region', { name: 'Disks' }))
    fireEvent.change(screenOfDisks.getByRole('searchbox'), { target: { value: 'student-77' } })
    await waitFor(() => expect(screenOfDisks.getAllByRole('button', { name: /^student-/ })).toHaveLength(1))
    fireEvent.click(screenOfDisks.getByRole('radio', { name: 'Table' }))
    await waitFor(() => expect(screenOfDisks.getAllByRole('row')).toHaveLength(3))
  })
})

it('has a budget for history among the settings', async () => {
  const double = await openWindow({})
  double.sendCommand('go.settings')
  const field = await screen.findByRole('textbox', { name: 'History of a disk' })
  fireEvent.change(field, { target: { value: '2G' } })
  expect(inputsOf(double, 'settings.edit')).toEqual([])
  fireEvent.keyDown(field, { key: 'Enter' })
  await waitFor(() => expect(inputsOf(double, 'settings.edit')).toEqual([{ historyBudget: 2 * 2 ** 30 }]))
})
