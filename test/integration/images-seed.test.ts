import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { MachineDefinition } from '#contract'
import { writeCloudInitSeed } from '#core/machine/cloud-init'
import { openLab } from '../support/lab'

it('a guest’s kernel reads a cloud-init seed under the names that cloud-init looks for', async () => {
  const lab = await openLab()
  await lab.done('machine.create', { name: 'reader', display: false })
  const folder = join(lab.home, 'library/machines/reader')
  const definition = JSON.parse(readFileSync(join(folder, 'machine.json'), 'utf8')) as MachineDefinition
  const cloudInit = { hostname: 'lab1', user: 'ada', sshKeys: [] }
  await writeCloudInitSeed(join(folder, 'cloud-init.iso'), cloudInit, 'instance-7')
  writeFileSync(join(folder, 'machine.json'), JSON.stringify({ ...definition, cloudInit }))
  await lab.reopen()
  await lab.done('machine.start', { machine: 'reader', wait: 'agent' })
  const script = 'modprobe -a ahci sr_mod isofs; for i in $(seq 50); do [ -e /dev/sr0 ] && break; sleep 0.1; done; mount -t iso9660 -o ro /dev/sr0 /mnt && ls /mnt && cat /mnt/meta-data /mnt/user-data'
  const { stdout, stderr } = await lab.call('guest.exec', { machine: 'reader', command: ['sh', '-c', script] })
  expect(stderr).not.toContain('mount:')
  expect(stdout).toContain('meta-data\nuser-data\n')
  expect(stdout).toContain('{"instance-id":"instance-7","local-hostname":"lab1"}')
  expect(stdout).toContain('#cloud-config\n{\n  "hostname": "lab1"')
})
