/** Waits for all, also when one fails: nothing runs on behind a failure's back. @throws what the first of them in this order threw */
export async function together<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(promises)
  return Promise.all(promises)
}
