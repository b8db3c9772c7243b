import { linkSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { machinePaths } from '#core/library/paths'
import { makeFilesOf } from '#core/machine/create'
import { asWork } from '#core/task/work'
import { scratchFolder } from '../../support/scratch'

it('files of a disk that is not made in the end go, with those of one that was cut off, and no others', async () => {
  const paths = machinePaths(scratchFolder())
  mkdirSync(paths.disks)
  const kept = ['disk10.qcow2', 'disk2-3.qcow2', 'disk1-2.qcow2.before-repair-2026', 'disk1 of mine.qcow2', 'notes']
  for (const name of kept) writeFileSync(paths.disk(name), name)
  linkSync(paths.disk('disk2-3.qcow2'), paths.disk('disk1-9.qcow2'))
  const failed = asWork((work) =>
    makeFilesOf('disk1', paths, work, async () => {
      expect(readdirSync(paths.disks).sort()).toEqual([...kept].sort())
      for (const name of ['disk1.raw', 'disk1-2.qcow2', 'disk1-33.qcow2']) writeFileSync(join(paths.disks, name), name)
      throw new Error('no room')
    })
  )
  await expect(failed).rejects.toThrow('no room')
  expect(readdirSync(paths.disks).sort()).toEqual([...kept].sort())
  expect(statSync(paths.disk('disk2-3.qcow2')).nlink).toBe(1)
})
