/**
 * The file in which clients announce themselves: run/clients, a line a client,
 *     <pid> <start time> <descriptor of its ring in that process> <slots> <inode of its ring's memory>
 * Whoever reads or writes it holds its lock (an open file description lock, which the kernel gives back when its holder dies).
 * A client adds its line; the service takes it away when the client has gone.
 */
#ifndef RING_ANNOUNCE_H
#define RING_ANNOUNCE_H

#include "process.h"

#include <stddef.h>

struct announcement {
  struct process process;
  int ring_fd;
  uint32_t slots;
  uint64_t inode; /* tells a ring from one that the process had before under the same descriptor */
};

/** Adds a line. Waits at most `timeout_ms` for the lock. Returns 0, -ETIMEDOUT (somebody sits on the lock), or -errno. */
int announce_add(int run, const struct announcement *line, int timeout_ms);

/**
 * Reads the file, without waiting, and lets `keep` say of each line whether it stays. Lines that mean nothing go.
 * @returns 0, -EWOULDBLOCK if somebody has the lock, or -errno
 */
int announce_sweep(int run, bool (*keep)(void *context, const struct announcement *line), void *context);

#endif
