/** Sleeping and waking by the address of a word, between processes. */
#ifndef RING_FUTEX_H
#define RING_FUTEX_H

#include <errno.h>
#include <linux/futex.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/** Sleeps while the word is `value`, at most `timeout` (NULL: for ever). Returns 0 when woken, else -EAGAIN, -EINTR or -ETIMEDOUT. */
static inline int futex_wait(_Atomic uint32_t *word, uint32_t value, const struct timespec *timeout)
{
  return syscall(SYS_futex, word, FUTEX_WAIT, value, timeout, NULL, 0) == 0 ? 0 : -errno;
}

/** Wakes all who sleep on the word. Rarely more than one does. */
static inline void futex_wake(_Atomic uint32_t *word)
{
  syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

/** One breath of a spinning loop: lets the other hardware thread run, and the loop be left without a pipeline flush. */
static inline void cpu_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("yield");
#endif
}

/** Nanoseconds of the clock that never jumps. */
static inline uint64_t now_ns(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

#endif
