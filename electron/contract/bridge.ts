import type { Result } from './error'
import type { Event } from './event'
import type { AnswerOf, InputOf, OperationName } from './operations/index'
import type { StreamInput, StreamName } from './stream'

/**
 * What the preload script offers the window as `window.strata`: the contract, and the few things only a window has.
 * Every call is checked again in the main process: its sender, and its input against the operation's schema.
 */
export interface Bridge {
  call<N extends OperationName>(name: N, input: InputOf<N>): Promise<Result<AnswerOf<N>>>
  onEvent(listener: (event: Event) => void): () => void
  /**
   * Opens a stream. Its MessagePort cannot cross the context bridge: it arrives as a window message
   * `{ strataStream: streamId }` with the port, after this promise has been fulfilled or before.
   */
  openStream<S extends StreamName>(name: S, input: StreamInput<S>): Promise<Result<{ streamId: string }>>
  shell: Shell
}

/** Only a window has these; they are not part of what Strata can do. */
export interface Shell {
  /** Facts that do not change while the window is open. */
  readonly facts: ShellFacts
  /** The system's open dialog; null when the user cancels. */
  chooseFile(options: { title: string; extensions?: string[] }): Promise<string | null>
  /** Where a file that was dropped on the window lies; empty when it is none of this computer's. */
  pathOf(file: File): string
  chooseSaveFile(options: { title: string; suggestedName: string }): Promise<string | null>
  readClipboard(): Promise<string>
  writeClipboard(text: string): Promise<void>
  /** Menu entries and their shortcuts, as command ids such as `machine.create` or `view.palette`. */
  onCommand(listener: (command: string) => void): () => void
  setFullScreen(on: boolean): Promise<void>
  /** Tour: saves a picture of the window as `<number>-<label>.png`; answers its path. */
  saveShot(label: string): Promise<string>
  /** Tour: it has ended; with a problem the app exits with code 1 when it was started to play the tour. */
  tourEnded(problem: string | null): Promise<void>
}
export interface ShellFacts {
  version: string
  electron: string
  /** The app was started with `--tour`: play it once the window is ready. */
  playTour: boolean
  /** Motion, transitions and blinking are off (screenshots, reduced motion). */
  still: boolean
}

/** Messages on a stream's MessagePort, both ways. Data itself travels as ArrayBuffer. */
export type StreamMessage =
  | ArrayBuffer
  /** So many bytes have been used: the other side may send as many more. */
  | { kind: 'acknowledged'; bytes: number }
  /** Nothing more will come; `error` when it did not end by itself. */
  | { kind: 'ended'; error: string | null }

/** How many bytes may be under way on a stream before its sender waits for an acknowledgement. */
export const STREAM_WINDOW_BYTES = 1 << 20
