import { Failure } from '#contract'
import type { Context } from '../context'
import { exists } from '../host/files'
import { processOfPidFile, signalProcess } from '../host/process'
import { processGone } from '../machine/qemu'
import { isOff } from '../machine/state'
import { discard } from './restore'

/**
 * At the opening of a library: machines that were being made from a snapshot when that was cut off go. They may still have the identity of the machine that
 * they were made from, and their network is unplugged.
 */
export async function removeHalfMade(context: Context): Promise<void> {
  await Promise.all(
    context.machines.all().map(async (machine) => {
      if (!(await exists(machine.paths.halfMade))) return
      try {
        if (isOff(machine.state)) await endUnrecorded(context.library.runtime.machine(machine.definition.id).pid)
        await discard(machine, context)
      } catch (error) {
        if (!(error instanceof Failure)) throw error // it is listed, with what is wrong about it, and the next opening tries again
      }
    })
  )
}

/** A QEMU that had been started, but not written down yet. */
async function endUnrecorded(pidFile: string): Promise<void> {
  const left = processOfPidFile(pidFile)
  if (!left) return
  signalProcess(left.pid, left.startTicks, 'SIGKILL')
  await processGone(left.pid, left.startTicks)
}
