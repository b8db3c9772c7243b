/**
 * Rings a bell when an io_uring has something: for kernels before Linux 6.7, whose rings cannot wait for futexes themselves. A
 * thread that reads the eventfd which the ring signals; while the service is awake the ring is asked not to.
 */
#ifndef SERVICE_DOORMAN_H
#define SERVICE_DOORMAN_H

#include <stdatomic.h>
#include <stdint.h>

struct doorman;

/** @returns NULL with errno */
struct doorman *doorman_open(int uring, _Atomic uint32_t *cq_flags);

/** No thread may sleep on the bell any more; the ring may still be open. */
void doorman_close(struct doorman *doorman);

/** The bell, said to be ASLEEP from now on: the ring's next news take that away. Look at the ring once more before you sleep. */
_Atomic uint32_t *doorman_watch(struct doorman *doorman);

/** Its news are not wanted for now. */
void doorman_rest(struct doorman *doorman);

#endif
