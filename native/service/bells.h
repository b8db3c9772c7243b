/** Sleeping on many words at once: futex_waitv(2), Linux 5.16. It takes 128 words at most. */
#ifndef SERVICE_BELLS_H
#define SERVICE_BELLS_H

#include "io.h"

#define BELLS_MOST 128u

/** As the kernel wants it: struct futex_waitv, which older headers do not have. */
struct bells_word {
  uint64_t value, address;
  uint32_t flags, reserved;
};

struct bells {
  unsigned count;
  struct bells_word words[IO_BELLS + 1];
};

void bells_add(struct bells *bells, _Atomic uint32_t *word);

/**
 * Sleeps until one of the words is no longer ASLEEP, and forgets them all. May return for no reason.
 * Where there are too many words, or the kernel cannot, it looks at the last one only, and for a millisecond at most.
 * @param most_ns 0: for ever
 */
void bells_sleep(struct bells *bells, uint64_t most_ns);

#endif
