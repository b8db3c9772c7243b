import { useState } from 'react'
import type { Machine } from '#contract'
import { attempt, copyText } from '../../../app'
import { Button } from '../../../ui/button'
import { DetailsText } from '../../../ui/notice'
import styles from './settings-tab.module.css'

/** The QEMU command line that a start would run: for whoever wants to know, or to run it by hand. */
export function CommandLine({ machine }: { machine: Machine }) {
  const [shown, setShown] = useState<string | null>(null)
  const show = async (): Promise<void> => {
    const result = await attempt('machine.command-line', { machine: machine.id })
    if (result.ok) setShown(linesOf(result.value.program, result.value.arguments))
  }
  return (
    <div className={styles.commandLine}>
      {shown === null ? <Button onClick={() => void show()}>Show the command line</Button> : <DetailsText text={shown} onCopy={copyText} />}
    </div>
  )
}

/** One option a line, as a shell takes it. */
export function linesOf(program: string, given: readonly string[]): string {
  const quoted = given.map((word) => (/^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
  return quoted.reduce((text, word) => text + (word.startsWith('-') ? ' \\\n  ' : ' ') + word, program)
}
