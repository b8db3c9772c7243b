/** What the two ways of io.h have in common: io.c chooses, uring.c and threads.c do. */
#ifndef SERVICE_IO_WAYS_H
#define SERVICE_IO_WAYS_H

#include "io.h"

struct io_way_calls {
  void (*close)(void *way);
  void (*queue)(void *way, uint32_t read, uint64_t offset);
  void (*flush)(void *way);
  unsigned (*reap)(void *way, struct io_done *done, unsigned most);
  void (*arm)(void *way, uint32_t bell, _Atomic uint32_t *word);
  bool (*is_armed)(const void *way, uint32_t bell);
  void (*sleep)(void *way);
};

/** What a way needs to read: buffers are `block` bytes each, one after the other. */
struct io_target {
  int fd;
  uint32_t block;
  unsigned char *buffers;
};

extern const struct io_way_calls io_uring_calls, io_threads_calls;
void *io_uring_open(const struct io_target *target);
void *io_events_open(const struct io_target *target);
void *io_threads_open(const struct io_target *target);

#endif
