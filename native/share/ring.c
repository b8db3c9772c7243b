#include "ring.h"

#include <string.h>

enum { MOST_TRIES = 1000 };

bool ring_can_have(uint32_t size)
{
  return size > 0 && size <= MOST_DESCRIPTORS && (size & (size - 1)) == 0;
}

static uint16_t less(uint16_t a, uint16_t b)
{
  return (uint16_t)(a - b);
}

static uint16_t available_head(const struct ring *ring, uint16_t index)
{
  return atomic_load_explicit(&ring->available->heads[index & (ring->size - 1)], memory_order_relaxed);
}
static uint32_t used_head(const struct ring *ring, uint16_t index)
{
  return atomic_load_explicit(&ring->used->ones[index & (ring->size - 1)].head, memory_order_relaxed);
}

struct indexes {
  uint16_t available, used;
};

/* Both at one moment: when the one has not changed while the other was read. It soon has not, but where somebody sees to it that it has. */
static struct indexes indexes(const struct ring *ring)
{
  struct indexes at;
  at.used = atomic_load(&ring->used->index);
  for (int tries = 0; tries < MOST_TRIES; tries++) {
    at.available = atomic_load(&ring->available->index);
    uint16_t again = atomic_load(&ring->used->index);
    if (again == at.used) break;
    at.used = again;
  }
  return at;
}

static void fill(struct ring *ring, enum head state)
{
  memset(ring->heads, state, sizeof ring->heads);
  ring->under_way = state == UNDER_WAY ? ring->size : 0;
  ring->unknown = state == UNKNOWN ? ring->size : 0;
}

/* From now on nothing is known; but for a ring of which nothing is under way, or all that it has. */
static void forget(struct ring *ring)
{
  struct indexes at = indexes(ring);
  uint16_t under_way = less(at.available, at.used);
  fill(ring, under_way == 0 ? FREE : under_way == ring->size ? UNDER_WAY : UNKNOWN);
  ring->available_seen = at.available;
  ring->used_seen = at.used;
}

int ring_begin(struct ring *ring, uint16_t size, struct available *available, struct used *used)
{
  *ring = (struct ring){.size = size, .available = available, .used = used};
  uint16_t from = atomic_load(&used->index);
  if (less(atomic_load(&available->index), from) > size) return -1;
  ring->available_seen = ring->used_seen = from;
  ring_look(ring);
  return ring_is_sure(ring) ? ring->under_way : -1;
}

void ring_move(struct ring *ring, struct available *available, struct used *used)
{
  ring->available = available;
  ring->used = used;
}

bool ring_resume(struct ring *ring, const struct ring *kept, uint16_t size, struct available *available, struct used *used)
{
  if (kept->size != size) return false;
  *ring = *kept;
  ring_move(ring, available, used);
  ring_look(ring);
  return ring_is_sure(ring);
}

static void set(struct ring *ring, uint32_t head, enum head state)
{
  if (ring->heads[head] == UNDER_WAY) ring->under_way--;
  if (ring->heads[head] == UNKNOWN) ring->unknown--;
  if (state == UNDER_WAY) ring->under_way++;
  ring->heads[head] = (uint8_t)state;
}

/*
 * What became of a head that was made available and used so many times since the last look: the two take turns.
 * @returns false: that cannot be
 */
static bool note(struct ring *ring, uint32_t head, int available, int used)
{
  enum head was = ring->heads[head];
  if (available == used) return true; /* as before, and as little known */
  if (available == used + 1 && was != UNDER_WAY) set(ring, head, UNDER_WAY);
  else if (used == available + 1 && was != FREE) set(ring, head, FREE);
  else return false;
  return true;
}

unsigned ring_look(struct ring *ring)
{
  static int16_t available[MOST_DESCRIPTORS], used[MOST_DESCRIPTORS];
  struct indexes to = indexes(ring);
  uint16_t more = less(to.available, ring->available_seen), done = less(to.used, ring->used_seen);
  unsigned count = (unsigned)more + done;
  if (count == 0) return 0;
  uint16_t under_way = less(to.available, to.used);
  if (more > ring->size || done > ring->size || under_way > ring->size) {
    forget(ring);
    return count;
  }
  bool sound = true;
  memset(available, 0, ring->size * sizeof *available);
  memset(used, 0, ring->size * sizeof *used);
  for (uint16_t i = ring->available_seen; i != to.available; i++) {
    uint16_t head = available_head(ring, i);
    if (head < ring->size) available[head]++;
    else sound = false;
  }
  for (uint16_t i = ring->used_seen; i != to.used; i++) {
    uint32_t head = used_head(ring, i);
    if (head < ring->size) used[head]++;
    else sound = false;
  }
  atomic_thread_fence(memory_order_acquire);
  /* An entry is written before its index goes on: the first that was read may have been written over. */
  struct indexes now = indexes(ring);
  if (more > 0 && less(now.available, ring->available_seen) >= ring->size) sound = false;
  if (done > 0 && less(now.used, ring->used_seen) >= ring->size) sound = false;
  for (uint32_t head = 0; sound && head < ring->size; head++)
    sound = note(ring, head, available[head], used[head]);
  if (!sound || ring->under_way > under_way || (ring->unknown == 0 && ring->under_way != under_way)) {
    forget(ring);
    return count;
  }
  ring->available_seen = to.available;
  ring->used_seen = to.used;
  /* All that can be under way is known: the rest is not. Or so many are that the rest has to be. */
  enum head rest = ring->under_way == under_way ? FREE : ring->under_way + ring->unknown == under_way ? UNDER_WAY : UNKNOWN;
  for (uint32_t head = 0; rest != UNKNOWN && ring->unknown > 0; head++)
    if (ring->heads[head] == UNKNOWN) set(ring, head, rest);
  return count;
}

bool ring_is_sure(const struct ring *ring)
{
  return ring->unknown == 0 && ring->under_way == less(ring->available_seen, ring->used_seen);
}

int ring_settle(struct ring *ring)
{
  ring_look(ring);
  if (!ring_is_sure(ring)) return -1;
  uint16_t mask = (uint16_t)(ring->size - 1), from = ring->used_seen, to = ring->available_seen;
  bool kept[MOST_DESCRIPTORS] = {false}, free_place[MOST_DESCRIPTORS] = {false};
  for (uint16_t i = from; i != to; i++) {
    uint16_t head = available_head(ring, i);
    bool stays = head < ring->size && ring->heads[head] == UNDER_WAY && !kept[head];
    if (stays) kept[head] = true;
    else free_place[i & mask] = true;
  }
  int moved = 0;
  uint16_t place = from;
  for (uint16_t head = 0; head < ring->size; head++) {
    if (ring->heads[head] != UNDER_WAY || kept[head]) continue;
    while (!free_place[place & mask])
      place++;
    atomic_store_explicit(&ring->available->heads[place++ & mask], head, memory_order_relaxed);
    moved++;
  }
  atomic_thread_fence(memory_order_seq_cst);
  return moved;
}

uint16_t ring_next(const struct ring *ring)
{
  return atomic_load(&ring->used->index);
}
