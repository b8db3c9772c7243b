/**
 * The top of a scale for a greatest value: a power of two, or three quarters of one. Coarse on purpose:
 * the scale moves seldom, and its half is readable too.
 */
export function niceTop(greatest: number): number {
  if (greatest <= 0) return 1
  // Sizes are read in steps of 1024, and 2, 4, 8 ... 512 within one.
  const power = 2 ** Math.ceil(Math.log2(greatest))
  return power * 0.75 >= greatest ? power * 0.75 : power
}
