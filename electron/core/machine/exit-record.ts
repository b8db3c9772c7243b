import { z } from 'zod'
import { Failure, MachineExit } from '#contract'
import { exists, readJson, writeJsonAtomic } from '../host/files'

/** How a machine's last run ended: `exit.json`, written when QEMU has ended, and what an off machine's state is read from. */
export const ExitRecord = z.object({
  schemaVersion: z.literal(1),
  /** Which run it was: as in its `run.json`. */
  startedAtMs: z.number(),
  /** Somebody wanted it to end: the machine is stopped, else crashed. */
  expected: z.boolean(),
  exit: MachineExit
})
export type ExitRecord = z.output<typeof ExitRecord>

/** Null when the machine has never ended, or when the record cannot be used: a lost explanation keeps no machine from being used. */
export async function readExitRecord(path: string): Promise<ExitRecord | null> {
  if (!(await exists(path))) return null
  try {
    return await readJson(path, ExitRecord)
  } catch (error) {
    if (error instanceof Failure) return null
    throw error
  }
}

export const writeExitRecord = (path: string, ended: Omit<ExitRecord, 'schemaVersion'>): Promise<void> => writeJsonAtomic(path, { schemaVersion: 1, ...ended })
