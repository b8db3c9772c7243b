/** One after the other. */
export class Turns {
  private last: Promise<unknown> = Promise.resolve()

  take<T>(act: () => Promise<T>): Promise<T> {
    const mine = this.last.then(act)
    this.last = mine.catch(() => {}) // told to whoever took the turn
    return mine
  }
}
