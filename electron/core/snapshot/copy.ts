import { failure, Failure } from '#contract'
import { fileFailure } from '../host/file-failure'
import type { MemoryFile } from '../host/memory-file'
import { nativeFile } from '../host/native-files'
import { run } from '../host/process'

const EXIT_FILE = 1

/** Memory that is being copied while its guest runs. */
export interface MemoryCopy {
  /** Fulfilled when little is left to copy. @throws no-space, file, cancelled */
  nearly(): Promise<void>
  /** Copies what differs still. To be called once, while the guest stands still; it must until this is fulfilled. @throws as `nearly` */
  finish(): Promise<void>
  /** Copies no more; the file is left to the caller. */
  abandon(): Promise<void>
}

/**
 * Copies a guest's memory into a file of holes, by a program of its own (native/snapshot/copy.c), which ends with this process.
 * @param target an empty file
 */
export function copyMemory(source: MemoryFile, target: string): MemoryCopy {
  const stop = new AbortController()
  const reached = { nearly: (): void => {}, copied: (): void => {} }
  const nearly = new Promise<void>((resolve) => (reached.nearly = resolve))
  const copied = new Promise<void>((resolve) => (reached.copied = resolve))
  let standsStill: (line: string) => void
  let said = ''
  const program = run(nativeFile('copy'), [source.path, target], {
    signal: stop.signal,
    acceptExitCodes: [EXIT_FILE],
    input: new Promise<string>((resolve) => (standsStill = resolve)),
    onStdout: (text) => {
      said += text
      if (/^nearly \d+$/m.test(said)) reached.nearly()
      if (/^copied \d+$/m.test(said)) reached.copied() // it ends a moment later, as it has much to let go of
    }
  })
  const failed = program.then(({ exitCode, stdout, stderr }): never => {
    throw exitCode === 0 ? failure('program-failed', 'The guest’s memory was not copied to its end.', { program: 'copy', exitCode, cause: stdout }) : explained(stderr.trim(), target)
  })
  failed.catch(() => {}) // told by whoever waits for one of these
  return {
    nearly: () => Promise.race([nearly, failed]),
    finish: () => {
      standsStill('\n')
      return Promise.race([copied, failed])
    },
    abandon: async () => {
      stop.abort()
      await failed.catch(() => {}) // why is told by whoever abandons it
    }
  }
}

/** @param words `copy: FILE: WHY (ERRNO)` */
function explained(words: string, target: string): Failure {
  const code = /\((E[A-Z0-9]+)\)$/.exec(words)?.[1]
  const ours = words.includes(target)
  return fileFailure(Object.assign(new Error(words), { code }), ours ? target : 'memory of QEMU', ours ? 'written' : 'read')
}
