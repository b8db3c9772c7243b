import { expect, it } from 'vitest'
import { failureIn, openLab, type Lab } from '../support/lab'

const D = { machine: 'lab1', disk: 'disk1' }

async function inGuest(lab: Lab, script: string): Promise<string> {
  const { exitCode, stdout, stderr } = await lab.call('guest.exec', { machine: 'lab1', command: ['sh', '-c', script] })
  if (exitCode !== 0) throw new Error(`${script}: ${stderr}`)
  return stdout
}

it('a disk comes to a running guest, grows under it, and goes only when it is not mounted; what was written goes with it', async () => {
  const lab = await openLab()
  await lab.done('machine.create', { name: 'lab1', display: false, network: [] })
  await lab.done('machine.start', { machine: 'lab1', wait: 'agent' })
  await lab.done('disk.create', { machine: 'lab1', size: '32M' })
  await inGuest(lab, 'until [ -e /sys/block/vdb ]; do sleep 0.05; done')
  await lab.done('disk.resize', { ...D, size: '48M' })
  await inGuest(lab, `until [ "$(cat /sys/block/vdb/size)" = ${(48 * 2 ** 20) / 512} ]; do sleep 0.05; done`)

  await inGuest(lab, 'mke2fs -q -F /dev/vdb && mkdir -p /mnt/data && mount /dev/vdb /mnt/data && echo precious > /mnt/data/file')
  const kept = failureIn(await lab.ended('disk.detach', { ...D, name: 'data' }))
  expect(kept).toMatchObject({ code: 'in-use', holder: '/mnt/data', message: expect.stringContaining('disk1 mounted on /mnt/data') as unknown })
  expect(failureIn(await lab.ended('disk.remove', D))).toMatchObject({ code: 'in-use' })
  expect(await inGuest(lab, 'cat /mnt/data/file')).toBe('precious\n')
  const first = failureIn(await lab.ended('disk.detach', { machine: 'lab1', disk: 'disk0' }))
  expect(first).toMatchObject({ code: 'unsupported', message: expect.stringContaining('disk0 was there when the machine was started') as unknown })

  await inGuest(lab, 'umount /mnt/data')
  await lab.done('disk.detach', { ...D, name: 'data' })
  await inGuest(lab, 'until [ ! -e /sys/block/vdb ]; do sleep 0.05; done')
  await lab.done('disk.attach', { machine: 'lab1', image: 'data' })
  await inGuest(lab, 'until [ -e /sys/block/vdb ]; do sleep 0.05; done; mount /dev/vdb /mnt/data')
  expect(await inGuest(lab, 'cat /mnt/data/file')).toBe('precious\n')
  await lab.done('disk.remove', { ...D, force: true })
  expect((await lab.machine('lab1')).definition?.disks.map(({ id }) => id)).toEqual(['disk0'])
})
