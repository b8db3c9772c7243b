/**
 * The ring: what a client (front end, Xen's DomU) and the service (back end, Dom0) share. See docs/ring.md.
 *
 * One piece of shared memory a client process. It holds a ring of requests, a ring of responses, a bell for each side to wake
 * the other with, and room for one sector a slot. Indexes run freely from 0 to 2^32-1 and wrap; an entry's place is
 * index & (slots - 1). As in Xen's ring.h each side owns one shared producer index, and keeps its consumer index to itself:
 *
 *             shared        private to the client     private to the service
 *   requests  req_prod      req_prod_pvt              req_cons
 *   responses rsp_prod      rsp_cons                  rsp_prod_pvt
 *
 * A client has never more than one request a slot, so 0 <= req_prod - rsp_prod <= slots, and neither ring can run over. The
 * service does not rely on that: it looks.
 *
 * Memory order. Each rule names both ends; the code says which it is.
 *   R1  A client fills entries, then stores req_prod (release). The service loads req_prod (acquire), then reads the entries.
 *   R2  The service fills data and entries, then stores rsp_prod (release). A client loads rsp_prod (acquire), then reads them.
 *   R3  No wake-up of the service is lost. Client: store req_prod, load req_bell. Service: store req_bell = ASLEEP, load req_prod.
 *       All four sequentially consistent: at least one of the two sees what the other stored (Xen's RING_FINAL_CHECK_FOR_REQUESTS).
 *   R4  No wake-up of a client is lost. Service: store rsp_prod, load the bell of the slot that it answered last. That slot's thread:
 *       store bell = ASLEEP, load rsp_prod. So either it is woken or it sees rsp_prod, and takes all responses up to there.
 *   R5  Who takes a response for another thread of its process wakes it. Taker: store the answer, load the slot's bell. The other:
 *       store bell = ASLEEP, look for the answer. Both do that under the process's lock (client/front.c). So a batch of responses
 *       costs the service one system call, as in Xen, where there is one event channel a ring.
 * Xen writes R1 and R2 as wmb()/rmb() and R3 and R4 as mb(). We put the order on the accesses themselves: it costs the same, and
 * ThreadSanitizer understands it (it does not see fences).
 */
#ifndef RING_RING_H
#define RING_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RING_MAGIC 0x676e6952u /* "Ring" */
#define RING_VERSION 1u
#define RING_SECTOR 512u
#define RING_MIN_SLOTS 16u
#define RING_MAX_SLOTS 4096u
#define RING_LINE 64u

enum ring_operation {
  RING_INFO = 1, /* the numbers of the first and the last sector, as struct ring_info in the slot's data */
  RING_READ = 2  /* one sector, into the slot's data */
};

/** `bell`: what a sleeper stores before it sleeps. The one who wakes it takes it away. */
enum ring_bell { RING_AWAKE = 0, RING_ASLEEP = 1 };

/** `state`: the service's word on the ring. */
enum ring_state {
  RING_OFFERED = 0, /* the service has not seen it yet */
  RING_SERVED = 1,
  RING_CLOSED = 2, /* the service has ended */
  RING_BROKEN = 3  /* the client broke the rules, and is not served any more */
};

/** `id` is the client's own number for the request: its low 16 bits are the slot, the others tell uses of a slot apart. */
struct ring_request {
  uint32_t id;
  uint16_t operation;
  uint16_t sectors; /* how many: 1 */
  uint64_t sector;
};

/** `status` is 0 or -errno. */
struct ring_response {
  uint32_t id;
  int32_t status;
};

struct ring_info {
  uint64_t first_sector;
  uint64_t last_sector;
};

struct ring_bell_line {
  _Alignas(RING_LINE) _Atomic uint32_t bell;
};

/** The head of the shared memory. What the two sides write lies on lines of their own. */
struct ring_shared {
  uint32_t magic;
  uint32_t version;
  uint32_t slots; /* a power of two */
  _Alignas(RING_LINE) _Atomic uint32_t req_prod; /* the client writes ... */
  _Atomic uint32_t closing;                      /* 1: it leaves */
  _Atomic uint32_t rsp_cons_shown;               /* its rsp_cons, for those who watch; nobody relies on it */
  _Alignas(RING_LINE) _Atomic uint32_t req_bell; /* the service sleeps here */
  _Alignas(RING_LINE) _Atomic uint32_t rsp_prod; /* the service writes ... */
  _Atomic uint32_t state;
  _Alignas(RING_LINE) unsigned char rest[]; /* bells, requests, responses, data: see ring_view() */
};

