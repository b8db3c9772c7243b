import { z } from 'zod'
import { Failure } from '#contract'
import type { Context } from '../context'
import { exists, readJson, removeFile, writeJsonAtomic } from '../host/files'
import { processOfPidFile, signalProcess } from '../host/process'
import type { Machines } from '../machine/machines'
import type { ManagedMachine } from '../machine/machine'
import { processGone } from '../machine/qemu'
import { isLive, isOff } from '../machine/state'
import { discard } from './restore'

const CaptureNote = z.object({ schemaVersion: z.literal(1), running: z.boolean() })

/** Writes down that the guest is about to be stopped for a moment: should we be cut off there, the next owner lets it go on. */
export const noteCapture = (machine: ManagedMachine, running: boolean): Promise<void> =>
  writeJsonAtomic(machine.paths.capture, { schemaVersion: 1, running } satisfies z.output<typeof CaptureNote>)

/** At the opening of a library: a guest that stands still because a snapshot was cut off goes on. */
export async function resumeInterrupted(machines: Machines): Promise<void> {
  await Promise.all(
    machines.all().map(async (machine) => {
      if (!(await exists(machine.paths.capture))) return
      const note = await readJson(machine.paths.capture, CaptureNote).catch(() => null) // cut off while it was written: nothing had begun
      if (note?.running && isLive(machine.state)) {
        const { qmp } = machine.live('resumed')
        await qmp.execute('migrate_cancel')
        if (!(await qmp.execute('query-status')).running) await qmp.execute('cont')
        await machine.levelState()
      }
      await removeFile(machine.paths.capture)
    })
  )
}

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
