/** What server.c (the loop and sleeping), answer.c (requests and responses) and fair.c (how much for whom) share. */
#ifndef SERVICE_SERVER_STATE_H
#define SERVICE_SERVER_STATE_H

#include "server.h"

/** A read of the image under way. */
struct read_state {
  struct backend *backend;
  uint32_t id;
  uint64_t sector;
  uint64_t since; /* when the request was seen */
};

struct server {
  struct server_options with;
  struct backend *rings[STATISTICS_CLIENTS];
  uint32_t ring_count;
  uint32_t turn; /* the ring that is first next time */
  struct read_state reads[IO_DEPTH];
  uint32_t free_reads[IO_DEPTH];
  uint32_t in_flight;
  uint32_t depth; /* reads in flight at most, just now: fair.c */
  uint64_t period_end;
  struct backend *unpublished[STATISTICS_CLIENTS]; /* have responses beyond the shared rsp_prod */
  uint32_t unpublished_count;
  struct backend *unrung[STATISTICS_CLIENTS]; /* have responses that nobody was woken for */
  uint32_t unrung_count;
  uint64_t now;
};

/** Takes at most `budget` requests of a ring, as far as there is room for reads. Returns how many. */
uint32_t answer_some(struct server *server, struct backend *backend, uint32_t budget);

/** Answers what the image has brought. Returns how many reads were done. */
uint32_t answer_reads(struct server *server);

/** Publishes all responses: who spins sees them. */
void answer_show(struct server *server);

/** Publishes all responses, then wakes each client that waits for one of them. */
void answer_publish(struct server *server);

/** Takes note of how many requests of a ring are open. */
void fair_note(struct backend *backend, uint32_t open);

/** A period is over: sets the depth for the next one. */
void fair_plan(struct server *server);

#endif