/** Where the parts of a ring are in this process. */
struct ring_view {
  struct ring_shared *shared;
  struct ring_bell_line *bells; /* threads sleep on their slot's */
  struct ring_request *requests;
  struct ring_response *responses;
  unsigned char *data; /* a sector a slot */
  uint32_t slots;
  size_t bytes;
};

#define RING_SLOT(id) ((id) & 0xffffu)

static inline size_t ring_pages(size_t bytes)
{
  return (bytes + 4095u) & ~(size_t)4095u;
}

/** Bytes of shared memory for so many slots. */
static inline size_t ring_bytes(uint32_t slots)
{
  size_t head = sizeof(struct ring_shared) + slots * (sizeof(struct ring_bell_line) + sizeof(struct ring_request) + sizeof(struct ring_response));
  return ring_pages(head) + ring_pages((size_t)slots * RING_SECTOR);
}

static inline bool ring_slots_valid(uint32_t slots)
{
  return slots >= RING_MIN_SLOTS && slots <= RING_MAX_SLOTS && (slots & (slots - 1)) == 0;
}

/** The parts of the ring at `memory`. Takes nothing from the memory itself: `slots` is what the caller knows. */
static inline struct ring_view ring_view(void *memory, uint32_t slots)
{
  struct ring_view view = {.shared = memory, .slots = slots, .bytes = ring_bytes(slots)};
  view.bells = (struct ring_bell_line *)(void *)view.shared->rest;
  view.requests = (struct ring_request *)(void *)(view.bells + slots);
  view.responses = (struct ring_response *)(void *)(view.requests + slots);
  view.data = (unsigned char *)memory + view.bytes - ring_pages((size_t)slots * RING_SECTOR);
  return view;
}

static inline struct ring_request *ring_request_at(const struct ring_view *view, uint32_t index)
{
  return &view->requests[index & (view->slots - 1)];
}

static inline struct ring_response *ring_response_at(const struct ring_view *view, uint32_t index)
{
  return &view->responses[index & (view->slots - 1)];
}

/**
 * Publishes requests up to `req_prod` (R1, R3).
 * @returns whether the service sleeps and has to be woken: futex_wake(&shared->req_bell)
 */
static inline bool ring_push_requests(struct ring_shared *shared, uint32_t req_prod)
{
  atomic_store_explicit(&shared->req_prod, req_prod, memory_order_seq_cst);
  if (atomic_load_explicit(&shared->req_bell, memory_order_seq_cst) != RING_ASLEEP) return false;
  return atomic_exchange_explicit(&shared->req_bell, RING_AWAKE, memory_order_seq_cst) == RING_ASLEEP;
}

/** Publishes responses up to `rsp_prod` (R2, first half of R4): ring_must_wake() for the slot answered last comes after it. */
static inline void ring_push_responses(struct ring_shared *shared, uint32_t rsp_prod)
{
  atomic_store_explicit(&shared->rsp_prod, rsp_prod, memory_order_seq_cst);
}

/** Second half of R4, and R5: whether the slot's thread sleeps and has to be woken: futex_wake(&bell->bell). */
static inline bool ring_must_wake(struct ring_bell_line *line)
{
  if (atomic_load_explicit(&line->bell, memory_order_seq_cst) != RING_ASLEEP) return false;
  return atomic_exchange_explicit(&line->bell, RING_AWAKE, memory_order_seq_cst) == RING_ASLEEP;
}

/** Says that its owner is about to sleep on the bell. It must look at the other side's index once more before it does (R3, R4). */
static inline void ring_about_to_sleep(_Atomic uint32_t *bell)
{
  atomic_store_explicit(bell, RING_ASLEEP, memory_order_seq_cst);
}

static inline void ring_awake(_Atomic uint32_t *bell)
{
  atomic_store_explicit(bell, RING_AWAKE, memory_order_relaxed);
}

_Static_assert(sizeof(struct ring_request) == 16, "requests are packed four a cache line");
_Static_assert(sizeof(struct ring_response) == 8, "responses are packed eight a cache line");
_Static_assert(RING_MAX_SLOTS <= 0x10000, "an id's low 16 bits hold the slot");

#endif
