import type { InputOf, OperationName, TaskOperationName } from '#contract'
import { call, callTask, openStream } from '../../app'

// What the tour's stops do, through the same operations and places as a user's.

export async function need<N extends OperationName>(name: N, input: InputOf<N>): Promise<void> {
  const answer = await call(name, input)
  if (!answer.ok) throw new Error(`${name}: ${answer.error.message}`)
}
/** @returns the id of what the task has made, where it has one */
export async function needTask<N extends TaskOperationName>(name: N, input: InputOf<N>): Promise<string> {
  const answer = await callTask(name, input)
  if (!answer.ok) throw new Error(`${name}: ${answer.error.message} ${answer.error.causes.join(' ')}`)
  return (answer.value as { id: string }).id
}

/** Its kernel may still be coming up. A guest whose agent does not answer in time is simply not given another name in its clones. */
export async function waitForAgent(machine: string): Promise<void> {
  for (let tries = 0; tries < 60; tries++) {
    if ((await call('guest.ping', { machine })).ok) return
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
}

/** Lets the guest's shell run a script, to its end. */
export const runInGuest = (machine: string, script: string): Promise<void> =>
  need('guest.exec', { machine, command: ['sh', '-c', script], timeoutSeconds: 60 })

/** Lets the guest write a file of so many MiB, onto its disk. */
export const writeInGuest = (machine: string, name: string, mebibytes: number): Promise<void> =>
  runInGuest(machine, `dd if=/dev/urandom of=/root/${name} bs=1M count=${mebibytes}; sync`)

/** Types a line into the serial console, as a second viewer of it: the console on the screen shows it. */
export async function typeIntoConsole(machine: string, line: string): Promise<void> {
  const opened = await openStream('console', { machine, fromByte: Number.MAX_SAFE_INTEGER })
  if (!opened.ok) throw new Error(opened.error.message)
  const answered = new Promise<void>((resolve) => {
    let seen = ''
    opened.value.onData((bytes, used) => {
      seen += new TextDecoder().decode(bytes)
      used()
      if (seen.split(END).length > 2) resolve() // once as typed, once as printed
    })
  })
  void opened.value.send(new TextEncoder().encode(`${line}; echo ${END}\r`))
  await Promise.race([answered, new Promise((resolve) => setTimeout(resolve, 10_000))])
  opened.value.close()
}
const END = '-- end --'

/** Pastes into the terminal that is shown, once it is there, as a user would. */
export async function pasteIntoTerminal(text: string): Promise<void> {
  const terminal = await appeared('a terminal', () => document.querySelector<HTMLTextAreaElement>('main .xterm-helper-textarea'))
  const clipboardData = new DataTransfer()
  clipboardData.setData('text/plain', text)
  terminal.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true }))
}

/** Chooses one of the monitor's views, as a user would. */
export async function chooseView(label: string): Promise<void> {
  const choices = (): HTMLLabelElement[] => [...document.querySelectorAll<HTMLLabelElement>('main [role=radiogroup] label')]
  const choice = await appeared(`the view ${label}`, () => choices().find((one) => one.textContent.trim() === label))
  choice.click()
}

/** What a place shows, once it is there. */
export async function appeared<T>(what: string, find: () => T | null | undefined): Promise<T> {
  for (let tries = 0; tries < 100; tries++) {
    const found = find()
    if (found) return found
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`${what} did not appear`)
}
