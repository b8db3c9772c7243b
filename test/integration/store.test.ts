import { copyFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { digestOf, MiB, writePieces } from '../support/store'
import { failureIn, openLab, type Lab } from '../support/lab'

/** Two raw images that have half of their content in common. */
async function withImages(): Promise<Lab> {
  const lab = await openLab()
  for (const name of ['monday', 'tuesday']) {
    writePieces(join(lab.home, name), 16 * MiB, [{ at: 0, seed: 'shared', bytes: 4 * MiB }, { at: 8 * MiB, seed: name, bytes: 4 * MiB }])
    await lab.done('image.import', { path: join(lab.home, name), format: 'raw', kind: 'disk' })
  }
  return lab
}

describe('the store', () => {
  it('archives images, removes them, and gives them back as they were', async () => {
    const lab = await withImages()
    const images = await lab.call('image.list', {})
    const before = digestOf(images.find((image) => image.name === 'monday')!.path)
    for (const image of ['monday', 'tuesday']) await lab.done('store.archive', { image, note: 'for week 3' })
    const stats = await lab.call('store.stats', {})
    expect(stats.archives.map((archive) => [archive.name, archive.logicalBytes, archive.note])).toEqual([
      ['tuesday', 16 * MiB, 'for week 3'],
      ['monday', 16 * MiB, 'for week 3']
    ])
    expect(stats.storedBytes).toBeLessThan(stats.dataBytes * 0.6)
    expect(stats.sharedBytes).toBeGreaterThan(MiB)
    await lab.call('image.remove', { image: 'monday' })
    await lab.reopen()
    const back = await lab.done('store.restore', { archive: 'monday' })
    expect([back.name, back.kind, back.format, digestOf(back.path)]).toEqual(['monday', 'disk', 'raw', before])
    expect((await lab.refused('store.restore', { archive: 'monday', name: '' })).code).toBe('bad-input')
    expect(failureIn(await lab.ended('store.restore', { archive: 'monday', name: 'tuesday' })).code).toBe('already-exists')
    expect(failureIn(await lab.ended('store.archive', { image: 'monday' })).code).toBe('already-exists')
    await lab.done('machine.create', { name: 'lab1', source: 'monday' })
  })

  it('gives space back when what needed it is gone, and verifies', async () => {
    const lab = await withImages()
    for (const image of ['monday', 'tuesday']) await lab.done('store.archive', { image })
    await lab.call('store.remove', { archive: 'tuesday' })
    const { unusedBytes } = await lab.call('store.stats', {})
    expect(unusedBytes).toBeGreaterThan(MiB)
    const { freedBytes } = await lab.done('store.gc', {})
    expect(freedBytes).toBeGreaterThan(unusedBytes * 0.7)
    expect(await lab.done('store.verify', {})).toMatchObject({ archives: 1, damagedChunks: 0, touchedArchives: [], unreadable: [] })
    expect((await lab.refused('store.remove', { archive: 'tuesday' })).code).toBe('not-found')
  })

  it('measures chunk sizes on what the user has, and leaves nothing behind', async () => {
    const lab = await withImages()
    await lab.done('store.archive', { image: 'monday', name: 'archived' })
    const { rows, of } = await lab.done('store.experiment', { archive: ['archived'], image: ['tuesday'], chunk: ['4K', '1M'] })
    expect(of).toEqual(['archived', 'tuesday'])
    expect(rows.map((row) => row.chunkBytes)).toEqual([4096, MiB])
    for (const row of rows) expect([row.storedBytes > 4 * MiB, row.saveMs > 0, row.loadMs > 0]).toEqual([true, true, true])
    expect((await lab.call('store.stats', {})).archives).toHaveLength(1)
    const task = await lab.ended('store.experiment', { archive: ['missing'] })
    expect(failureIn(task).code).toBe('not-found')
  })

  it('uses the chunk size of the settings for new archives', async () => {
    const lab = await withImages()
    await lab.done('store.archive', { image: 'monday' })
    await lab.call('settings.edit', { storeChunk: '64K' })
    await lab.done('store.archive', { image: 'monday', name: 'coarse' })
    const { archives, chunkBytes } = await lab.call('store.stats', {})
    expect(archives.map((archive) => [archive.name, archive.chunkBytes])).toEqual([['coarse', 65536], ['monday', 4096]])
    expect(chunkBytes).toBe(65536)
    expect((await lab.refused('settings.edit', { storeChunk: '5K' })).message).toContain('a chunk is')
  })

  it('is cancelled without a trace', async () => {
    const lab = await withImages()
    copyFileSync(join(lab.home, 'monday'), join(lab.home, 'big'))
    writePieces(join(lab.home, 'big'), 96 * MiB, [{ at: 0, seed: 'big', bytes: 96 * MiB }])
    await lab.done('image.import', { path: join(lab.home, 'big'), format: 'raw', kind: 'disk', reference: true })
    const { taskId } = await lab.call('store.archive', { image: 'big' })
    await lab.call('task.cancel', { taskId })
    expect((await lab.call('task.wait', { taskId })).state.kind).toBe('cancelled')
    expect((await lab.call('store.stats', {})).archives).toEqual([])
    expect(readFileSync(join(lab.home, 'big')).length).toBe(96 * MiB)
  })
})
