/*
 * test ROUNDS SEED: the account of a ring (ring.c) against a guest's driver and a device that are known to be right, on rings of every size, under
 * sanitizers. In turn first, so that the truth is known at each moment; then as threads, which know it only in the end: each request is to be answered
 * once. Last comes nonsense, of which no more is asked than that it does no harm. Prints "ok" and what happened.
 */
#include "ring.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LONGEST_CHAIN = 3, STEPS = 3000, LATEST_SURE = 3000, NONE = -1, TOO_LONG_S = 120 };

#define DEMAND(what) ((what) ? (void)0 : fail(#what, __LINE__))

static unsigned long looks, looks_unsure, again_sure, latest, settled, not_settled, moved, answered;

static void fail(const char *what, int line)
{
  fprintf(stderr, "line %d: not so: %s\n", line, what);
  abort();
}

/* Each thread has numbers of its own. */
static _Thread_local uint64_t random_state;

static uint32_t any(uint32_t below)
{
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return (uint32_t)(random_state >> 20) % below;
}

/* In memory of their very size, so that a sanitizer sees a step beyond. */
struct rings {
  uint16_t size;
  struct available *available;
  struct used *used;
};

static void *allocate(size_t bytes)
{
  void *memory = calloc(1, bytes);
  if (!memory) abort();
  return memory;
}

static struct rings make(uint16_t size, uint16_t first)
{
  struct rings rings = {size, allocate(sizeof(struct available) + size * sizeof(uint16_t)), allocate(sizeof(struct used) + size * sizeof(struct used_one))};
  atomic_store(&rings.available->index, first);
  atomic_store(&rings.used->index, first);
  return rings;
}

static void drop(struct rings *rings)
{
  free(rings->available);
  free(rings->used);
}

/* As Linux's: what became free last is taken first. */
struct driver {
  struct rings *rings;
  uint32_t longest;
  uint16_t next, reaped;
  bool written; /* an entry of which the index does not tell yet */
  uint16_t free[MOST_DESCRIPTORS], free_count;
  uint16_t chain[MOST_DESCRIPTORS][LONGEST_CHAIN];
  uint8_t length[MOST_DESCRIPTORS];
  unsigned asked, done;
};

static void driver_begin(struct driver *driver, struct rings *rings)
{
  *driver = (struct driver){.rings = rings, .longest = 1 + any(LONGEST_CHAIN), .next = atomic_load(&rings->used->index), .free_count = rings->size};
  driver->reaped = driver->next;
  for (uint16_t i = 0; i < rings->size; i++)
    driver->free[i] = (uint16_t)(rings->size - 1 - i);
}

static uint16_t place(const struct rings *rings, uint16_t index)
{
  return index & (uint16_t)(rings->size - 1);
}

/* Writes a request, if there is room. Others see it when it is published: a look may fall between the two. */
static void driver_write(struct driver *driver, uint16_t depth)
{
  uint8_t length = (uint8_t)(1 + any(driver->longest));
  if (length > driver->free_count || driver->asked - driver->done >= depth || driver->written) return;
  uint16_t head = driver->free[driver->free_count - 1];
  for (int i = 0; i < length; i++)
    driver->chain[head][i] = driver->free[--driver->free_count];
  driver->length[head] = length;
  driver->asked++;
  driver->written = true;
  atomic_store_explicit(&driver->rings->available->heads[place(driver->rings, driver->next)], head, memory_order_relaxed);
}

/* @returns the head, -1: there is none */
static int driver_publish(struct driver *driver)
{
  if (!driver->written) return -1;
  driver->written = false;
  uint16_t head = atomic_load_explicit(&driver->rings->available->heads[place(driver->rings, driver->next)], memory_order_relaxed);
  atomic_store_explicit(&driver->rings->available->index, ++driver->next, memory_order_release);
  return head;
}

