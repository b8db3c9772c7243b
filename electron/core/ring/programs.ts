import { join } from 'node:path'
import { failure, type AppError } from '#contract'
import { exists } from '../host/files'
import { run, type RunOptions, type RunOutput } from '../host/process'

export type RingProgram = 'service' | 'client' | 'tool_for_integrity' | 'reader'

/** Exit codes: native/ring/outcome.h. Each comes with one sentence that says all. */
const OUTCOME = { failed: 1, usage: 2, notRunning: 3, running: 4, noImage: 10, noPermission: 11, emptyImage: 12, oddSize: 13, noDirect: 14, notAFile: 15, differs: 20, malformed: 21 }

/** The native programs, in the folder that they were built in or packaged to. */
export class RingPrograms {
  constructor(readonly folder: string) {}

  get adapter(): string {
    return join(this.folder, 'ring.node')
  }

  /** Why there are none, or null. */
  async missing(): Promise<string | null> {
    return (await exists(join(this.folder, 'service'))) ? null : 'The ring’s programs have not been built. Run “npm run setup” in Strata’s folder, then come back here.'
  }

  /**
   * Runs a program of the ring in a folder.
   * @param image what a failure about the image names
   * @throws what the program's exit code says: not-found, file, bad-file, unsupported, wrong-state, program-failed; cancelled, time-out
   */
  async run(program: RingProgram, args: readonly (string | number)[], options: RunOptions & { cwd: string; image?: string }): Promise<RunOutput> {
    const path = join(this.folder, program)
    if (!(await exists(path))) throw failure('unsupported', (await this.missing()) ?? `The ring has no program ${program}.`, { next: 'Run “npm run setup”.' })
    const output = await run(path, args.map(String), { ...options, acceptExitCodes: Object.values(OUTCOME) })
    if (output.exitCode === 0) return output
    throw failureOf(program, output, options.image ?? '')
  }
}

function failureOf(program: RingProgram, { exitCode, stderr, stdout }: RunOutput, image: string): Error {
  const [message = `${program} failed.`, ...more] = (stderr.trim() || stdout.trim() || `${program} failed with exit code ${exitCode}.`).split('\n')
  const cause = more.length > 0 ? more.join('\n') : undefined
  switch (exitCode) {
    case OUTCOME.noImage:
      return failure('not-found', `There is no image “${image}”.`, { what: 'image', name: image, cause: message })
    case OUTCOME.noPermission:
      return failure('file', message, { path: image, errno: 'EACCES', cause })
    case OUTCOME.emptyImage:
    case OUTCOME.oddSize:
    case OUTCOME.notAFile:
    case OUTCOME.differs:
    case OUTCOME.malformed:
      return failure('bad-file', message, { path: image, cause })
    case OUTCOME.noDirect:
      return failure('unsupported', message, { cause })
    case OUTCOME.running:
      return failure('wrong-state', 'The ring is served already.', { name: 'ring', state: 'serving', next: 'Stop the service first.', cause: message })
    case OUTCOME.notRunning:
      return failure('wrong-state', 'The ring is not served.', { name: 'ring', state: 'off', next: 'Start the service first.', cause: message })
    default:
      return failure('program-failed', message, { program, exitCode, cause })
  }
}

/** Whether a failure says that nobody serves. */
export const isNotServed = (error: AppError): boolean => error.code === 'wrong-state' && 'state' in error && error.state === 'off'
