#include "front.h"

#include "../ring/announce.h"
#include "../ring/futex.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define LOCK_PATIENCE_MS 10000
#define ATTACH_TRIES 10 /* a second each */
#define LOOKOUT_OPEN 4u    /* with more requests open, their answers keep the processor awake */
#define LOOKOUT_TURN_NS 1000000u /* threads of ours, and the service, let go sooner */
#define LOOKOUT_REST 4000u       /* requests until it is tried again */
#define LOOKOUT_NS 400000u /* longer than a disk takes that is worth looking out for */
#define TAKE_MOST 64u /* responses taken at a time, before those whose they are are woken */
#define LOOK_FOR_SERVICE_NS 500000000

/** A slot as the process has it: private, so that nobody else can change what we believe. */
struct front_slot {
  _Alignas(RING_LINE) _Atomic uint64_t answer; /* the last: its id in the upper half, its status in the lower */
  uint32_t id;
  uint64_t last_ns; /* how long the last request took */
  uint32_t uses;
};

struct front {
  struct ring_view view;
  int run, fd;
  uint64_t spin_ns;
  struct timespec patience; /* a sleeping thread looks that often whether there is a service still */
  pthread_mutex_t produce, consume;
  uint32_t req_prod_pvt;
  uint32_t rsp_cons;
  _Atomic bool lookout; /* a thread looks out: see look_out() */
  _Atomic uint32_t lookout_rest;
  struct front_slot *slots;
};

static uint32_t slots_for(uint32_t threads)
{
  uint32_t slots = RING_MIN_SLOTS;
  while (slots < threads) slots *= 2;
  return slots;
}

