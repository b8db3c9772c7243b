import type { DiskMap } from '#contract'

export interface Span {
  startBytes: number
  endBytes: number
  zero: boolean
}

/**
 * A layer's ranges at the resolution of a picture: spans that would be drawn in one step are one, and none is thinner than a step, so that
 * a single cluster on a large disk can be seen.
 */
export function spansOf(ranges: DiskMap['layers'][number]['ranges'], sizeBytes: number, steps: number): Span[] {
  const step = sizeBytes / steps
  const spans: Span[] = []
  for (const { startBytes, lengthBytes, zero } of ranges) {
    const start = Math.floor(startBytes / step) * step
    const end = Math.min(sizeBytes, Math.max(start + step, Math.ceil((startBytes + lengthBytes) / step) * step))
    const last = spans.at(-1)
    if (last && last.zero === zero && start <= last.endBytes) last.endBytes = Math.max(last.endBytes, end)
    else spans.push({ startBytes: start, endBytes: end, zero })
  }
  return spans
}

/** How many bytes of the guest's disk a layer holds; zeroes take no space and do not count. */
export const heldBytes = (ranges: DiskMap['layers'][number]['ranges']): number =>
  ranges.reduce((sum, range) => sum + (range.zero ? 0 : range.lengthBytes), 0)