/* Takes an answer, if there is one: it must be one to a request that it has. */
static bool driver_reap(struct driver *driver)
{
  if (atomic_load_explicit(&driver->rings->used->index, memory_order_acquire) == driver->reaped) return false;
  uint32_t head = atomic_load_explicit(&driver->rings->used->ones[place(driver->rings, driver->reaped++)].head, memory_order_relaxed);
  DEMAND(head < driver->rings->size && driver->length[head] > 0);
  for (int i = driver->length[head] - 1; i >= 0; i--)
    driver->free[driver->free_count++] = driver->chain[head][i];
  driver->length[head] = 0;
  driver->done++;
  return true;
}

/* It answers in any order; one by one may go on while the first waits. */
struct device {
  struct rings *rings;
  uint16_t next, taken[MOST_DESCRIPTORS], count;
  int written; /* which of them it has written, but not published */
};

static void device_begin(struct device *device, struct rings *rings)
{
  *device = (struct device){.rings = rings, .next = atomic_load(&rings->used->index), .written = NONE};
}

static bool device_take(struct device *device)
{
  if (atomic_load_explicit(&device->rings->available->index, memory_order_acquire) == device->next) return false;
  DEMAND(device->count < device->rings->size);
  device->taken[device->count++] = atomic_load_explicit(&device->rings->available->heads[place(device->rings, device->next++)], memory_order_relaxed);
  return true;
}

static void device_write(struct device *device)
{
  if (device->count == 0 || device->written != NONE) return;
  device->written = any(4) ? device->count - 1 : (int)any(device->count);
  uint16_t index = atomic_load_explicit(&device->rings->used->index, memory_order_relaxed);
  atomic_store_explicit(&device->rings->used->ones[place(device->rings, index)].head, device->taken[device->written], memory_order_relaxed);
}

/* @returns the head, -1: it has none */
static int device_publish(struct device *device)
{
  if (device->written == NONE) return -1;
  uint16_t head = device->taken[device->written], index = atomic_load_explicit(&device->rings->used->index, memory_order_relaxed);
  device->taken[device->written] = device->taken[--device->count];
  device->written = NONE;
  atomic_store_explicit(&device->rings->used->index, (uint16_t)(index + 1), memory_order_release);
  return head;
}

static uint16_t any_size(void)
{
  return (uint16_t)(1 << any(11));
}
static uint16_t any_index(void)
{
  return (uint16_t)(any(2) ? 0 : any(2) ? 65536 - any(3000) : any(65536));
}

/* What is counted is what is there. */
static void check_counts(const struct ring *ring)
{
  unsigned under_way = 0, unknown = 0;
  for (uint16_t head = 0; head < ring->size; head++) {
    under_way += ring->heads[head] == UNDER_WAY;
    unknown += ring->heads[head] == UNKNOWN;
  }
  DEMAND(under_way == ring->under_way && unknown == ring->unknown);
}

/* One after the other. */
struct world {
  struct rings rings;
  struct driver driver;
  struct device device;
  struct ring ring;
  bool truth[MOST_DESCRIPTORS];
  unsigned unsure_for;
};

static void check_truth(struct world *world, bool in_time)
{
  looks++;
  check_counts(&world->ring);
  if (!ring_is_sure(&world->ring)) {
    looks_unsure++;
    if (in_time) world->unsure_for++;
    DEMAND(world->unsure_for < LATEST_SURE);
    return;
  }
  if (world->unsure_for > 0) again_sure++;
  if (world->unsure_for > latest) latest = world->unsure_for;
  world->unsure_for = 0;
  for (uint16_t head = 0; head < world->rings.size; head++)
    DEMAND((world->ring.heads[head] == UNDER_WAY) == world->truth[head]);
}

static void check_settled(struct world *world)
{
  uint16_t from = atomic_load(&world->rings.used->index), to = atomic_load(&world->rings.available->index);
  bool there[MOST_DESCRIPTORS] = {false};
  unsigned under_way = 0;
  for (uint16_t head = 0; head < world->rings.size; head++)
    under_way += world->truth[head];
  DEMAND((uint16_t)(to - from) == under_way && ring_next(&world->ring) == from);
  for (uint16_t i = from; i != to; i++) {
    uint16_t head = world->rings.available->heads[place(&world->rings, i)];
    DEMAND(head < world->rings.size && world->truth[head] && !there[head]);
    there[head] = true;
  }
}

