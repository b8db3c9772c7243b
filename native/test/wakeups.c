/**
 * The handshakes R3, R4 and R5 by themselves: a service that sleeps whenever it can, and a client's threads, with the client's own
 * code, that sleep for ever; so a lost wake-up is a program that does not end. One ring in one process, so that ThreadSanitizer
 * sees both ends. wakeups [ROUNDS]
 */
#include "../client/front.c"

#include <stdio.h>

#define THREADS 8u

static struct front front;
static uint32_t rounds = 100000;

struct asker {
  pthread_t thread;
  uint32_t slot, count;
  bool wrong;
};

static void sometimes_yield(uint32_t n)
{
  if (n % 7 == 0) sched_yield();
}

/** Answers what is there: in one go or in several, and wakes the newest only. */
static uint32_t answer_all(struct ring_view *view, uint32_t done)
{
  uint32_t prod = atomic_load_explicit(&view->shared->req_prod, memory_order_acquire), newest = 0;
  if (prod == done) return done;
  while (done != prod) {
    struct ring_request request = *ring_request_at(view, done);
    newest = RING_SLOT(request.id);
    memcpy(view->data + (size_t)newest * RING_SECTOR, &request.sector, sizeof request.sector);
    *ring_response_at(view, done) = (struct ring_response){request.id, 0};
    if (++done % 3 == 0) break;
  }
  ring_push_responses(view->shared, done);
  sometimes_yield(done);
  if (ring_must_wake(&view->bells[newest])) futex_wake(&view->bells[newest].bell);
  return done;
}

static void *serve(void *context)
{
  struct ring_shared *shared = front.view.shared;
  (void)context;
  for (uint32_t done = 0; done < rounds; done = answer_all(&front.view, done)) {
    ring_about_to_sleep(&shared->req_bell);
    if (atomic_load_explicit(&shared->req_prod, memory_order_seq_cst) == done) futex_wait(&shared->req_bell, RING_ASLEEP, NULL);
    ring_awake(&shared->req_bell);
  }
  return NULL;
}

static void *ask_on(void *context)
{
  struct asker *asker = context;
  unsigned char data[RING_SECTOR];
  for (uint32_t n = 0; n < asker->count && !asker->wrong; n++) {
    const uint64_t sector = (uint64_t)n << 32 | asker->slot;
    asker->wrong = front_read(&front, asker->slot, sector, data) != 0 || memcmp(data, &sector, sizeof sector) != 0;
    sometimes_yield(n / 3);
  }
  return NULL;
}

/** As front_open(), but for a service that is a thread of this process; nobody looks whether it is there still. */
static int open_alone(uint64_t spin_ns)
{
  front = (struct front){.run = -1, .spin_ns = spin_ns, .patience = {.tv_sec = 3600}};
  pthread_mutex_init(&front.produce, NULL);
  pthread_mutex_init(&front.consume, NULL);
  int result = make_ring(&front, slots_for(THREADS));
  if (result == 0) atomic_store(&front.view.shared->state, RING_SERVED);
  return result;
}

static bool run(uint64_t spin_ns)
{
  struct asker askers[THREADS];
  pthread_t server;
  bool right = open_alone(spin_ns) == 0 && pthread_create(&server, NULL, serve, NULL) == 0;
  for (uint32_t i = 0; i < THREADS && right; i++) {
    askers[i] = (struct asker){.slot = i, .count = rounds / THREADS};
    right = pthread_create(&askers[i].thread, NULL, ask_on, &askers[i]) == 0;
  }
  // Whoever waits for threads that are not there waits for ever: the process ends instead.
  if (!right) return false;
  for (uint32_t i = 0; i < THREADS; i++) {
    pthread_join(askers[i].thread, NULL);
    right = right && !askers[i].wrong;
  }
  if (!right) return false;
  pthread_join(server, NULL);
  munmap(front.view.shared, front.view.bytes);
  close(front.fd);
  pthread_mutex_destroy(&front.produce);
  pthread_mutex_destroy(&front.consume);
  free(front.slots);
  return true;
}

int main(int count, char **words)
{
  if (count > 1) rounds = (uint32_t)strtoul(words[1], NULL, 10);
  rounds -= rounds % THREADS;
  if (run(0) && run(2000)) return 0;
  fprintf(stderr, "wakeups: wrong data, or no threads\n");
  return 1;
}
