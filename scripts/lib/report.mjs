const SHOW_AGAIN_MS = 10_000

/**
 * Says what is being done: one line a step, with its time. On a terminal the line of the running step is redrawn with its
 * progress; elsewhere (a log, CI) progress comes as a line of its own now and then.
 */
export class Report {
  #stream
  #live
  #redraw

  constructor(stream = process.stdout) {
    this.#stream = stream
    this.#live = Boolean(stream.isTTY)
  }

  line(text = '') {
    this.#stream.write(text + '\n')
  }

  /**
   * Runs a step and reports it. Its function is given `progress(text)`, which may be called as often as it likes.
   * @template T
   * @param {string} name
   * @param {(progress: (text: string) => void) => Promise<T>} work
   * @returns {Promise<T>}
   */
  async step(name, work) {
    const start = performance.now()
    const seconds = () => `${((performance.now() - start) / 1000).toFixed(1)} s`
    const show = this.#live ? this.#liveLine(name, seconds) : this.#plainLines(name)
    show('')
    try {
      const value = await work(show)
      this.#finish('✓', name, seconds())
      return value
    } catch (error) {
      this.#finish('✗', name, seconds())
      throw error
    }
  }

  /** Says what failed, the last lines of its output, and what to do. */
  failure(error) {
    this.line(`  ${error.message}`)
    for (const line of error.output ?? []) this.line(`  | ${line}`)
    for (let cause = error.cause; cause instanceof Error; cause = cause.cause) this.line(`  because: ${cause.message}`)
    if (error.next) this.line(`  → ${error.next}`)
  }

  #liveLine(name, seconds) {
    let last = ''
    const draw = () => {
      const line = `  ${name}  ${seconds()}${last && '  ' + last}`
      this.#stream.write('\r\x1b[K' + line.slice(0, (this.#stream.columns ?? 80) - 1))
    }
    this.#redraw = setInterval(draw, 250)
    return (text) => {
      last = text
      draw()
    }
  }

  #plainLines(name) {
    let shownAt = performance.now()
    return (text) => {
      if (text && performance.now() - shownAt < SHOW_AGAIN_MS) return
      shownAt = performance.now()
      this.line(`  ${name}${text ? ': ' + text : ' ...'}`)
    }
  }

  #finish(mark, name, seconds) {
    clearInterval(this.#redraw)
    this.line(`${this.#live ? '\r\x1b[K' : ''}${mark} ${name}  ${seconds}`)
  }
}

/** `done` of `total` bytes as text, for progress. */
export const megabytes = (done, total) =>
  total
    ? `${Math.min(100, Math.round((100 * done) / total))} % of ${(total / 2 ** 20).toFixed(0)} MiB`
    : `${(done / 2 ** 20).toFixed(0)} MiB`
