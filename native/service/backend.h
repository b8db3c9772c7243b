/** A client's ring as the service has it, and how it comes to have it. */
#ifndef SERVICE_BACKEND_H
#define SERVICE_BACKEND_H

#include "../ring/announce.h"
#include "../ring/ring.h"
#include "../ring/statistics.h"

#include <sys/types.h>

/** Who touches what: the keeper makes and frees it; in between it is the server's, but for what is marked. */
struct backend {
  struct ring_view view;
  struct announcement line; /* the keeper's */
  int pidfd;                /* the keeper's; -1: closed */
  uint32_t place;           /* its number among all rings: statistics page, bell */
  struct statistics_client *statistics;
  uint32_t req_cons;
  uint32_t rsp_prod_pvt;
  uint32_t in_flight;       /* reads of the image for it */
  bool served;              /* false: broken, leaving or gone: no request is taken any more */
  bool unpublished, unrung; /* it is on the server's list of that name */
  uint32_t newest;          /* the slot that was answered last: whose thread is woken (R4) */
  uint32_t demand[2];       /* most requests open at a time, in this and the last period: see fair.c */
  _Atomic bool gone;        /* the keeper's word: the process has ended, or has left */
  bool released;            /* the server is done with it: the keeper's again */
  struct backend *next;     /* in the keeper's lists */
};

/**
 * Maps the ring that a client announced, after looking at everything that could harm us: that it is memory which cannot shrink
 * under our feet, of the size that its slots need, and of a process that lives.
 * @param memory_device the device (st_dev) of all memory that memfd_create(2) makes
 * @returns NULL if it is not as it should be, with the reason in `why`
 */
struct backend *backend_attach(const struct announcement *line, dev_t memory_device, const char **why);

/** Unmaps the ring and forgets it. */
void backend_free(struct backend *backend);

/** Tells the client the state of its ring, and wakes all its threads that they may see it. */
void backend_tell(struct backend *backend, enum ring_state state);

#endif