/* The device ends with all that it had, and another begins. */
static void change_device(struct world *world)
{
  int count = ring_settle(&world->ring);
  if (count < 0) {
    not_settled++;
    DEMAND(!ring_is_sure(&world->ring));
    return; /* the one that there was goes on */
  }
  settled++;
  moved += (unsigned long)count;
  check_settled(world);
  device_begin(&world->device, &world->rings);
}

static void step(struct world *world, uint16_t depth)
{
  int head;
  switch (any(6)) {
  case 0:
    driver_write(&world->driver, depth);
    break;
  case 1:
    head = driver_publish(&world->driver);
    if (head >= 0) world->truth[head] = true;
    break;
  case 2:
    device_take(&world->device);
    break;
  case 3:
    device_write(&world->device);
    break;
  case 4:
    head = device_publish(&world->device);
    if (head >= 0) world->truth[head] = false;
    break;
  default:
    driver_reap(&world->driver);
  }
}

static void in_turn(void)
{
  static struct world world;
  memset(&world, 0, sizeof world);
  uint16_t size = any_size(), depth = (uint16_t)(1 + any(any(2) ? size : 8));
  world.rings = make(size, any_index());
  driver_begin(&world.driver, &world.rings);
  device_begin(&world.device, &world.rings);
  /* Some are available before anybody looks: nobody has served them. */
  int before = 0;
  for (int head; any(4) && (driver_write(&world.driver, depth), head = driver_publish(&world.driver)) >= 0; before++)
    world.truth[head] = true;
  DEMAND(ring_begin(&world.ring, size, world.rings.available, world.rings.used) == before);
  check_truth(&world, false);
  for (int looked = 0; looked < STEPS; looked++) {
    /* Mostly in time; at times so late that the rings were written over. */
    bool late = any(50) == 0;
    for (uint32_t steps = late ? any((any(4) ? 8u : 40u) * size + 1) : 1 + any(size / 4u + 1); steps > 0; steps--)
      step(&world, depth);
    ring_look(&world.ring);
    check_truth(&world, !late && world.driver.asked > 0);
    if (any(50) == 0) {
      if (any(2)) step(&world, depth);
      change_device(&world);
    }
  }
  driver_publish(&world.driver);
  while (device_take(&world.device) || (device_write(&world.device), device_publish(&world.device)) >= 0 || driver_reap(&world.driver))
    ;
  DEMAND(world.driver.asked == world.driver.done);
  answered += world.driver.done;
  drop(&world.rings);
}

/* At the same time. */
struct threads {
  struct rings rings;
  struct driver driver;
  struct device device;
  uint16_t depth;
  uint64_t seed;
  _Atomic bool driver_ends, device_ends;
  pthread_mutex_t serving; /* held by the device while it serves */
};

static void *drive(void *argument)
{
  struct threads *threads = argument;
  random_state = threads->seed;
  while (!atomic_load(&threads->driver_ends) || threads->driver.asked != threads->driver.done) {
    for (uint32_t count = any(8); count > 0 && !atomic_load(&threads->driver_ends); count--) {
      driver_write(&threads->driver, threads->depth);
      driver_publish(&threads->driver);
    }
    while (any(8) && driver_reap(&threads->driver))
      ;
    if (any(4) == 0) sched_yield();
  }
  return NULL;
}

static void *serve(void *argument)
{
  struct threads *threads = argument;
  random_state = ~threads->seed;
  while (!atomic_load(&threads->device_ends)) {
    pthread_mutex_lock(&threads->serving);
    for (uint32_t count = any(8); count > 0; count--)
      device_take(&threads->device);
    for (uint32_t count = any(8); count > 0; count--) {
      device_write(&threads->device);
      device_publish(&threads->device);
    }
    pthread_mutex_unlock(&threads->serving);
    if (any(4) == 0) sched_yield();
  }
  return NULL;
}

