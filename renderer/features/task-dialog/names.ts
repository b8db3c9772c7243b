import { Name } from '#contract'

/** What is wrong with a name, as a sentence; null when nothing is. */
export function wrongName(name: string): string | null {
  const wrong = Name.safeParse(name).error?.issues[0]?.message
  return wrong === undefined ? null : `${wrong.charAt(0).toUpperCase()}${wrong.slice(1)}.`
}

/** The same for a name that may be left out. */
export const wrongOptionalName = (name: string): string | null => (name === '' ? null : wrongName(name))
