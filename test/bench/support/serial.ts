import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Strata } from '../../support/e2e-app'

/** What was typed before has been drawn by then. */
const SETTLE_MS = 300

/** Both ends of what is compared: somebody at a machine's serial port. */
export interface SerialPort {
  /** Types a line and Enter; answers how long it took, in milliseconds, until `mark` was there. */
  runUntil(line: string, mark: string): Promise<number>
  /** Types one character; answers how long its echo took, in milliseconds. `shown`: what the guest's line is then. */
  echo(character: string, shown: string): Promise<number>
  /** Ctrl+C, and a moment for the shell. */
  interrupt(): Promise<void>
  close(): Promise<void>
}

/** The shortest way there is: a client of QEMU's own socket. */
export async function openSocket(path: string): Promise<SerialPort> {
  const socket: Socket = connect(path)
  await once(socket, 'connect')
  let tail = ''
  let check = (): void => undefined
  socket.on('data', (bytes: Buffer) => {
    tail = (tail + bytes.toString('latin1')).slice(-4096)
    check()
  })
  const until = (mark: string): Promise<void> =>
    new Promise((resolve) => {
      check = () => {
        if (tail.includes(mark)) resolve()
      }
      check()
    })
  return {
    async runUntil(line, mark) {
      tail = ''
      const begun = performance.now()
      socket.write(line + '\r')
      await until(mark)
      return performance.now() - begun
    },
    async echo(character) {
      tail = ''
      const begun = performance.now()
      socket.write(character)
      await until(character)
      return performance.now() - begun
    },
    async interrupt() {
      socket.write('\x03')
      await delay(SETTLE_MS)
    },
    async close() {
      const closed = once(socket, 'close')
      socket.destroy()
      await closed
    }
  }
}

interface Stopwatch {
  strataStopwatch: Promise<number>
}

/**
 * Starts a clock in the page, and stops it when the terminal has parsed and drawn a text: then it stands in the rows of its DOM.
 * @param begunAtMs of the computer's clock; null: at the next key that is pressed, by the time of the key's own event
 */
export async function armStopwatch({ page }: Strata, text: string, begunAtMs: number | null = null): Promise<void> {
  await page.evaluate(
    ([wanted, given]) => {
      const rows = document.querySelector('[data-testid="console"] .xterm-rows')!
      let begun = given === null ? null : given - performance.timeOrigin
      if (begun === null) window.addEventListener('keydown', (event) => (begun = event.timeStamp), { capture: true, once: true })
      ;(window as unknown as Stopwatch).strataStopwatch = new Promise((resolve) => {
        const observer = new MutationObserver(() => {
          if (begun === null || !rows.textContent.includes(wanted)) return
          observer.disconnect()
          resolve(performance.now() - begun)
        })
        observer.observe(rows, { childList: true, subtree: true, characterData: true })
      })
    },
    [text, begunAtMs] as const
  )
}
/** In milliseconds, once it has stopped. */
export const readStopwatch = ({ page }: Strata): Promise<number> => page.evaluate(() => (window as unknown as Stopwatch).strataStopwatch)

/** The console in the window, with real keys. */
export async function openWindowConsole(strata: Strata, machine: string): Promise<SerialPort> {
  const { keyboard } = strata.page
  await strata.open(machine, 'Console')
  await strata.terminal('console').getByText(`root@${machine}`).last().waitFor()
  await strata.page.getByTestId('console').click()
  return {
    async runUntil(line, mark) {
      await keyboard.type(line)
      await delay(SETTLE_MS)
      await armStopwatch(strata, mark)
      await keyboard.press('Enter')
      return readStopwatch(strata)
    },
    async echo(character, shown) {
      await armStopwatch(strata, shown)
      await keyboard.press(character)
      return readStopwatch(strata)
    },
    async interrupt() {
      await keyboard.press('Control+C')
      await delay(SETTLE_MS)
    },
    async close() {
      const gone = strata.gone()
      await strata.app.close() // nothing runs that it would ask about
      await gone
    }
  }
}
