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

/** How far a task is: one rewritten line on a terminal; with `verbose` each line of its log; nothing beside JSON. */
export function makeProgress(terminal: Terminal, title: string, { verbose, json }: { verbose: boolean; json: boolean }): Progress {
  let drawn = ''
  let drawnAt = 0
  let last: Task['log'][number] | null = null
  const live = terminal.isErrorTerminal && !json
  const clear = (): void => {
    if (drawn !== '') terminal.error('\r\x1b[K')
    drawn = ''
  }
  const say = (line: string): void => {
    clear()
    if (!json) terminal.error(line + '\n')
  }
  return {
    clear,
    say,
    show(task) {
      if (verbose && !json) {
        // The log keeps its last lines only: what is new comes after the last one printed.
        const known = task.log.findLastIndex((entry) => entry.atMs === last?.atMs && entry.line === last.line)
        for (const entry of task.log.slice(known + 1)) say(terminal.errorPaint.dim(`  ${entry.line}`))
        last = task.log.at(-1) ?? last
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
