/** How long a guest stood, or would stand, still: `24 ms`, `1.1 s`. */
export const formatStall = (ms: number): string => (ms < 995 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`)
