import { shell } from './bridge'
import { toast } from './toasts'

/** Puts text on the clipboard. */
export function copyText(text: string): void {
  shell()
    .writeClipboard(text)
    .catch((thrown: unknown) => toast('The text could not be copied.', { tone: 'error', note: String(thrown) }))
}
