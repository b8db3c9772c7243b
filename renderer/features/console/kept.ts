/** Things made on demand, one an id; those that were asked for last are kept, the others are disposed of. */
export function keepLatest<T extends { dispose(): void }>(limit: number, make: (id: string) => T): (id: string) => T {
  const kept = new Map<string, T>()
  return (id) => {
    const asked = kept.get(id) ?? make(id)
    // A map keeps the order of insertion: put in anew, it is the latest.
    kept.delete(id)
    kept.set(id, asked)
    for (const [oldestId, oldest] of kept) {
      if (kept.size <= limit) break
      kept.delete(oldestId)
      oldest.dispose()
    }
    return asked
  }
}