/** Makes the shared memory. It has no name: it goes when the last process that has it goes. */
static int make_ring(struct front *front, uint32_t slots)
{
  size_t bytes = ring_bytes(slots);
  front->fd = memfd_create("ring", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (front->fd < 0 || ftruncate(front->fd, (off_t)bytes) != 0) return -errno;
  if (fcntl(front->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) return -errno;
  void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, front->fd, 0);
  if (memory == MAP_FAILED) return -errno;
  front->view = ring_view(memory, slots);
  front->view.shared->magic = RING_MAGIC;
  front->view.shared->version = RING_VERSION;
  front->view.shared->slots = slots;
  front->slots = aligned_alloc(RING_LINE, slots * sizeof *front->slots);
  if (!front->slots) return -ENOMEM;
  memset(front->slots, 0, slots * sizeof *front->slots);
  // No request of id 0 in slot 0 is ever sent: the first use of a slot is number 1.
  return 0;
}

static int announce(struct front *front)
{
  struct service_identity service;
  int found = service_find(front->run, &service);
  if (found == 0) return -ENOENT;
  if (found < 0 && found != -ENODATA) return found;
  struct stat memory;
  if (fstat(front->fd, &memory) != 0) return -errno;
  struct announcement line = {{getpid(), process_start_time(getpid())}, front->fd, front->view.slots, memory.st_ino};
  const struct timespec patience = {.tv_sec = 1};
  _Atomic uint32_t *state = &front->view.shared->state;
  for (int tries = 0; atomic_load(state) == RING_OFFERED; tries++) {
    if (tries == ATTACH_TRIES) return -ETIMEDOUT;
    if (tries > 0 && service_find(front->run, &service) == 0) return -EPIPE;
    // Again each time: the file may have been scribbled over by somebody who does not care for its lock.
    int result = announce_add(front->run, &line, LOCK_PATIENCE_MS);
    if (result < 0) return result == -ETIMEDOUT ? -EBUSY : result;
    futex_wait(state, RING_OFFERED, &patience);
  }
  return atomic_load(state) == RING_SERVED ? 0 : -EPIPE;
}

int front_open(const struct front_options *options, struct front **made)
{
  if (options->threads == 0 || options->threads > RING_MAX_SLOTS) return -EINVAL;
  struct front *front = calloc(1, sizeof *front);
  if (!front) return -ENOMEM;
  front->fd = -1;
  front->spin_ns = options->spin_ns;
  front->patience = (struct timespec){.tv_nsec = LOOK_FOR_SERVICE_NS};
  pthread_mutex_init(&front->produce, NULL);
  pthread_mutex_init(&front->consume, NULL);
  front->run = options->folder ? run_folder_of(options->folder) : run_folder_open(false);
  int result = front->run < 0 ? front->run : make_ring(front, slots_for(options->threads));
  if (result == 0) result = announce(front);
  if (result < 0) front_close(front);
  else *made = front;
  return result;
}

void front_close(struct front *front)
{
  struct ring_shared *shared = front->view.shared;
  if (shared) {
    atomic_store(&shared->closing, 1);
    if (ring_push_requests(shared, front->req_prod_pvt)) futex_wake(&shared->req_bell);
    munmap(shared, front->view.bytes);
  }
  if (front->fd >= 0) close(front->fd);
  if (front->run >= 0) close(front->run);
  pthread_mutex_destroy(&front->produce);
  pthread_mutex_destroy(&front->consume);
  free(front->slots);
  free(front);
}

static void send_request(struct front *front, const struct ring_request *request)
{
  pthread_mutex_lock(&front->produce);
  *ring_request_at(&front->view, front->req_prod_pvt++) = *request;
  bool wake = ring_push_requests(front->view.shared, front->req_prod_pvt); // R1, R3
  pthread_mutex_unlock(&front->produce);
  if (wake) futex_wake(&front->view.shared->req_bell);
}

/**
 * Takes responses, whoever they are for: a ring has one order. With the consume lock held.
 * @param sleepers gets the slots whose threads have to be woken (R5): TAKE_MOST at most
 * @returns how many those are; `more`: whether there are responses still
 */
static uint32_t take_some(struct front *front, uint32_t *sleepers, bool *more)
{
  uint32_t prod = atomic_load_explicit(&front->view.shared->rsp_prod, memory_order_seq_cst); // R2, R4
  uint32_t count = 0;
  for (; front->rsp_cons != prod && count < TAKE_MOST; front->rsp_cons++) {
    struct ring_response response = *ring_response_at(&front->view, front->rsp_cons);
    uint32_t number = RING_SLOT(response.id);
    if (number >= front->view.slots) continue;
    atomic_store_explicit(&front->slots[number].answer, (uint64_t)response.id << 32 | (uint32_t)response.status, memory_order_release);
    if (ring_must_wake(&front->view.bells[number])) sleepers[count++] = number;
  }
  atomic_store_explicit(&front->view.shared->rsp_cons_shown, front->rsp_cons, memory_order_relaxed);
  *more = front->rsp_cons != prod;
  return count;
}

/** Takes all responses that are there, and wakes the threads that they are for: without the lock, as each may want it at once. */
static void take_responses(struct front *front, uint32_t self)
{
  uint32_t sleepers[TAKE_MOST];
  for (bool more = true; more;) {
    pthread_mutex_lock(&front->consume);
    uint32_t count = take_some(front, sleepers, &more);
    pthread_mutex_unlock(&front->consume);
    for (uint32_t i = 0; i < count; i++)
      if (sleepers[i] != self) futex_wake(&front->view.bells[sleepers[i]].bell);
  }
}

static bool has_answer(const struct front_slot *slot)
{
  return atomic_load_explicit(&slot->answer, memory_order_acquire) >> 32 == slot->id;
}

static bool is_answered(struct front *front, const struct front_slot *slot, bool must_look)
{
  if (has_answer(slot)) return true;
  if (!must_look && atomic_load_explicit(&front->view.shared->rsp_prod, memory_order_relaxed) == atomic_load_explicit(&front->view.shared->rsp_cons_shown, memory_order_relaxed)) return false;
  take_responses(front, RING_SLOT(slot->id));
  return has_answer(slot);
}

/**
 * One thread of a process stays awake while its request is read from the disk: a processor that has gone idle takes longer to
 * wake than the service to answer, and all the others' answers come to the same processor. It gives way to whoever wants to run.
 */
static bool look_out(struct front *front, const struct front_slot *slot, uint64_t since)
{
  bool answered;
  for (uint64_t now; !(answered = is_answered(front, slot, false)) && (now = now_ns()) - since < LOOKOUT_NS;) {
    sched_yield();
    if (now_ns() - now < LOOKOUT_TURN_NS) continue;
    // Somebody else has work for the processor: it does not idle without us, and a sleeper is woken sooner than we get a turn.
    atomic_store_explicit(&front->lookout_rest, LOOKOUT_REST, memory_order_relaxed);
    answered = is_answered(front, slot, false);
    break;
  }
  atomic_store_explicit(&front->lookout, false, memory_order_release);
  return answered;
}

static bool is_worth_looking_out(struct front *front, const struct front_slot *slot)
{
  const uint32_t rest = atomic_load_explicit(&front->lookout_rest, memory_order_relaxed);
  if (rest > 0) {
    atomic_store_explicit(&front->lookout_rest, rest - 1, memory_order_relaxed);
    return false;
  }
  const struct ring_shared *shared = front->view.shared;
  uint32_t open = atomic_load_explicit(&shared->req_prod, memory_order_relaxed) - atomic_load_explicit(&shared->rsp_cons_shown, memory_order_relaxed);
  return front->spin_ns > 0 && slot->last_ns > front->spin_ns && slot->last_ns < LOOKOUT_NS && open <= LOOKOUT_OPEN;
}

/** Spins for a while: not if the last answers took longer than that, but for every 64th time, to see whether that has changed. */
static bool spin(struct front *front, struct front_slot *slot, uint64_t since)
{
  if (is_worth_looking_out(front, slot) && !atomic_exchange_explicit(&front->lookout, true, memory_order_acquire)) return look_out(front, slot, since);
  if (front->spin_ns == 0 || (slot->last_ns > front->spin_ns && slot->uses % 64 != 0)) return is_answered(front, slot, false);
  do {
    if (is_answered(front, slot, false)) return true;
    cpu_relax();
  } while (now_ns() - since < front->spin_ns);
  return false;
}

static int service_gone(struct front *front)
{
  uint32_t state = atomic_load(&front->view.shared->state);
  if (state == RING_BROKEN) return -EPROTO;
  if (state != RING_SERVED) return -EPIPE;
  struct service_identity service;
  return service_find(front->run, &service) == 0 ? -EPIPE : 0;
}

/** Sleeps until the slot is answered. The consume lock is taken for the last look: another thread may be about to take our answer. */
static int sleep_until_answered(struct front *front, struct front_slot *slot, uint32_t number)
{
  _Atomic uint32_t *bell = &front->view.bells[number].bell;
  int gone = 0;
  for (;;) {
    ring_about_to_sleep(bell);
    if (is_answered(front, slot, true)) break;
    uint32_t state = atomic_load(&front->view.shared->state);
    if (state == RING_SERVED && futex_wait(bell, RING_ASLEEP, &front->patience) != -ETIMEDOUT) continue;
    if ((gone = service_gone(front)) < 0) break;
  }
  ring_awake(bell);
  // It may have answered before it ended.
  return gone < 0 && !is_answered(front, slot, true) ? gone : 0;
}

static int ask(struct front *front, uint32_t number, uint16_t operation, uint64_t sector)
{
  struct front_slot *slot = &front->slots[number];
  uint64_t since = now_ns();
  slot->id = (++slot->uses << 16) | number;
  send_request(front, &(struct ring_request){slot->id, operation, 1, sector});
  int result = spin(front, slot, since) ? 0 : sleep_until_answered(front, slot, number);
  slot->last_ns = now_ns() - since;
  return result < 0 ? result : (int)(int32_t)(uint32_t)atomic_load_explicit(&slot->answer, memory_order_relaxed);
}

int front_info(struct front *front, uint32_t slot, struct ring_info *info)
{
  int result = ask(front, slot, RING_INFO, 0);
  if (result == 0) memcpy(info, front->view.data + (size_t)slot * RING_SECTOR, sizeof *info);
  return result;
}

int front_read(struct front *front, uint32_t slot, uint64_t sector, unsigned char *into)
{
  int result = ask(front, slot, RING_READ, sector);
  if (result == 0) memcpy(into, front->view.data + (size_t)slot * RING_SECTOR, RING_SECTOR);
  return result;
}