static void at_once(void)
{
  static struct threads threads;
  memset(&threads, 0, sizeof threads);
  uint16_t size = (uint16_t)(1 << any(11));
  threads.depth = (uint16_t)(1 + any(size));
  threads.seed = 1 + random_state / 2;
  threads.rings = make(size, any_index());
  driver_begin(&threads.driver, &threads.rings);
  device_begin(&threads.device, &threads.rings);
  pthread_mutex_init(&threads.serving, NULL);
  struct ring ring;
  DEMAND(ring_begin(&ring, size, threads.rings.available, threads.rings.used) == 0);
  pthread_t driver, device;
  pthread_create(&driver, NULL, drive, &threads);
  pthread_create(&device, NULL, serve, &threads);
  for (int looked = 0; looked < STEPS; looked++) {
    ring_look(&ring);
    check_counts(&ring);
    if (any(20) == 0) sched_yield();
    if (any(10)) continue;
    pthread_mutex_lock(&threads.serving);
    int count = ring_settle(&ring);
    if (count >= 0) {
      device_begin(&threads.device, &threads.rings);
      settled++;
      moved += (unsigned long)count;
    } else {
      not_settled++;
    }
    pthread_mutex_unlock(&threads.serving);
  }
  atomic_store(&threads.driver_ends, true);
  pthread_join(driver, NULL);
  atomic_store(&threads.device_ends, true);
  pthread_join(device, NULL);
  answered += threads.driver.done;
  drop(&threads.rings);
}

/* Whoever writes what it likes. */
struct nonsense {
  struct rings rings;
  uint64_t seed;
  _Atomic bool ends;
};

static void write_nonsense(struct rings *rings)
{
  uint32_t near = any(4) ? rings->size * 2u : 65536u;
  switch (any(4)) {
  case 0:
    atomic_store(&rings->available->index, (uint16_t)(rings->used->index + any(near)));
    break;
  case 1:
    atomic_store(&rings->used->index, (uint16_t)(rings->used->index + any(near)));
    break;
  case 2:
    atomic_store_explicit(&rings->available->heads[any(rings->size)], (uint16_t)any(near), memory_order_relaxed);
    break;
  default:
    atomic_store_explicit(&rings->used->ones[any(rings->size)].head, any(4) ? any(near) : UINT32_MAX - any(3), memory_order_relaxed);
  }
}

static void *talk_nonsense(void *argument)
{
  struct nonsense *nonsense = argument;
  random_state = nonsense->seed;
  while (!atomic_load(&nonsense->ends))
    write_nonsense(&nonsense->rings);
  return NULL;
}

static void amid_nonsense(bool thread)
{
  static struct nonsense nonsense;
  memset(&nonsense, 0, sizeof nonsense);
  nonsense.rings = make(any_size(), any_index());
  nonsense.seed = 1 + random_state / 2;
  struct ring ring;
  pthread_t writer;
  if (thread) pthread_create(&writer, NULL, talk_nonsense, &nonsense);
  for (int looked = 0; looked < STEPS; looked++) {
    if (looked == 0 || any(100) == 0) ring_begin(&ring, nonsense.rings.size, nonsense.rings.available, nonsense.rings.used);
    for (uint32_t count = thread ? 0 : any(nonsense.rings.size); count > 0; count--)
      write_nonsense(&nonsense.rings);
    if (any(4)) ring_look(&ring);
    else ring_settle(&ring);
    check_counts(&ring);
  }
  atomic_store(&nonsense.ends, true);
  if (thread) pthread_join(writer, NULL);
  drop(&nonsense.rings);
}

int main(int count, char **argument)
{
  if (count != 3) return 2;
  alarm(TOO_LONG_S); /* it is not to go round for ever */
  random_state = 1 + strtoull(argument[2], NULL, 10) * UINT64_C(0x9e3779b97f4a7c15);
  for (uint32_t size = 0; size < 5000; size++)
    DEMAND(ring_can_have(size) == (size > 0 && size <= 1024 && 1024 % size == 0));
  for (long round = atol(argument[1]); round > 0; round--) {
    in_turn();
    if (round % 4 == 0) at_once();
    amid_nonsense(round % 4 == 0);
  }
  printf("ok: %lu looks, %lu unsure; sure again %lu times, after %lu looks at most; settled %lu times, not %lu times, %lu requests put elsewhere; %lu answered\n", looks, looks_unsure, again_sure,
         latest, settled, not_settled, moved, answered);
  return 0;
}
