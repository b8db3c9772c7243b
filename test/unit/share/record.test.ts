import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { libraryPaths } from '#core/library/paths'
import { loadShares, saveShare } from '#core/share/record'
import { scratchFolder } from '../../support/scratch'

it('a share whose file cannot be used is listed with the reason, and its file left as it is', async () => {
  const paths = libraryPaths(scratchFolder())
  mkdirSync(paths.shares, { recursive: true })
  const machineId = '11111111-1111-4111-8111-111111111111'
  await saveShare(paths, { schemaVersion: 1, id: '00000001', machineId, disk: 'disk0', mode: 'ro', writer: null, published: null, createdAtMs: 1, clients: [] } as never)
  writeFileSync(paths.share('00000002'), '{"schemaVersion":1,"id":"0000')
  writeFileSync(paths.share('00000003'), '{"schemaVersion":99}')
  const { records, broken } = await loadShares(paths)
  expect(records.map(({ id }) => id)).toEqual(['00000001'])
  expect(broken.map(({ id, server, clients }) => [id, server.kind, clients]).sort()).toEqual([
    ['00000002', 'broken', []],
    ['00000003', 'broken', []]
  ])
  const said = Object.fromEntries(broken.map(({ id, server }) => [id, 'message' in server ? server.message : '']))
  expect(said['00000002']).toContain('is damaged')
  expect(said['00000003']).toContain('newer version')
  expect(readFileSync(paths.share('00000003'), 'utf8')).toBe('{"schemaVersion":99}')
})
