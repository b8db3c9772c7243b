import { isDeepStrictEqual } from 'node:util'
import { Failure, type MachineDefinition } from '#contract'
import { diskNodes } from '../disk/nodes'
import { ensurePrivateFolder, openToRead, removeFile, takePlace, truncate } from '../host/files'
import { openLockable } from '../host/lock'
import { signalProcess, spawnDetached } from '../host/process'
import { QEMU } from '../host/qemu-binary'
import { checkSocketPath, waitForSocket } from '../host/socket'
import { QmpSession } from '../qmp/session'
import { buildCommandLine, DEVICES_URI, emptyNodeName, type Incoming, type LaunchContext } from './command-line'
import { LAUNCH_TIMEOUT_MS, lockSoon, recordOf, watched, type Qemu } from './qemu'
import { writeRunRecord } from './run-record'

/**
 * A QEMU that was started before anybody asked for it, to go on from a snapshot: it has its devices, and the snapshot's memory mapped, and
 * waits. It holds no lock and no file of the machine's disks, so that the machine runs and changes meanwhile as it likes.
 */
export interface StandbyQemu {
  readonly pid: number
  /** Its folder of sockets. */
  readonly folder: string
  /** Fulfilled when its process has ended. */
  readonly exited: Promise<unknown>
  /**
   * Makes it the machine's: locks that, gives its devices their disks, and lets it load the snapshot. The machine has to be off.
   * @returns null when it is not what a start would bring now, or did not manage: it has ended then, and an ordinary start tells why
   */
  takeOver(machine: MachineDefinition, context: LaunchContext): Promise<Qemu | null>
  /** Ends it, unless it was taken. */
  end(): Promise<void>
}

/** How it would be started now; what differs from how it was started makes it useless. */
const argumentsFor = (machine: MachineDefinition, context: LaunchContext, incoming: Incoming): string[] =>
  buildCommandLine(machine, { ...context, paused: true, incoming: { ...incoming, deferred: true } })

/** @throws connection-lost, qemu-exited and what else keeps a program from being started */
export async function startStandby(machine: MachineDefinition, context: LaunchContext & { incoming: Incoming }): Promise<StandbyQemu> {
  const { paths, runtime, incoming } = context
  checkSocketPath(runtime.serial)
  await ensurePrivateFolder(runtime.root)
  await truncate(paths.standbyLog)
  const args = argumentsFor(machine, context, incoming)
  // As descriptor 3, as in every QEMU of ours, but not locked yet: it is locked by way of our copy when the machine is to run in it.
  const lock = openLockable(paths.lock)
  const devices = openToRead(incoming.devices)
  const process = await spawnDetached(QEMU, args, { logFile: paths.standbyLog, inheritFds: [lock.fd, devices.fd] })
    .catch((error: unknown) => {
      lock.release()
      throw error
    })
    .finally(() => devices.close())
  const kill = (): void => void signalProcess(process.pid, process.startTicks, 'SIGKILL')
  const gone = new AbortController()
  void process.exited.then(() => gone.abort())
  const end = async (): Promise<void> => {
    kill()
    await process.exited
    lock.release()
  }
  let qmp: QmpSession
  try {
    const socket = await waitForSocket(runtime.qmp, { signal: gone.signal, timeoutMs: LAUNCH_TIMEOUT_MS })
    qmp = await QmpSession.over(socket, { peer: `QEMU of “${machine.name}”`, signal: gone.signal })
  } catch (error) {
    await end()
    throw error
  }
  let taken = false
  return {
    pid: process.pid,
    folder: runtime.root,
    exited: process.exited,
    end: async () => {
      if (taken) return
      qmp.close()
      await end()
    },
    takeOver: async (now, wanted) => {
      const here = { ...wanted, runtime }
      if (!wanted.incoming || gone.signal.aborted || !isDeepStrictEqual(argumentsFor(now, here, wanted.incoming), args) || !(await lockSoon(() => lock.lock()))) {
        await end()
        return null
      }
      try {
        const record = recordOf(process, now, here)
        await Promise.all([
          giveDisks(qmp, now, here).then(() => qmp.execute('migrate-incoming', { uri: DEVICES_URI })),
          truncate(paths.consoleLog),
          takePlace(paths.standbyLog, paths.qemuLog)
        ])
        // Not before: if we are cut off until here, no record names it, and the next opening ends it. It loads meanwhile, and the guest stands still.
        await writeRunRecord(paths.run, record)
        taken = true
        lock.release() // it is QEMU's now
        return watched(record, runtime, qmp, process.exited, kill)
      } catch (error) {
        await end()
        await removeFile(paths.run)
        if (error instanceof Failure) return null
        throw error
      }
    }
  }
}

/**
 * Puts the disks under their devices. Source: qom-set of `drive` replaces the node of a virtio-blk device that has one (hw/core/qdev-properties-system.c,
 * set_drive_helper; QEMU 6.1 and newer). What is opened while QEMU waits is inactive, as with `-blockdev` and `-incoming`: it takes no lock of an image.
 */
async function giveDisks(qmp: QmpSession, { disks }: MachineDefinition, { paths }: LaunchContext): Promise<void> {
  for (const disk of disks) {
    const node = diskNodes(disk, paths.disk)
    await qmp.execute('blockdev-add', node as never)
    await qmp.execute('qom-set', { path: `/machine/peripheral/${disk.id}-device/virtio-backend`, property: 'drive', value: node['node-name'] })
    await qmp.execute('blockdev-del', { 'node-name': emptyNodeName(disk) })
  }
}
