import { z } from 'zod'
import { Accelerator, MachineDefinition } from '#contract'
import { readJson, writeJsonAtomic } from '../host/files'

/** What was started: written to `run.json` right after QEMU was, and read when a library is opened again. */
export const RunRecord = z.object({
  schemaVersion: z.literal(1),
  pid: z.number().int(),
  /** With the pid and the boot, names the process for good. */
  startTicks: z.number(),
  bootId: z.string(),
  startedAtMs: z.number(),
  runtimeFolder: z.string(),
  accelerator: Accelerator,
  /** As it was then: what differs from it now waits for the next start. */
  definition: MachineDefinition
})
export type RunRecord = z.output<typeof RunRecord>

export const readRunRecord = (path: string): Promise<RunRecord> => readJson(path, RunRecord)
export const writeRunRecord = (path: string, record: RunRecord): Promise<void> => writeJsonAtomic(path, record)
