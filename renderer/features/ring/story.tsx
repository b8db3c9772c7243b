import styles from './ring.module.css'

/** What the drawing shows, in the order in which it happens. */
const STEPS = [
  ['The client asks', 'A thread writes its request at the producer (wedge) of the outer ring, and moves it on. It never overtakes the service by more than a round.'],
  ['The service takes', 'Its consumer (point) follows. It goes round all clients in turn, a few requests each: so nobody waits for a greedy neighbour.'],
  ['The sector is read', 'From the cache at once, or from the image: then it is in flight, and many are at a time. They come back in any order.'],
  ['The answer goes back', 'Into the inner ring, by a producer of the service. The number of the request says which thread it is for; that one is woken, if it sleeps.']
] as const

/** How a split driver works, for whoever sees one for the first time. */
export function Story() {
  return (
    <section className={styles.story} aria-label="How it works">
      <h2>How it works</h2>
      <ol>
        {STEPS.map(([title, text]) => (
          <li key={title}>
            <b>{title}</b>
            <p>{text}</p>
          </li>
        ))}
      </ol>
      <p className={styles.note}>
        Xen’s disk driver is split in the same way: a front end in each guest, a back end in Dom0, and a ring of shared memory in between. The same
        programs can be run by hand: see docs/ring.md.
      </p>
    </section>
  )
}
