/*
 * Which requests of a virtio ring are under way, told from outside: from the two rings of indexes that a guest's driver and whoever serves it write.
 *
 *   available:  ... 7 2 9 | 4 7 2          the guest wrote these heads of descriptors, in this order
 *   used:       ... 7 9 2                  these were answered, in another order
 *                                          under way: 4 7 2
 *
 * Each of the rings holds as many entries as there are descriptors; older ones are written over. So they are looked at now and then, before that happens,
 * and what was made available and was not used since is kept account of. When the process that serves ends, `ring_settle` puts what is under way where
 * the next one begins to read. Nobody else keeps such an account: QEMU's export (7.2) does not, and the client's QEMU takes it that requests were
 * answered in the order of asking.
 *
 * Source: Virtual I/O Device 1.2, 2.7 Split Virtqueues.
 */
#ifndef STRATA_RING_H
#define STRATA_RING_H
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { MOST_DESCRIPTORS = 1024 };

/* Others write them at any time, a guest whatever it likes: each is read once, and checked as it was read. */
struct available {
  uint16_t flags;
  _Atomic uint16_t index;
  _Atomic uint16_t heads[];
};
struct used_one {
  _Atomic uint32_t head;
  uint32_t bytes;
};
struct used {
  uint16_t flags;
  _Atomic uint16_t index;
  struct used_one ones[];
};

enum head { FREE, UNDER_WAY, UNKNOWN };

struct ring {
  uint16_t size;
  struct available *available;
  struct used *used;
  /* How far each was looked at. */
  uint16_t available_seen, used_seen;
  /* By head: of how many it is known that they are under way, and of how many nothing is known. */
  uint8_t heads[MOST_DESCRIPTORS];
  uint16_t under_way, unknown;
};

/* Whether a ring can have so many descriptors. */
bool ring_can_have(uint32_t size);

/* It begins: whatever is available and not yet used is taken to be under way, in order. @returns how many those are; -1: the ring makes no sense */
int ring_begin(struct ring *ring, uint16_t size, struct available *available, struct used *used);

/*
 * It goes on from an account that was kept of it, by a process that has ended.
 * @returns whether it can be that of this ring: not too much has happened since
 */
bool ring_resume(struct ring *ring, const struct ring *kept, uint16_t size, struct available *available, struct used *used);

/* The same ring at another address of ours. */
void ring_move(struct ring *ring, struct available *available, struct used *used);

/* Looks at it. @returns how many entries were new since the last look */
unsigned ring_look(struct ring *ring);

/* Whether it is known which requests are under way. Not so after too much happened between two looks, until it can be told again. */
bool ring_is_sure(const struct ring *ring);

/*
 * Puts the requests under way where whoever serves next begins: at the index of what is used. Nobody may serve it meanwhile; its guest may add to it.
 * @returns how many had to be put elsewhere; -1: nothing was done, as it is not known which they are
 */
int ring_settle(struct ring *ring);

/* Where whoever serves it next is to begin. */
uint16_t ring_next(const struct ring *ring);
#endif
