import type { AppError } from '#contract'
import { makePaint, type Paint } from './output/paint'

/** The three standard streams, and what is known of who reads them. */
export interface Terminal {
  readonly paint: Paint
  /** Of the error output: messages and progress may be coloured where results are not. */
  readonly errorPaint: Paint
  readonly columns: number
  readonly isOutTerminal: boolean
  readonly isErrorTerminal: boolean
  /** Fulfilled when the text is written. Whoever closes its end early (`| head`) ends the command quietly. */
  out(text: string | Uint8Array): Promise<void>
  error(text: string): void
}

/** @param onOutputLost no more can be written: with 0 whoever reads it has enough, with 1 it could not be written */
export function openTerminal(onOutputLost: (exitCode: number) => void): Terminal {
  const { stdout, stderr } = process
  let gone = false
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (gone) return
    gone = true
    if (error.code !== 'EPIPE') stderr.write(`strata: The output could not be written: ${error.message}.\n`)
    onOutputLost(error.code === 'EPIPE' ? 0 : 1)
  })
  // With nobody left to tell, there is nothing to do about it.
  stderr.on('error', () => {})
  const colours = (on: boolean): Paint => makePaint(on && !process.env.NO_COLOR && process.env.TERM !== 'dumb')
  return {
    paint: colours(stdout.isTTY),
    errorPaint: colours(stderr.isTTY),
    get columns() {
      return (stdout.isTTY ? stdout.columns : 0) || 100
    },
    isOutTerminal: Boolean(stdout.isTTY),
    isErrorTerminal: Boolean(stderr.isTTY),
    // Not settled when it cannot be written: the command is ending then.
    out: (text) => new Promise((resolve) => stdout.write(text, (error) => void (error ? undefined : resolve()))),
    error: (text) => void stderr.write(text)
  }
}

/** The sentence, the next step, and with `verbose` what caused it. */
export function formatError(error: AppError, verbose: boolean, paint: Paint): string {
  const lines = [`${paint.red('strata:')} ${error.message}`]
  if (error.next !== undefined) lines.push(error.next)
  const details = [...error.causes, ...(error.code === 'qemu-exited' ? error.log : [])]
  if (verbose) lines.push(...details.map((cause) => paint.dim(`  ${cause.replaceAll('\n', '\n  ')}`)))
  else if (details.length > 0) lines.push(paint.dim('--verbose tells what caused it.'))
  return lines.join('\n') + '\n'
}

/** What the shell gets to know. */
export const exitCodeOf = (error: AppError): number => (error.code === 'bad-input' || error.code === 'unknown-operation' ? 2 : 1)
