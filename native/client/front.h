/**
 * The client's side of a ring (Xen's front end). Every thread has a slot of its own, and one request at a time.
 */
#ifndef CLIENT_FRONT_H
#define CLIENT_FRONT_H

#include "../ring/ring.h"

struct front;

struct front_options {
  const char *folder;    /* where the service was started; NULL: the current folder */
  uint32_t threads;  /* slots that are needed, 1 to RING_MAX_SLOTS */
  uint64_t spin_ns;  /* a thread looks for its answer so long before it sleeps */
};

/**
 * Makes a ring, announces it in the current folder's run/clients, and waits until the service has taken it in.
 * @returns 0, -ENOENT (no service runs here), -ETIMEDOUT (it does not answer), or -errno
 */
int front_open(const struct front_options *options, struct front **front);

/** Leaves. No thread may be in a call. */
void front_close(struct front *front);

/** The first and the last sector number. Returns 0 or -errno, as front_read() does. */
int front_info(struct front *front, uint32_t slot, struct ring_info *info);

/**
 * Reads a sector; blocks until it is there. One thread at a time may use a slot.
 * @returns 0, -ERANGE (no such sector), -EIO or another of the image's errors, -EPIPE (the service has ended), -EPROTO (the
 *   service does not serve this ring any more)
 */
int front_read(struct front *front, uint32_t slot, uint64_t sector, unsigned char *into);

#endif
