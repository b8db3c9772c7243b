/** The one origin that is ever loaded, and the only one whose calls are answered. */
export const SCHEME = 'app'
export const ORIGIN = `${SCHEME}://bundle`
export const PAGE = `${ORIGIN}/index.html`

/** What is looked at of the frame that an IPC message comes from. */
export interface Frame {
  readonly origin: string
  /** Null for a page's main frame. */
  readonly parent: unknown
}

/** Whether a message may be answered: it comes from the main frame of our own page, and the frame is still there. */
export const isOurs = (frame: Frame): boolean => frame.parent === null && frame.origin === ORIGIN
