import { failure } from '#contract'
import type { QmpSession } from '../qmp/session'

/**
 * The owner of a share has its disk as a device of its own, which is writable. While another machine writes, a filter lies between the device and
 * the disk that lets every write fail, so that it is QEMU that refuses, as it does with clients. Overlays that are put on the disk meanwhile come
 * below it. Sources: blkdebug, qapi/block-core.json; the property `drive` can be set while a device is in use since QEMU 6.1.
 */
const guardName = (disk: string): string => `${disk}-guard`

const EPERM = 1
const REFUSED = ['write', 'write-zeroes', 'discard'].map((iotype) => ({ event: 'none', iotype, errno: EPERM }))

/** @param nodeName of the disk's active layer @throws qmp */
export async function levelGuard(qmp: QmpSession, disk: string, nodeName: string, refuseWrites: boolean): Promise<void> {
  const guard = guardName(disk)
  const there = (await qmp.execute('query-named-block-nodes', { flat: true })).some((node) => node['node-name'] === guard)
  if (there === refuseWrites) return
  if (refuseWrites) {
    await qmp.execute('blockdev-add', { driver: 'blkdebug', 'node-name': guard, image: nodeName, 'inject-error': REFUSED } as never)
    await setDrive(qmp, disk, guard)
  } else {
    await setDrive(qmp, disk, nodeName)
    await qmp.execute('blockdev-del', { 'node-name': guard })
  }
}

async function setDrive(qmp: QmpSession, disk: string, value: string): Promise<void> {
  await qmp.execute('qom-set', { path: devicePath(disk), property: 'drive', value })
}

const devicePath = (disk: string): string => `/machine/peripheral/${disk}-device`

/** A machine that was started before Strata could do this, or whose disk is a raw file, keeps all others from writing. @throws unsupported */
export async function requireOthersMayWrite(qmp: QmpSession, disk: string, label: string): Promise<void> {
  if (await qmp.execute('qom-get', { path: devicePath(disk), property: 'share-rw' })) return
  throw failure('unsupported', `${label} runs such that no other machine may write to it.`, {
    next: 'Stop its machine and start it again. A raw disk needs an overlay first: make a commit.'
  })
}
