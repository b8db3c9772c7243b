/**
 * The handshakes R3 and R4 by themselves: both sides sleep whenever they can, for ever, so that a lost wake-up is a program that
 * does not end. One ring in one process, so that ThreadSanitizer sees both ends. wakeups [ROUNDS]
 */
#include "../ring/futex.h"
#include "../ring/ring.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#define SLOTS 16u

static struct ring_view view;
static uint32_t rounds = 100000;

static void sometimes_yield(uint32_t n)
{
  if (n % 7 == 0) sched_yield();
}

static void *serve(void *context)
{
  struct ring_shared *shared = view.shared;
  uint32_t done = 0;
  (void)context;
  while (done < rounds) {
    ring_about_to_sleep(&shared->req_bell);
    if (atomic_load_explicit(&shared->req_prod, memory_order_seq_cst) == done) futex_wait(&shared->req_bell, RING_ASLEEP, NULL);
    ring_awake(&shared->req_bell);
    uint32_t prod = atomic_load_explicit(&shared->req_prod, memory_order_acquire);
    for (; done != prod; done++) {
      struct ring_request request = *ring_request_at(&view, done);
      view.data[RING_SLOT(request.id) * RING_SECTOR] = (unsigned char)request.sector;
      *ring_response_at(&view, done) = (struct ring_response){request.id, 0};
      ring_push_responses(shared, done + 1);
      sometimes_yield(done);
      struct ring_bell_line *line = &view.bells[RING_SLOT(request.id)];
      if (ring_must_wake(line)) futex_wake(&line->bell);
    }
  }
  return NULL;
}

int main(int count, char **words)
{
  if (count > 1) rounds = (uint32_t)strtoul(words[1], NULL, 10);
  void *memory = aligned_alloc(4096, ring_bytes(SLOTS));
  pthread_t server;
  if (!memory) return 1;
  view = ring_view(memory, SLOTS);
  for (size_t i = 0; i < view.bytes; i++) ((unsigned char *)memory)[i] = 0;
  if (pthread_create(&server, NULL, serve, NULL) != 0) return 1;
  for (uint32_t n = 0; n < rounds; n++) {
    uint32_t slot = n % SLOTS;
    _Atomic uint32_t *bell = &view.bells[slot].bell;
    *ring_request_at(&view, n) = (struct ring_request){slot, RING_READ, 1, n};
    if (ring_push_requests(view.shared, n + 1)) futex_wake(&view.shared->req_bell);
    sometimes_yield(n / 3);
    while (atomic_load_explicit(&view.shared->rsp_prod, memory_order_acquire) == n) {
      ring_about_to_sleep(bell);
      if (atomic_load_explicit(&view.shared->rsp_prod, memory_order_seq_cst) == n) futex_wait(bell, RING_ASLEEP, NULL);
      ring_awake(bell);
    }
    if (view.data[slot * RING_SECTOR] != (unsigned char)n) return fprintf(stderr, "round %u: wrong data\n", n), 1;
  }
  pthread_join(server, NULL);
  free(memory);
  return 0;
}
