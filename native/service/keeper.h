/**
 * The service's second thread. It does what may take its time, so that the server never waits: notices clients that come (the
 * file they announce themselves in changes) and go (their pidfd says so), signals, and that nobody asks for anything any more.
 */
#ifndef SERVICE_KEEPER_H
#define SERVICE_KEEPER_H

#include "backend.h"

struct keeper;

struct keeper_options {
  int run;
  unsigned idle_seconds; /* the service ends after so long without a request; 0: never */
  struct statistics_page *page;
  dev_t memory_device; /* of the page's own memory, as of every ring's */
};

/** Starts the thread. SIGTERM, SIGINT and SIGHUP are blocked already, for it to read. NULL with errno if it cannot. */
struct keeper *keeper_start(const struct keeper_options *options);

/** Rings when there is something for the server to look at. */
_Atomic uint32_t *keeper_bell(struct keeper *keeper);

/** The next ring that is new, or NULL. */
struct backend *keeper_arrival(struct keeper *keeper);

/** Gives a ring back: its client has left, or is gone. */
void keeper_release(struct keeper *keeper, struct backend *backend);

/** Why the service has to end, or NULL as long as it need not. */
const char *keeper_verdict(const struct keeper *keeper);

/** The server says now and then when it last saw a request (now_ns()). */
void keeper_saw_request(struct keeper *keeper, uint64_t when);

/** Ends the thread and frees all rings. */
void keeper_stop(struct keeper *keeper);

#endif
