/**
 * How many reads are in flight at a time. A deep queue serves most in all, but every read then waits for all before it: a
 * client with one thread beside one with 64 would wait for 64 reads each time. So while there are both, clients that want
 * less than their share and clients that want more, the queue is kept short: those who want much lose a little, those who want
 * little wait hardly longer than if they were alone. Among equals it is deep.
 */
#include "server-state.h"

#define DEEP_QUEUE 32u
#define SHORT_QUEUE 6u

void fair_note(struct backend *backend, uint32_t open)
{
  if (open > backend->demand[0]) backend->demand[0] = open;
}

void fair_plan(struct server *server)
{
  uint32_t active = 0, most = 0, least = UINT32_MAX;
  for (uint32_t i = 0; i < server->ring_count; i++) {
    struct backend *backend = server->rings[i];
    uint32_t demand = backend->demand[0] > backend->demand[1] ? backend->demand[0] : backend->demand[1];
    backend->demand[1] = backend->demand[0];
    backend->demand[0] = 0;
    if (demand == 0) continue;
    active++;
    if (demand > most) most = demand;
    if (demand < least) least = demand;
  }
  bool unlike = active > 1 && most * active > DEEP_QUEUE && least * active * 2 <= DEEP_QUEUE;
  server->depth = unlike ? SHORT_QUEUE : DEEP_QUEUE;
}
