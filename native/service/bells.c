#include "bells.h"

#include "../ring/futex.h"
#include "../ring/ring.h"

#define NR_FUTEX_WAITV 449 /* the same on all architectures */
#define WORD_U32 2u        /* FUTEX_32: shared between processes */
#define SHORT_NS 1000000

void bells_add(struct bells *bells, _Atomic uint32_t *word)
{
  bells->words[bells->count++] = (struct bells_word){.value = RING_ASLEEP, .address = (uintptr_t)word, .flags = WORD_U32};
}

void bells_sleep(struct bells *bells, uint64_t most_ns)
{
  unsigned count = bells->count;
  bells->count = 0;
  if (count == 0) return;
  struct timespec until;
  if (most_ns > 0) {
    uint64_t end = now_ns() + most_ns;
    until = (struct timespec){.tv_sec = (time_t)(end / 1000000000u), .tv_nsec = (long)(end % 1000000000u)};
  }
  long woken = count > BELLS_MOST ? -1 : syscall(NR_FUTEX_WAITV, bells->words, count, 0, most_ns > 0 ? &until : NULL, CLOCK_MONOTONIC);
  if (count <= BELLS_MOST && (woken >= 0 || errno != ENOSYS)) return;
  futex_wait((_Atomic uint32_t *)(uintptr_t)bells->words[count - 1].address, RING_ASLEEP, &(struct timespec){.tv_nsec = SHORT_NS});
}
