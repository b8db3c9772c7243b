/** One after the other: who holds a client's process still must not wait for somebody who waits for that client. */
export class Turns {
  private last: Promise<unknown> = Promise.resolve()

  take<T>(act: () => Promise<T>): Promise<T> {
    const mine = this.last.then(act)
    this.last = mine.catch(() => {}) // told to whoever took the turn
    return mine
  }
}
