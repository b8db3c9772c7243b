import { fireEvent, screen, waitFor, within } from '@testing-library/react'
import { describe, expect, it } from 'vitest'
import type { BridgeDouble } from '../../../support/bridge-double'
import { builtinImage, newImage } from '../../../support/bridge-double/samples'
import { barsOf } from '../../../../renderer/features/store/sizes'
import { savedShare } from '../../../../renderer/features/store/archives-table'
import { openWindow } from '../open-window'

async function openStore(images = [builtinImage(), newImage('image-1', 'debian-12', 'cloud'), newImage('image-2', 'fedora', 'disk')]): Promise<BridgeDouble> {
  const double = await openWindow({ images })
  double.sendCommand('go.store')
  await screen.findByText('Nothing is archived yet')
  return double
}
const button = (name: string) => screen.getAllByRole('button', { name })[0]!

async function archive(name?: string): Promise<void> {
  fireEvent.click(button('Archive an image…'))
  const dialog = within(await screen.findByRole('dialog'))
  if (name !== undefined) fireEvent.change(dialog.getByLabelText('Name'), { target: { value: name } })
  fireEvent.click(dialog.getByRole('button', { name: 'Archive' }))
  await screen.findByRole('row', { name: new RegExp(`^${name ?? 'debian-12'}`) })
}

describe('the store', () => {
  it('says what it is for while it is empty, and what cannot be done then', async () => {
    await openStore()
    expect(button('Verify').getAttribute('aria-description')).toBe('Nothing is stored yet.')
    expect(button('Clean up').getAttribute('aria-description')).toBe('Nothing is stored yet.')
  })

  it('offers no archive where there is no image for it', async () => {
    await openStore([builtinImage()])
    expect(button('Archive an image…').getAttribute('aria-description')).toBe('There is no image to archive: import one first.')
    expect(button('Import an image…')).toBeTruthy()
  })

  it('lists what was archived, with its size beside what it takes', async () => {
    await openStore()
    await archive()
    await archive('again')
    const row = within(screen.getByRole('row', { name: /^again/ }))
    expect(row.getByText('67 %')).toBeTruthy()
    expect(screen.getByRole('figure', { name: 'Logical against stored size' }).textContent).toContain('shared')
    fireEvent.click(button('Archive an image…'))
    const dialog = within(await screen.findByRole('dialog'))
    // What is not archived yet comes first.
    expect(dialog.getByPlaceholderText('fedora')).toBeTruthy()
    fireEvent.change(dialog.getByLabelText('Name'), { target: { value: 'again' } })
    expect(dialog.getByText(/is in the store already/)).toBeTruthy()
  })

  it('archives what is there already under the first name that is free', async () => {
    await openStore([newImage('image-1', 'debian-12', 'cloud')])
    await archive()
    fireEvent.click(button('Archive an image…'))
    const dialog = within(await screen.findByRole('dialog'))
    expect(dialog.getByPlaceholderText('debian-12 2')).toBeTruthy()
    fireEvent.click(dialog.getByRole('button', { name: 'Archive' }))
    await screen.findByRole('row', { name: /^debian-12 2/ })
  })

  it('removes an archive after a question, and then has something to clean up', async () => {
    const double = await openStore()
    await archive()
    expect(button('Clean up').getAttribute('aria-description')).toBe('All that is stored is needed.')
    fireEvent.click(button('Remove debian-12'))
    const dialog = within(await screen.findByRole('dialog'))
    dialog.getByText(/cannot be brought back/)
    fireEvent.click(dialog.getByRole('button', { name: 'Remove' }))
    await screen.findByText('Nothing is archived yet')
    expect(await double.call('store.stats', {})).toMatchObject({ ok: true, value: { archives: [] } })
    fireEvent.click(button('Clean up'))
    await screen.findByText(/given back/)
  })

  it('tells what a verification found', async () => {
    await openStore()
    await archive()
    fireEvent.click(button('Verify'))
    await screen.findByText(/Everything was as it was saved/)
  })

  it('draws what was measured, and changes the chunk size of new archives', async () => {
    const double = await openStore()
    await archive()
    fireEvent.click(button('Measure'))
    const size = await screen.findByRole('figure', { name: 'Size against chunk size' })
    expect(within(size).getByText('80 MiB')).toBeTruthy()
    expect(screen.getByRole('figure', { name: 'Time against chunk size' }).textContent).toContain('0.62')
    const edited = await double.call('settings.edit', { storeChunk: '64K' })
    expect(edited.ok).toBe(true)
    await waitFor(() => expect(screen.getByRole('combobox', { name: 'Chunk size of new archives' }).textContent).toContain('64'))
  })
})

describe('sizes', () => {
  it('fit together: the parts of what is stored make up the whole', () => {
    const stats = { chunkBytes: 4096, logicalBytes: 1000, dataBytes: 600, storedBytes: 300, unusedBytes: 50, sharedBytes: 100, indexBytes: 10, packs: 1, chunks: 9, archives: [], unreadable: [] }
    const stored = barsOf(stats).at(-1)!
    expect(stored.parts.map(({ kind, bytes }) => [kind, bytes])).toEqual([['own', 140], ['shared', 100], ['index', 10], ['unused', 50]])
    expect(stored.parts.reduce((sum, part) => sum + part.bytes, 0)).toBe(stored.bytes)
  })

  it('never save more than all', () => {
    expect([savedShare({ dataBytes: 0, ownBytes: 10 }), savedShare({ dataBytes: 100, ownBytes: 25 }), savedShare({ dataBytes: 5, ownBytes: 9 })]).toEqual([0, 0.75, 0])
  })
})
