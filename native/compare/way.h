/**
 * One way of reading sectors, for comparing: many reads open at a time, each of one sector. The three ways are given the same numbers
 * to read; what is measured is from asking for a sector until it is there.
 */
#ifndef COMPARE_WAY_H
#define COMPARE_WAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SECTOR 512u
#define MOST_OPEN 64u

struct times {
  uint32_t *ns; /* one a read */
  size_t count, room;
};

struct task {
  const char *where; /* a socket, or the folder of the ring */
  uint32_t open;     /* reads at a time */
  uint64_t until;    /* now_ns() */
  uint64_t random;
  struct times times;
};

/** Reads until the time is up. Returns 0 or -errno. */
int read_by_nbd(struct task *task);
int read_by_vhost(struct task *task);
int read_by_ring(struct task *task);

/** The next sector of `sectors`. */
uint64_t next_sector(struct task *task, uint64_t sectors);
void note_time(struct task *task, uint64_t since);

/** A connection to a Unix socket, or -errno. */
int connect_to(const char *path);
/** All of it. 0 or -errno. */
int send_all(int fd, const void *data, size_t bytes);
int receive_all(int fd, void *data, size_t bytes);

#endif
