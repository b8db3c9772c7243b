/* A guest's memory, as a client's QEMU tells of it: regions of files, each with its address in that QEMU. */
#ifndef STRATA_MEMORY_H
#define STRATA_MEMORY_H
#include "message.h"

struct memory {
  struct memory_table table;
  int fds[MOST_REGIONS];
  uint8_t *mapped[MOST_REGIONS];
};

/* Whether a message tells of just what is mapped. */
bool memory_is(const struct memory *memory, const struct message *message);

/*
 * Maps what a message tells of, in place of what was known; the descriptors are its own then.
 * @returns 0; -ERANGE: a region lies beyond its file, or where no address is; -EPERM: its file may become shorter; -errno. Nothing is mapped then.
 */
int memory_take(struct memory *memory, struct message *message);

void memory_drop(struct memory *memory);

/* Where bytes are that a client has at this address; NULL: they are not all in one region. */
void *memory_at(const struct memory *memory, uint64_t user_address, uint64_t bytes);
#endif
