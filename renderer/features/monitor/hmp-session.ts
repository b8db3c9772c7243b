import type { AppError } from '#contract'
import { call } from '../../app'
import { createTerminal, keepLatest, type TerminalView } from '../console'
import { complete, usageAfter } from './hmp-help'
import { editLine, newLine, replaceWord, splitKeys, type LineEffect, type LineState } from './line-editor'
import { inColumns, PromptScreen } from './prompt-screen'
import { learnVocabulary, NO_WORDS } from './vocabulary'

const SCROLLBACK_LINES = 10_000
/** More fitting commands than this are listed by name only. */
const EXPLAINED = 12

/** Lines typed in this window, into any monitor. In memory only: they may hold passwords. */
let shared: readonly string[] = []

/** QEMU's human monitor of one machine. Each line is an operation of its own; the editing is done here. */
export class HmpSession {
  readonly view: TerminalView = createTerminal({ scrollback: SCROLLBACK_LINES, convertEol: false })
  private readonly screen = new PromptScreen(this.view.terminal)
  private line: LineState = newLine(shared)
  private vocabulary = NO_WORDS
  private busy = false
  /** Keys typed while a command runs. */
  private ahead: string[] = []
  private greeted: number | null = null

  constructor(private readonly machineId: string) {
    const { terminal } = this.view
    terminal.onData((data) => this.keys(splitKeys(data)))
    terminal.onResize(() => this.screen.resized(this.line))
  }

  /** Tells the session which QEMU process it talks to: another one is greeted anew. */
  greet(pid: number): void {
    if (this.greeted === pid) return
    const again = this.greeted !== null
    this.greeted = pid
    this.line = newLine(shared)
    if (again) this.screen.print('\n')
    this.busy = true
    learnVocabulary(this.machineId)
      .then(
        ({ version, vocabulary }) => {
          this.vocabulary = vocabulary
          // Distributions add words of their own behind the number.
          const number = /^[\d.]+/.exec(version)?.[0] ?? version
          this.screen.printDim(`QEMU ${number} monitor. Tab completes, Ctrl+R searches the history, help lists the commands.\n`)
        },
        (thrown: unknown) => this.screen.printError(`${thrown instanceof Error ? thrown.message : String(thrown)}\n`)
      )
      .finally(() => this.ready())
  }

  paste(text: string): void {
    this.keys(splitKeys(text.replace(/\r?\n/g, '\r')))
  }

  clear(): void {
    this.screen.clear()
    if (!this.busy) this.draw()
  }

  dispose(): void {
    this.view.dispose()
  }

  private keys(keys: readonly string[]): void {
    for (const key of keys) {
      if (this.busy) {
        this.ahead.push(key)
        continue
      }
      const before = this.line
      const { state, effect } = editLine(before, key)
      this.line = state
      if (effect) this.act(effect, before)
      else this.draw()
    }
  }

  private act(effect: LineEffect, before: LineState): void {
    switch (effect.kind) {
      case 'submit':
        shared = this.line.history
        this.screen.leave({ ...before, search: null })
        if (effect.line === '') this.draw()
        else void this.run(effect.line)
        break
      case 'interrupt':
        this.screen.leave(before, '^C')
        this.draw()
        break
      case 'complete':
        this.complete()
        break
      case 'clear':
        this.clear()
        break
      case 'bell':
        this.draw()
    }
  }

  private complete(): void {
    const completion = complete(this.line.text.slice(0, this.line.cursor), this.vocabulary)
    if (!completion) return this.draw()
    const before = this.line
    this.line = replaceWord(before, completion.insert)
    const { candidates } = completion
    // The first Tab goes as far as it can; when it can go no further, what fits is listed.
    if (candidates.length > 0 && this.line.text === before.text) {
      this.screen.leave(before)
      const names = candidates.map(({ names: [name = ''] }) => name)
      const longest = Math.max(...names.map((name) => name.length))
      const { cols } = this.view.terminal
      this.screen.printDim(
        candidates.length > EXPLAINED
          ? inColumns(names, cols)
          : candidates.map(({ summary }, index) => `${names[index]!.padEnd(longest)}  ${summary}`.slice(0, cols - 1) + '\n').join('')
      )
    }
    this.draw()
  }

  private async run(line: string): Promise<void> {
    this.busy = true
    const answered = await call('monitor.run', { machine: this.machineId, line })
    if (answered.ok) this.print(answered.value.output)
    else this.screen.printError(wordsOf(answered.error))
    this.ready()
  }

  private print(output: string): void {
    if (output !== '') this.screen.print(output.endsWith('\n') ? output : output + '\n')
  }

  private ready(): void {
    this.busy = false
    this.line = { ...newLine(shared), cut: this.line.cut }
    this.draw()
    this.keys(this.ahead.splice(0))
  }

  private draw(): void {
    this.screen.draw(this.line, this.line.search ? '' : usageAfter(this.line.text, this.vocabulary))
  }
}

const wordsOf = ({ message, next, causes }: AppError): string => [message, ...causes, ...(next === undefined ? [] : [next])].join('\n') + '\n'

/** The monitors that were looked at last keep what they printed. */
export const hmpSessionOf = keepLatest(4, (machineId) => new HmpSession(machineId))
