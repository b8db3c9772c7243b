#include "doorman.h"

#include "../ring/futex.h"
#include "../ring/ring.h"

#include <linux/io_uring.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>

struct doorman {
  int fd;
  pthread_t thread;
  _Atomic bool ending;
  _Atomic uint32_t bell;
  _Atomic uint32_t *cq_flags;
};

static void *watch(void *context)
{
  struct doorman *doorman = context;
  uint64_t count;
  while (!atomic_load(&doorman->ending)) {
    if (read(doorman->fd, &count, sizeof count) != (ssize_t)sizeof count) continue;
    if (atomic_exchange(&doorman->bell, RING_AWAKE) == RING_ASLEEP) futex_wake(&doorman->bell);
  }
  return NULL;
}

struct doorman *doorman_open(int uring, _Atomic uint32_t *cq_flags)
{
  struct doorman *doorman = calloc(1, sizeof *doorman);
  if (!doorman) return NULL;
  doorman->cq_flags = cq_flags;
  doorman_rest(doorman);
  doorman->fd = eventfd(0, EFD_CLOEXEC);
  int error = 0;
  if (doorman->fd < 0 || syscall(SYS_io_uring_register, uring, IORING_REGISTER_EVENTFD, &doorman->fd, 1) != 0) error = errno;
  else error = pthread_create(&doorman->thread, NULL, watch, doorman);
  if (error == 0) return doorman;
  if (doorman->fd >= 0) close(doorman->fd);
  free(doorman);
  errno = error;
  return NULL;
}

void doorman_close(struct doorman *doorman)
{
  const uint64_t one = 1;
  atomic_store(&doorman->ending, true);
  // An eventfd takes a one at any time, unless it holds 2^64 of them.
  while (write(doorman->fd, &one, sizeof one) < 0 && errno == EINTR) continue;
  pthread_join(doorman->thread, NULL);
  close(doorman->fd);
  free(doorman);
}

_Atomic uint32_t *doorman_watch(struct doorman *doorman)
{
  ring_about_to_sleep(&doorman->bell);
  atomic_fetch_and(doorman->cq_flags, ~(uint32_t)IORING_CQ_EVENTFD_DISABLED);
  return &doorman->bell;
}

void doorman_rest(struct doorman *doorman)
{
  atomic_fetch_or(doorman->cq_flags, IORING_CQ_EVENTFD_DISABLED);
  ring_awake(&doorman->bell);
}
