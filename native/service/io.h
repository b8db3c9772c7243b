/**
 * Reads of the image, many in flight, and sleeping until there is something to do: one of them is done, or a bell rings.
 * Three ways: io_uring that waits for futexes too (Linux 6.7), io_uring and a thread that rings a bell for it (6.1), and a pool of
 * threads anywhere else.
 * One thread uses it.
 */
#ifndef SERVICE_IO_H
#define SERVICE_IO_H

#include "image.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define IO_DEPTH 64u   /* reads in flight at most */
#define IO_BELLS 1025u /* one a ring, and the keeper's */

/** A read that is done: `result` is its bytes or -errno. */
struct io_done {
  uint32_t read;
  int32_t result;
};

/** IO_EVENTS: io_uring as Linux 6.1 has it, without waiting for futexes. */
enum io_way { IO_ANY, IO_URING, IO_EVENTS, IO_THREADS };

struct io;

/** @returns NULL if there is no memory, or not the way that was asked for (errno) */
struct io *io_open(const struct image *image, enum io_way way);
void io_close(struct io *io);
bool io_is_uring(const struct io *io);

/** The buffer of read number `read`, 0 to IO_DEPTH - 1: image->block bytes. */
unsigned char *io_buffer(const struct io *io, uint32_t read);

/** Queues a read of one block into the read's buffer. io_flush() or io_sleep() starts it. */
void io_queue(struct io *io, uint32_t read, uint64_t offset);
void io_flush(struct io *io);

/** Fetches reads that are done, without waiting. Returns how many. */
unsigned io_reap(struct io *io, struct io_done *done, unsigned most);

/**
 * Sleeps until a read is done or one of the bells that were armed is no longer ASLEEP. May return for no reason.
 * Bells stay armed until they have rung: io_is_armed() tells whether a bell's memory is still in use.
 */
void io_arm(struct io *io, uint32_t bell, _Atomic uint32_t *word);
bool io_is_armed(const struct io *io, uint32_t bell);
void io_sleep(struct io *io);

#endif
