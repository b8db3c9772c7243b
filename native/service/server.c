#include "server-state.h"

#include "../ring/futex.h"

#include <stdlib.h>

#define BUDGET 4u         /* requests of one ring before it is the next one's turn */
#define KEEPER_BELL STATISTICS_CLIENTS
#define PERIOD_NS 5000000u
#define PROBE 64u         /* one sleep of so many is put off by spinning, to see whether that pays again */

/** How news come: what is_worth_spinning() goes by. Nanoseconds. */
struct pace {
  uint64_t last_move, usual_gap;
  uint32_t sleeps;
};

static void take_arrivals(struct server *server)
{
  for (struct backend *backend; (backend = keeper_arrival(server->with.keeper));) {
    server->rings[server->ring_count++] = backend;
    backend_tell(backend, RING_SERVED);
  }
}

/** Gives back the rings whose clients have left, once nothing of theirs is under way any more. */
static void dismiss_leavers(struct server *server)
{
  for (uint32_t i = 0; i < server->ring_count;) {
    struct backend *backend = server->rings[i];
    bool leaves = atomic_load_explicit(&backend->gone, memory_order_acquire) || atomic_load_explicit(&backend->view.shared->closing, memory_order_relaxed) != 0;
    if (leaves) backend->served = false;
    if (leaves && io_is_armed(server->with.io, backend->place)) futex_wake(&backend->view.shared->req_bell);
    if (!leaves || backend->in_flight > 0 || io_is_armed(server->with.io, backend->place)) {
      i++;
      continue;
    }
    server->rings[i] = server->rings[--server->ring_count];
    atomic_store(&backend->view.shared->state, RING_CLOSED);
    keeper_release(server->with.keeper, backend);
  }
}

/** Every ring once, beginning with another each time; a ring that has to wait for room is the first of the next round. */
static uint32_t take_requests(struct server *server)
{
  uint32_t taken = 0;
  uint32_t first = server->turn;
  for (uint32_t i = 0; i < server->ring_count; i++) {
    uint32_t at = (first + i) % server->ring_count;
    struct backend *backend = server->rings[at];
    if (!backend->served) continue;
    uint32_t some = answer_some(server, backend, BUDGET);
    taken += some;
    if (some > 0) server->turn = at + 1;
  }
  return taken;
}

static uint32_t take_turn(struct server *server)
{
  uint32_t moved = answer_reads(server);
  if (moved > 0) answer_show(server);
  uint32_t taken = take_requests(server);
  if (taken > 0) {
    io_flush(server->with.io);
    keeper_saw_request(server->with.keeper, server->now);
  }
  // Waking costs a system call each: the disk is given its work first.
  if (moved + taken > 0) answer_publish(server);
  return moved + taken;
}

/** What need not be done every turn, but every few milliseconds however busy the server is. */
static void look_around(struct server *server)
{
  if (server->now < server->period_end) return;
  server->period_end = server->now + PERIOD_NS;
  take_arrivals(server);
  dismiss_leavers(server);
  fair_plan(server);
}

/** Whether a ring has something for us: requests, or the wish to leave. */
static bool has_news(const struct backend *backend)
{
  if (!backend->served) return false;
  if (atomic_load_explicit(&backend->view.shared->closing, memory_order_seq_cst) != 0) return true;
  return atomic_load_explicit(&backend->view.shared->req_prod, memory_order_seq_cst) != backend->req_cons;
}

/**
 * R3 for every ring: says that we sleep, looks once more, and sleeps if there is nothing. When there is no room for another
 * read, a request is no news: only a read that is done is, and clients are spared the system call that rings a bell.
 */
static void sleep_until_news(struct server *server)
{
  bool news = false, full = server->in_flight >= server->depth;
  ring_about_to_sleep(keeper_bell(server->with.keeper));
  // The keeper first stores what it has to say, then takes the bell away; we looked before the bell was there.
  take_arrivals(server);
  dismiss_leavers(server);
  for (uint32_t i = 0; i < server->ring_count && !news && !full; i++) {
    struct backend *backend = server->rings[i];
    ring_about_to_sleep(&backend->view.shared->req_bell);
    statistics_set(&backend->statistics->rsp_cons, statistics_get(&backend->view.shared->rsp_cons_shown));
    news = has_news(backend);
  }
  if (!news && !keeper_verdict(server->with.keeper)) {
    for (uint32_t i = 0; i < server->ring_count && !full; i++) io_arm(server->with.io, server->rings[i]->place, &server->rings[i]->view.shared->req_bell);
    io_arm(server->with.io, KEEPER_BELL, keeper_bell(server->with.keeper));
    statistics_add(&server->with.page->sleeps, 1);
    io_sleep(server->with.io);
  }
  ring_awake(keeper_bell(server->with.keeper));
  for (uint32_t i = 0; i < server->ring_count; i++) ring_awake(&server->rings[i]->view.shared->req_bell);
}

/**
 * Whether to look again at once rather than sleep. Spinning pays when news usually come sooner than a sleeper wakes; so it is
 * tried as long as they do, and else only now and then. It never gives the processor away: whoever sleeps is woken soon, but
 * whoever yields on a busy machine waits for its turn.
 */
static bool is_worth_spinning(const struct server *server, const struct pace *pace)
{
  uint64_t quiet = server->now - pace->last_move;
  return quiet < server->with.spin_ns && (pace->usual_gap < server->with.spin_ns || pace->sleeps % PROBE == 0);
}

static void serve(struct server *server)
{
  struct pace pace = {0};
  while (!keeper_verdict(server->with.keeper)) {
    server->now = now_ns();
    look_around(server);
    if (take_turn(server) > 0) {
      pace.usual_gap = (pace.usual_gap * 7 + (server->now - pace.last_move)) / 8;
      pace.last_move = now_ns();
    } else if (is_worth_spinning(server, &pace)) {
      cpu_relax();
    } else {
      sleep_until_news(server);
      pace.sleeps++;
    }
  }
}

const char *server_run(const struct server_options *options)
{
  struct server *server = calloc(1, sizeof *server);
  if (!server) return "there is no memory";
  server->with = *options;
  fair_plan(server);
  for (uint32_t i = 0; i < IO_DEPTH; i++) server->free_reads[i] = i;
  serve(server);
  // Reads that are still under way write into buffers that outlive them: io_close() comes after.
  free(server);
  return keeper_verdict(options->keeper);
}
