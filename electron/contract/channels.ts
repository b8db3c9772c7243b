import type { Shell, ShellFacts } from './bridge'

/**
 * The names on the wire between preload and main. The bridge's functions are derived from them at both ends, so that neither
 * can forget one or spell it differently. No schema library here: this is a part of the preload script.
 */
export const channels = {
  /** Window to main: `(name, input)`, answers a `Result`. */
  call: 'strata:call',
  openStream: 'strata:open-stream',
  /** Main to window. */
  event: 'strata:event',
  stream: 'strata:stream',
  command: 'strata:command'
} as const

/** The functions of `Shell` that the main process carries out. */
export type ShellCalls = { [K in keyof Shell as Shell[K] extends (...given: never[]) => Promise<unknown> ? K : never]: Shell[K] }
export type ShellCallName = keyof ShellCalls

export const shellChannels = {
  chooseFile: 'strata:shell.chooseFile',
  chooseSaveFile: 'strata:shell.chooseSaveFile',
  readClipboard: 'strata:shell.readClipboard',
  writeClipboard: 'strata:shell.writeClipboard',
  setFullScreen: 'strata:shell.setFullScreen',
  saveShot: 'strata:shell.saveShot',
  tourEnded: 'strata:shell.tourEnded'
} as const satisfies { [K in ShellCallName]: `strata:shell.${K}` }

/** The facts travel as an argument of the renderer's process: they are there before the page is, without a call. */
const FACTS = '--strata-facts='
export const factsArgument = (facts: ShellFacts): string => FACTS + encodeURIComponent(JSON.stringify(facts))
export function factsFromArguments(argv: readonly string[]): ShellFacts {
  const given = argv.find((argument) => argument.startsWith(FACTS))
  if (given === undefined) throw new Error('the window was started without its facts')
  return JSON.parse(decodeURIComponent(given.slice(FACTS.length))) as ShellFacts
}
