import { describe, expect, it } from 'vitest'
import type { ImageFile } from '#contract'
import { landscapeOf } from '../../../../renderer/features/disks/library/landscape'
import { heldBytes, spansOf } from '../../../../renderer/features/disks/tab/ranges'
import { namesOfCommits } from '../../../../renderer/features/disks/words'

const image = (path: string): ImageFile => ({
  path,
  format: 'qcow2',
  backing: null,
  virtualSizeBytes: 1,
  fileSizeBytes: 1,
  health: { kind: 'ok' },
  of: { kind: 'image', imageId: path, name: path },
  otherNames: [],
  users: [],
  snapshots: [],
  sharedWith: []
})
const layer = (machine: string, file: string, backing: string | null, place: 'active' | 'below' | 'undone'): ImageFile => ({
  ...image(`/${machine}/${file}`),
  backing,
  of: {
    kind: 'layer',
    machineId: machine,
    machine,
    disk: 'disk0',
    place,
    layer: { nodeName: file, file, format: 'qcow2', createdAtMs: 0, note: '', commit: null, temporary: false, frozen: null }
  }
})

describe('the landscape of a library', () => {
  it('draws a layer that linked clones share in the disk of each', () => {
    const own = layer('a', 'low', null, 'below')
    const { path, backing, of } = layer('b', 'low', null, 'below')
    const sites = landscapeOf([layer('a', 'top', '/a/low', 'active'), { ...own, otherNames: [{ path, backing, of }] }, layer('b', 'top', '/b/low', 'active')])
    expect(sites.map(({ towers }) => towers.map((tower) => [tower.machine, tower.layers.map((file) => file.path)]))).toEqual([
      [
        ['a', ['/a/top', '/a/low']],
        ['b', ['/b/top', '/b/low']]
      ]
    ])
  })
  it('puts each disk on its ground, the most used first, and those on no image together', () => {
    const sites = landscapeOf([
      layer('b', 'top', '/b/low', 'active'),
      layer('b', 'low', '/i/used', 'below'),
      layer('b', 'gone', '/b/low', 'undone'),
      layer('a', 'one', '/i/used', 'active'),
      layer('c', 'own', null, 'active'),
      image('/i/idle'),
      image('/i/used')
    ])
    expect(sites.map((site) => [site.ground?.path ?? null, site.towers.map((tower) => tower.machine)])).toEqual([
      ['/i/used', ['a', 'b']],
      [null, ['c']],
      ['/i/idle', []]
    ])
    expect(sites[0]!.towers[1]).toMatchObject({ layers: [{ path: '/b/top' }, { path: '/b/low' }], undone: [{ path: '/b/gone' }] })
  })
  it('keeps a disk whose image is not in the library in sight', () => {
    const [site] = landscapeOf([layer('a', 'one', '/elsewhere', 'active')])
    expect(site).toMatchObject({ ground: null, towers: [{ machine: 'a' }] })
  })
})

describe('the map', () => {
  it('draws a single cluster on a huge disk, and joins what cannot be told apart', () => {
    const size = 2 ** 41
    const spans = spansOf(
      [
        { startBytes: 0, lengthBytes: 65536, zero: false },
        { startBytes: 1_000_000, lengthBytes: 65536, zero: false },
        { startBytes: size / 2, lengthBytes: 65536, zero: false }
      ],
      size,
      600
    )
    expect(spans).toHaveLength(2)
    expect(spans[0]!.endBytes).toBe(size / 600)
  })
  it('ends where the disk ends, and counts no zeroes', () => {
    const ranges = [
      { startBytes: 0, lengthBytes: 100, zero: true },
      { startBytes: 900, lengthBytes: 100, zero: false }
    ]
    expect(spansOf(ranges, 1000, 7).at(-1)!.endBytes).toBe(1000)
    expect(heldBytes(ranges)).toBe(100)
  })
})

it('names commits as people do', () => {
  expect([[], [3], [4, 3], [5, 3, 4], [6, 5, 4, 3], [1, 5]].map(namesOfCommits)).toEqual([
    'no commit',
    'commit 3',
    'commits 3 and 4',
    'commits 3, 4 and 5',
    'commits 3 to 6',
    'commits 1 and 5'
  ])
})
