/** The known word that was probably meant, or null. */
export function nearest(given: string, known: Iterable<string>): string | null {
  let best: string | null = null
  // One mistake in three letters, at least one: `mashine` is machine, `ls` is not `lab`.
  let bestDistance = Math.max(1, Math.floor(given.length / 3)) + 1
  for (const word of known) {
    const distance = given.length >= 3 && word.startsWith(given) ? 1 : distanceBetween(given.toLowerCase(), word.toLowerCase())
    if (distance < bestDistance) [best, bestDistance] = [word, distance]
  }
  return best
}

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
function distanceBetween(a: string, b: string): number {
  let [previous, row]: [number[], number[]] = [[], Array.from({ length: b.length + 1 }, (_, index) => index)]
  const at = (of: number[], index: number): number => of[index] ?? Infinity
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? at(previous, j - 2) + 1 : Infinity
      next.push(Math.min(at(next, j - 1) + 1, at(row, j) + 1, at(row, j - 1) + cost, swapped))
    }
    ;[previous, row] = [row, next]
  }
  return at(row, b.length)
}
