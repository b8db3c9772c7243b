import type { Task } from '#contract'
import type { Terminal } from './terminal'
import { padTo, widthOf } from './output/text'

const BAR = 20
/** More often is only noise. */
const REDRAW_MS = 80

export interface Progress {
  show(task: Task): void
  /** Another line to print while it goes on. */
  say: (line: string) => void
  clear(): void
}

/** How far a task is: one rewritten line on a terminal; with `verbose` each line of its log; else nothing. */
export function makeProgress(terminal: Terminal, title: string, options: { verbose: boolean; quiet: boolean }): Progress {
  let drawn = ''
  let drawnAt = 0
  let printed = 0
  const live = terminal.isErrorTerminal && !options.quiet
  const clear = (): void => {
    if (drawn !== '') terminal.error('\r\x1b[K')
    drawn = ''
  }
  const say = (line: string): void => {
    clear()
    terminal.error(line + '\n')
  }
  return {
    clear,
    say,
    show(task) {
      if (options.verbose) {
        // The log keeps its last lines only: what was printed is told by its time.
        for (const { atMs, line } of task.log.filter((entry) => entry.atMs > printed)) {
          printed = atMs
          say(terminal.errorPaint.dim(`  ${line}`))
        }
      }
      if (!live || Date.now() - drawnAt < REDRAW_MS) return
      const line = fit(progressLine(task, title), process.stderr.columns || 80)
      if (line === drawn) return
      terminal.error('\r\x1b[K' + line)
      drawn = line
      drawnAt = Date.now()
    }
  }
}

export function progressLine(task: Pick<Task, 'ratio' | 'phase'>, title: string): string {
  const percent = task.ratio === null ? '' : `[${padTo('#'.repeat(Math.round(task.ratio * BAR)), BAR).replaceAll(' ', '-')}] ${String(Math.round(task.ratio * 100)).padStart(3)} %`
  return [title, percent, task.phase].filter(Boolean).join('  ')
}

/** A line that breaks could not be rewritten. */
function fit(line: string, columns: number): string {
  let text = line
  while (widthOf(text) > columns - 1) text = text.slice(0, -1)
  return text
}
