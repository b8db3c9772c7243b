import { createEvent, fireEvent, screen, waitFor, within } from '@testing-library/react'
import { describe, expect, it } from 'vitest'
import { builtinImage, newImage, newMachine } from '../../../support/bridge-double/samples'
import type { BridgeDouble, DoubleOptions } from '../../../support/bridge-double'
import { openWindow } from '../open-window'

async function openImages(options: DoubleOptions = {}): Promise<BridgeDouble> {
  const double = await openWindow({
    machines: [newMachine('lab1', { kind: 'created' })],
    images: [builtinImage(), newImage('image-1', 'debian-12', 'cloud')],
    ...options
  })
  double.sendCommand('go.images')
  await screen.findByRole('table', { name: 'Images' })
  return double
}
const names = (): string[] =>
  screen
    .getAllByRole('row')
    .slice(1)
    .map((row) => within(row).getAllByRole('cell')[0]!.textContent)

describe('the images', () => {
  it('are listed with who uses them; one in use cannot be removed, and says why', async () => {
    await openImages()
    expect(names()).toEqual(['Built-in guest', 'debian-12'])
    expect(screen.getByRole('button', { name: 'Remove Built-in guest' }).getAttribute('aria-description')).toBe('Used by lab1.')
  })

  it('sort by their headers, and keep that', async () => {
    await openImages()
    fireEvent.click(screen.getByRole('button', { name: 'On disk' }))
    await waitFor(() => expect(names()).toEqual(['debian-12', 'Built-in guest']))
    expect(localStorage.getItem('strata.images')).toContain('"id":"file"')
  })

  it('are removed after a question that says what is lost', async () => {
    const double = await openImages()
    fireEvent.click(screen.getByRole('button', { name: 'Remove debian-12' }))
    const dialog = within(await screen.findByRole('dialog'))
    dialog.getByText(/cannot be brought back/)
    fireEvent.click(dialog.getByRole('button', { name: 'Remove' }))
    await waitFor(() => expect(names()).toEqual(['Built-in guest']))
    expect(double.world.images.size).toBe(1)
  })

  it('are converted to another format under a name of its own; a guest’s disk alone is not', async () => {
    const double = await openImages()
    fireEvent.click(screen.getByRole('button', { name: 'Convert debian-12 to another format' }))
    const dialog = within(await screen.findByRole('dialog'))
    dialog.getByDisplayValue('debian-12 raw')
    fireEvent.click(dialog.getByRole('button', { name: 'Convert' }))
    await waitFor(() => expect(double.calls.filter((call) => call.name === 'disk.convert').map(({ input }) => input)).toEqual([{ image: 'image-1', format: 'raw', name: 'debian-12 raw' }]))
    expect(screen.getByRole('button', { name: 'Convert Built-in guest to another format' }).getAttribute('aria-description')).toBe('The built-in guest is more than its disk.')
  })

  it('that cannot be used are listed with the reason, and can be removed', async () => {
    const missing = newImage('image-2', 'gone', 'disk', { problem: '“/srv/gone.qcow2” does not exist.' })
    const unreadable = newImage('image-3', 'image-3', 'disk', { kind: 'unknown', format: null, problem: '“image.json” is damaged.' })
    const double = await openImages({ images: [builtinImage(), missing, unreadable] })
    expect(screen.getAllByRole('alert').map((alert) => alert.textContent)).toEqual([
      '“gone” cannot be used.“/srv/gone.qcow2” does not exist.',
      '“image-3” cannot be used.“image.json” is damaged.'
    ])
    fireEvent.click(screen.getByRole('button', { name: 'Remove image-3' }))
    fireEvent.click(within(await screen.findByRole('dialog')).getByRole('button', { name: 'Remove' }))
    await waitFor(() => expect(screen.getAllByRole('alert')).toHaveLength(1))
    expect(double.world.images.has('image-3')).toBe(false)
    expect(double.calls.filter((call) => call.name === 'image.list').length).toBeGreaterThan(1)
  })

  it('whose file is missing is used again where it is now; what is wrong with the path is said beside it', async () => {
    const missing = newImage('image-2', 'gone', 'disk', { path: '/srv/gone.qcow2', problem: '“/srv/gone.qcow2” does not exist.', missing: true })
    const double = await openImages({ images: [builtinImage(), missing] })
    fireEvent.click(within(screen.getByRole('alert')).getByRole('button', { name: 'Find it…' }))
    const dialog = within(await screen.findByRole('dialog'))
    const field = dialog.getByLabelText('Where it is now')
    fireEvent.change(field, { target: { value: 'gone.qcow2' } })
    expect(dialog.getByRole('alert').textContent).toContain('The whole path is needed')
    expect(field.getAttribute('aria-invalid')).toBe('true')
    fireEvent.change(field, { target: { value: '/media/gone.qcow2' } })
    fireEvent.click(dialog.getByRole('button', { name: 'Use this file' }))
    await waitFor(() => expect(double.calls.filter((call) => call.name === 'image.find').map(({ input }) => input)).toEqual([{ image: 'image-2', path: '/media/gone.qcow2', unchecked: false }]))
    await screen.findByText(/is there again/)
    await waitFor(() => expect(screen.queryByText(/cannot be used/)).toBeNull())
  })

  it('are imported by dropping a file, with its name and kind to choose', async () => {
    const double = await openImages()
    const target = screen.getByRole('region', { name: 'Images' })
    const drop = createEvent.drop(target)
    Object.assign(drop, { dataTransfer: { types: ['Files'], files: [new File([], 'alpine.iso')] } })
    fireEvent(target, drop)
    const dialog = within(await screen.findByRole('dialog'))
    dialog.getByText('/home/ada/Downloads/alpine.iso')
    fireEvent.change(dialog.getByLabelText('Name'), { target: { value: 'alpine 3' } })
    fireEvent.click(dialog.getByLabelText(/Use it where it is/))
    fireEvent.click(dialog.getByRole('button', { name: 'Import' }))
    await waitFor(() => expect(names()).toContain('alpine 3'))
    expect(double.calls.find((call) => call.name === 'image.import')?.input).toEqual({
      path: '/home/ada/Downloads/alpine.iso',
      name: 'alpine 3',
      reference: true
    })
  })

  it('say what is wrong with a file that cannot be imported', async () => {
    await openImages({ shell: { chooseFile: () => Promise.resolve('/srv/damaged.qcow2') } })
    fireEvent.click(screen.getByRole('button', { name: 'Import…' }))
    fireEvent.click(within(await screen.findByRole('dialog')).getByRole('button', { name: 'Import' }))
    const message = (await screen.findByText('“/srv/damaged.qcow2” is damaged.')).closest('div[data-tone]') as HTMLElement
    fireEvent.click(within(message).getByRole('button', { name: 'Show task' }))
    await screen.findByRole('heading', { name: 'Import damaged' })
    screen.getByText('Get the file again.')
  })
})
