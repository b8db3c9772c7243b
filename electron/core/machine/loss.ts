import { setTimeout as delay } from 'node:timers/promises'
import { failure, Failure } from '#contract'
import { lastLines } from './exit'
import type { ManagedMachine } from './machine'
import { isOff } from './state'

/** A connection ends before the process does. */
const END_MS = 5_000

/** QEMU is gone, or going: what a QMP command, or a start, throws then. */
export const isLoss = (error: unknown): boolean => error instanceof Failure && ['connection-lost', 'qemu-exited'].includes(error.error.code)

/**
 * What to throw in place of an error that came of QEMU's end.
 * @param message what did not come about, as a sentence
 * @returns a failure with QEMU's last words; `error` itself when QEMU has not ended
 */
export async function explainedLoss(machine: ManagedMachine, error: unknown, message: string): Promise<unknown> {
  await Promise.race([machine.whenOff, delay(END_MS)])
  return isOff(machine.state) ? failure('program-failed', message, { program: 'QEMU', exitCode: null, cause: await lastLines(machine.paths.qemuLog) }) : error
}
