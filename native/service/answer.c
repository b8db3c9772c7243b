#include "server-state.h"

#include "../ring/futex.h"
#include "log.h"

#include <string.h>

static void respond(struct server *server, struct backend *backend, uint32_t id, int32_t status)
{
  *ring_response_at(&backend->view, backend->rsp_prod_pvt++) = (struct ring_response){id, status};
  if (!backend->unpublished) {
    backend->unpublished = true;
    server->unpublished[server->unpublished_count++] = backend;
  }
  if (!backend->unrung) {
    backend->unrung = true;
    server->unrung[server->unrung_count++] = backend;
  }
  backend->newest = RING_SLOT(id);
}

void answer_show(struct server *server)
{
  for (uint32_t i = 0; i < server->unpublished_count; i++) {
    struct backend *backend = server->unpublished[i];
    backend->unpublished = false;
    ring_push_responses(backend->view.shared, backend->rsp_prod_pvt); // R2, R4
    statistics_set(&backend->statistics->rsp_prod, backend->rsp_prod_pvt);
    statistics_set(&backend->statistics->rsp_cons, statistics_get(&backend->view.shared->rsp_cons_shown));
  }
  server->unpublished_count = 0;
}

void answer_publish(struct server *server)
{
  answer_show(server);
  for (uint32_t i = 0; i < server->unrung_count; i++) {
    struct backend *backend = server->unrung[i];
    struct ring_bell_line *line = &backend->view.bells[backend->newest];
    backend->unrung = false;
    if (ring_must_wake(line)) futex_wake(&line->bell);
  }
  server->unrung_count = 0;
}

static void count_answer(struct backend *backend, uint64_t ns)
{
  statistics_add(&backend->statistics->answered, 1);
  statistics_add(&backend->statistics->latency_sum_ns, ns);
  statistics_add(&backend->statistics->latency[statistics_bucket(ns)], 1);
}

static void give_sector(struct server *server, struct backend *backend, uint32_t id, const unsigned char *data)
{
  memcpy(backend->view.data + (size_t)RING_SLOT(id) * RING_SECTOR, data, RING_SECTOR);
  respond(server, backend, id, 0);
}

static void refuse(struct server *server, struct backend *backend, uint32_t id, int error)
{
  statistics_add(&backend->statistics->refused, 1);
  respond(server, backend, id, -error);
}

static void inform(struct server *server, struct backend *backend, uint32_t id)
{
  const struct ring_info info = {0, server->with.image.sectors - 1};
  memcpy(backend->view.data + (size_t)RING_SLOT(id) * RING_SECTOR, &info, sizeof info);
  respond(server, backend, id, 0);
}

/** @returns false if there is no room for a read: the request stays where it is */
static bool read_sector(struct server *server, struct backend *backend, const struct ring_request *request)
{
  const unsigned char *cached = cache_get(server->with.cache, request->sector);
  if (cached) {
    statistics_add(&backend->statistics->hits, 1);
    statistics_add(&server->with.page->hits, 1);
    give_sector(server, backend, request->id, cached);
    count_answer(backend, now_ns() - server->now);
    return true;
  }
  if (server->in_flight >= server->depth) return false;
  uint32_t read = server->free_reads[server->in_flight++];
  server->reads[read] = (struct read_state){backend, request->id, request->sector, server->now};
  backend->in_flight++;
  statistics_add(&backend->statistics->misses, 1);
  statistics_add(&server->with.page->misses, 1);
  uint64_t offset = request->sector * RING_SECTOR;
  io_queue(server->with.io, read, offset - offset % server->with.image.block);
  return true;
}

/** @returns false if it has to wait */
static bool answer(struct server *server, struct backend *backend, const struct ring_request *request)
{
  if (RING_SLOT(request->id) >= backend->view.slots) {
    // There is no slot to answer to: the response goes into the ring all the same, with nobody to wake.
    statistics_add(&backend->statistics->refused, 1);
    struct ring_response *response = ring_response_at(&backend->view, backend->rsp_prod_pvt);
    respond(server, backend, 0, -EBADSLT);
    response->id = request->id;
  } else if (request->operation == RING_INFO) {
    inform(server, backend, request->id);
  } else if (request->operation != RING_READ) {
    refuse(server, backend, request->id, EOPNOTSUPP);
  } else if (request->sectors != 1) {
    refuse(server, backend, request->id, EMSGSIZE);
  } else if (request->sector >= server->with.image.sectors) {
    refuse(server, backend, request->id, ERANGE);
  } else {
    return read_sector(server, backend, request);
  }
  return true;
}

static void break_off(struct backend *backend, uint32_t open)
{
  log_of_client("client %d is not served any more: it claims %u open requests in a ring of %u", (int)backend->line.process.pid, open, backend->view.slots);
  backend->served = false;
  backend_tell(backend, RING_BROKEN);
}

uint32_t answer_some(struct server *server, struct backend *backend, uint32_t budget)
{
  uint32_t prod = atomic_load_explicit(&backend->view.shared->req_prod, memory_order_acquire); // R1
  uint32_t waiting = prod - backend->req_cons;
  if (waiting == 0) return 0;
  uint32_t open = prod - backend->rsp_prod_pvt;
  if (open > backend->view.slots || waiting > open) {
    break_off(backend, open);
    return 0;
  }
  fair_note(backend, open);
  uint32_t taken = 0;
  while (taken < waiting && taken < budget) {
    // Once, into memory of our own: the client may change it while we look at it.
    struct ring_request request = *ring_request_at(&backend->view, backend->req_cons);
    atomic_signal_fence(memory_order_seq_cst);
    if (!answer(server, backend, &request)) break;
    backend->req_cons++;
    taken++;
  }
  statistics_set(&backend->statistics->req_prod, prod);
  statistics_set(&backend->statistics->rsp_cons, statistics_get(&backend->view.shared->rsp_cons_shown));
  statistics_set(&backend->statistics->req_cons, backend->req_cons);
  statistics_set(&backend->statistics->in_flight, backend->in_flight);
  statistics_add(&server->with.page->requests, taken);
  return taken;
}

static void finish_read(struct server *server, const struct io_done *done)
{
  const struct read_state *state = &server->reads[done->read];
  const unsigned char *block = io_buffer(server->with.io, done->read);
  uint32_t within = (uint32_t)(state->sector * RING_SECTOR % server->with.image.block);
  struct backend *backend = state->backend;
  backend->in_flight--;
  statistics_set(&backend->statistics->in_flight, backend->in_flight);
  // A read that is too short: the image was cut off meanwhile.
  if (done->result < (int32_t)(within + RING_SECTOR)) {
    respond(server, backend, state->id, done->result < 0 ? done->result : -EIO);
  } else {
    cache_put(server->with.cache, state->sector, block + within);
    give_sector(server, backend, state->id, block + within);
  }
  count_answer(backend, server->now - state->since);
  server->free_reads[--server->in_flight] = done->read;
}

uint32_t answer_reads(struct server *server)
{
  struct io_done done[IO_DEPTH];
  unsigned count = io_reap(server->with.io, done, IO_DEPTH);
  for (unsigned i = 0; i < count; i++) finish_read(server, &done[i]);
  return count;
}
