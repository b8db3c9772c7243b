import { z } from 'zod'
import { exists, readJson, removeFile, writeJsonAtomic } from '../host/files'
import type { Machines } from '../machine/machines'
import type { ManagedMachine } from '../machine/machine'
import { isLive } from '../machine/state'
import { goOn } from './capture'

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
        await goOn(qmp, true)
        await machine.levelState()
      }
      await removeFile(machine.paths.capture)
    })
  )
}
