/** What the app was asked for on its command line. */
export interface Flags {
  /** Play the guided tour once the window is ready. */
  tour: boolean
  /** Where the tour's pictures go. Given together with `tour`, nobody is watching: the app ends with the tour. */
  tourShots: string | null
  /** Nothing moves: no transitions, no blinking cursor. For pictures. */
  still: boolean
}

/**
 * Reads the app's own flags. Flags of Chromium and Electron stand among them and are left alone, so an unknown one is no error.
 * `--tour-shots DIR` implies `--tour` and `--still`.
 */
export function readFlags(argv: readonly string[]): Flags {
  const tourShots = valueOf(argv, '--tour-shots')
  return {
    tour: argv.includes('--tour') || tourShots !== null,
    tourShots,
    still: argv.includes('--still') || tourShots !== null
  }
}

function valueOf(argv: readonly string[], name: string): string | null {
  const joined = argv.find((argument) => argument.startsWith(name + '='))
  if (joined !== undefined) return joined.slice(name.length + 1) || null
  const at = argv.indexOf(name)
  const next = at < 0 ? undefined : argv[at + 1]
  return next === undefined || next.startsWith('--') ? null : next
}
