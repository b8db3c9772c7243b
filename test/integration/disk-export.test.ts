import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { EMPTY, failureIn, openLab } from '../support/lab'
import { writePattern } from '../support/pattern'

const MiB = 2 ** 20

it('a disk is written whole to a file that stands on nothing, under any name; a folder that is not there is named', async () => {
  const lab = await openLab()
  await lab.done('machine.create', { name: 'lab1', ...EMPTY })
  const D = { machine: 'lab1', disk: 'disk0' }
  writePattern(await lab.call('disk.show', D), 'a', 0, MiB)
  await lab.done('overlay.commit', D)
  await lab.done('overlay.create', D)
  const view = await lab.call('disk.show', D)
  writePattern(view, 'b', MiB, MiB)
  const folder = join(lab.home, 'Übung “neu” 第1课')
  mkdirSync(folder)
  for (const format of ['raw', 'qcow2'] as const) {
    const file = join(folder, `disk 0.${format}`)
    expect((await lab.done('disk.export', { ...D, file, format })).fileSizeBytes).toBeGreaterThan(MiB)
    expect(execFileSync('qemu-img', ['compare', '-f', 'qcow2', '-F', format, view.files[0]!.path, file]).toString()).toContain('identical')
    expect((JSON.parse(execFileSync('qemu-img', ['info', '--output=json', '-f', format, file]).toString()) as object)).not.toHaveProperty('backing-filename')
  }
  const theirs = join(folder, 'theirs')
  writeFileSync(theirs, 'kept')
  expect(failureIn(await lab.ended('disk.export', { ...D, file: theirs, format: 'raw' }))).toMatchObject({ code: 'already-exists', name: theirs })
  expect(readFileSync(theirs, 'utf8')).toBe('kept')
  const nowhere = join(lab.home, 'nowhere')
  expect(failureIn(await lab.ended('disk.export', { ...D, file: join(nowhere, 'x.raw'), format: 'raw' }))).toMatchObject({ code: 'not-found', name: nowhere })
  expect(existsSync(nowhere)).toBe(false)
})
