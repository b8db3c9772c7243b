import type { AppError, Result, ResultOf, Task } from '#contract'
import { EMPTY, showResult } from './output/views'
import { outcomeOf, runTask, watchTask, type Run, type TaskOutcome } from './tasks'
import { exitCodeOf, formatError } from './terminal'
import { badUsage } from './usage'

/** Runs an operation and shows what came of it. @returns the exit code */
export async function runOperation(run: Run): Promise<number> {
  const { command, options, terminal } = run
  const operation = command.operation ?? ''
  const special = SPECIAL[operation]
  if (special) return special(run)
  const outcome = command.task ? await runTask(run) : await call(run)
  if (outcome.kind !== 'result') return showUnfinished(run, outcome)
  if (!outcome.result.ok) return showError(run, outcome.result.error)
  const { value } = outcome.result
  if (options.json) await terminal.out(JSON.stringify(value, null, 2) + '\n')
  else if (Array.isArray(value) && value.length === 0 && operation in EMPTY) terminal.error(EMPTY[operation as keyof typeof EMPTY] + '\n')
  else await terminal.out(showResult(operation, value, terminal.paint, run.input))
  return 0
}

const call = async ({ command, input, session }: Run): Promise<TaskOutcome> => ({
  kind: 'result',
  result: await session.call(command.operation ?? '', input, command.reads)
})

async function showUnfinished({ terminal, options }: Run, outcome: Exclude<TaskOutcome, { kind: 'result' }>): Promise<number> {
  if (outcome.kind === 'left') {
    if (!options.json) terminal.error(`Left task ${outcome.taskId} to itself.\n`)
    return 130
  }
  await terminal.out(options.json ? JSON.stringify({ taskId: outcome.taskId }) + '\n' : outcome.taskId + '\n')
  return 0
}

export function showError({ terminal, options, command }: Pick<Run, 'terminal' | 'options'> & { command?: Run['command'] }, error: AppError): number {
  if (options.json) terminal.error(JSON.stringify(error) + '\n')
  else terminal.error(formatError(inTypedWords(error, command), options.verbose, terminal.errorPaint))
  return exitCodeOf(error)
}

/** The contract names fields, people type flags: `forward.0` is `--forward`, `name` is `<name>`. */
function inTypedWords(error: AppError, command: Run['command'] | undefined): AppError {
  if (error.code !== 'bad-input' || !command) return error
  const name = error.field.split('.')[0]
  const flag = command.flags.find((field) => field.name === name)
  const positional = command.positional.find((field) => field.name === name)
  const typed = flag ? `--${flag.flag}` : positional ? positional.placeholder : null
  return typed === null ? error : { ...error, message: error.message.replace(`“${error.field}”`, typed) }
}

/** Operations whose command does more than show a result. */
const SPECIAL: Record<string, (run: Run) => Promise<number>> = {
  'guest.exec': execInGuest,
  'machine.screenshot': takeScreenshot,
  'task.wait': waitForTask
}

/** The program's output and exit code become ours. */
async function execInGuest(run: Run): Promise<number> {
  const { input, session, terminal, options } = run
  const withInput = input.input === '-' ? { ...input, input: await readAll(process.stdin) } : input
  const answered = await session.call('guest.exec', withInput, false)
  if (!answered.ok) return showError(run, answered.error)
  const result = answered.value as ResultOf<'guest.exec'>
  if (options.json) await terminal.out(JSON.stringify(result, null, 2) + '\n')
  else {
    terminal.error(result.stderr)
    await terminal.out(result.stdout)
    if (result.truncated) terminal.error('strata: the output was longer; the guest agent cut it off.\n')
    if (result.signal !== null) terminal.error(`strata: the program was ended by signal ${result.signal}.\n`)
  }
  return result.exitCode ?? (result.signal === null ? 1 : 128 + result.signal)
}

/** Without a file the picture goes where the output goes, unless that is a terminal. */
async function takeScreenshot(run: Run): Promise<number> {
  const { input, session, terminal, options } = run
  if (input.file === undefined && !options.json && terminal.isOutTerminal) {
    throw badUsage('--file', 'A picture is nothing for a terminal.', 'Say --file NAME.png, or send the output to a file.')
  }
  const answered = await session.call('machine.screenshot', input, true)
  if (!answered.ok) return showError(run, answered.error)
  const shot = answered.value as ResultOf<'machine.screenshot'>
  if (options.json) await terminal.out(JSON.stringify(shot, null, 2) + '\n')
  else if (shot.pngBase64 !== null) await terminal.out(Buffer.from(shot.pngBase64, 'base64'))
  else await terminal.out(`Wrote ${shot.file ?? ''} (${shot.widthPixels} x ${shot.heightPixels}).\n`)
  return 0
}

/** The exit code tells how the task ended. Ctrl+C ends the waiting, not the task. */
async function waitForTask(run: Run): Promise<number> {
  const { input, session, terminal, options } = run
  const taskId = String(input.taskId)
  const answered = input.timeoutSeconds === undefined ? await watchTask(run, taskId, false) : ((await session.call('task.wait', input, true)) as Result<Task>)
  if (answered === 'left') return showUnfinished(run, { kind: 'left', taskId })
  if (!answered.ok) return showError(run, answered.error)
  const outcome = outcomeOf(answered.value)
  if (options.json) await terminal.out(JSON.stringify(answered.value, null, 2) + '\n')
  else if (!outcome.ok) return showError(run, outcome.error)
  else await terminal.out(showResult('task.wait', answered.value, terminal.paint, input))
  return outcome.ok ? 0 : exitCodeOf(outcome.error)
}

async function readAll(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(Buffer.from(chunk as Buffer))
  return Buffer.concat(chunks).toString('utf8')
}
