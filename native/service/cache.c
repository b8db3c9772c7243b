#include "cache.h"

#include "../ring/ring.h"

#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX
#define MOST_USES 3u

struct entry {
  uint64_t sector;
  uint32_t next_in_bucket;
  uint32_t next_in_queue;
  uint8_t uses; /* since it entered the queue or went round, at most MOST_USES */
};

struct queue {
  uint32_t oldest, newest, count;
};

/** A sector that left the small queue: its number, shortened, and when. Later ones take its place. */
struct ghost {
  uint32_t tag, when;
};

struct cache {
  uint32_t capacity, used, buckets;
  uint32_t departures; /* from the small queue: the ghosts' clock */
  uint32_t spare;      /* list of free entries, by next_in_queue */
  size_t bytes;
  struct queue small, main;
  struct entry *entries;
  uint32_t *heads;
  struct ghost *ghosts;
  unsigned char *data;
};

static uint64_t mix(uint64_t sector)
{
  sector = (sector ^ (sector >> 31)) * 0x9e3779b97f4a7c15u;
  return sector ^ (sector >> 29);
}

static size_t bytes_for(uint32_t capacity)
{
  return sizeof(struct cache) + capacity * (RING_SECTOR + sizeof(struct entry) + sizeof(uint32_t) + sizeof(struct ghost));
}

struct cache *cache_make(size_t bytes)
{
  size_t each = bytes_for(1) - bytes_for(0);
  size_t fit = bytes > bytes_for(0) ? (bytes - bytes_for(0)) / each : 0;
  uint32_t capacity = fit > NONE / 2 ? NONE / 2 : (uint32_t)fit;
  struct cache *cache = calloc(1, sizeof *cache);
  if (!cache) return NULL;
  cache->capacity = cache->buckets = capacity;
  cache->bytes = capacity ? bytes_for(capacity) : 0;
  cache->spare = NONE;
  cache->small = cache->main = (struct queue){NONE, NONE, 0};
  if (capacity == 0) return cache;
  cache->entries = calloc(capacity, sizeof *cache->entries);
  cache->heads = malloc(capacity * sizeof *cache->heads);
  cache->ghosts = calloc(capacity, sizeof *cache->ghosts);
  cache->data = malloc((size_t)capacity * RING_SECTOR);
  if (!cache->entries || !cache->heads || !cache->ghosts || !cache->data) {
    cache_free(cache);
    return NULL;
  }
  memset(cache->heads, 0xff, capacity * sizeof *cache->heads);
  return cache;
}

void cache_free(struct cache *cache)
{
  if (!cache) return;
  free(cache->entries);
  free(cache->heads);
  free(cache->ghosts);
  free(cache->data);
  free(cache);
}

/** The bucket's head: the high bits of the hash scaled to the number of buckets, which need not be a power of two. */
static uint32_t *bucket_of(struct cache *cache, uint64_t sector)
{
  return &cache->heads[((mix(sector) >> 32) * cache->buckets) >> 32];
}

static uint32_t find(struct cache *cache, uint64_t sector)
{
  uint32_t at = *bucket_of(cache, sector);
  while (at != NONE && cache->entries[at].sector != sector) at = cache->entries[at].next_in_bucket;
  return at;
}

static void join(struct cache *cache, struct queue *queue, uint32_t at)
{
  cache->entries[at].next_in_queue = NONE;
  if (queue->count++ == 0) queue->oldest = at;
  else cache->entries[queue->newest].next_in_queue = at;
  queue->newest = at;
}

static uint32_t leave(struct cache *cache, struct queue *queue)
{
  uint32_t at = queue->oldest;
  queue->oldest = cache->entries[at].next_in_queue;
  queue->count--;
  return at;
}

static void forget(struct cache *cache, uint32_t at)
{
  uint32_t *link = bucket_of(cache, cache->entries[at].sector);
  while (*link != at) link = &cache->entries[*link].next_in_bucket;
  *link = cache->entries[at].next_in_bucket;
  cache->entries[at].next_in_queue = cache->spare;
  cache->spare = at;
}

static struct ghost *ghost_of(struct cache *cache, uint64_t sector)
{
  return &cache->ghosts[((mix(sector) & UINT32_MAX) * cache->capacity) >> 32];
}

static uint32_t tag_of(uint64_t sector)
{
  return (uint32_t)sector + 1; /* 0 is nobody's, but for every 2^32nd sector */
}

/** Whether the sector left the small queue not long ago: no more than a cacheful of others has left since. */
static bool is_remembered(struct cache *cache, uint64_t sector)
{
  const struct ghost *ghost = ghost_of(cache, sector);
  return ghost->tag == tag_of(sector) && cache->departures - ghost->when <= cache->capacity;
}

/** Takes from the small queue: moves on what was asked for again. Returns whether an entry got free. */
static bool evict_small(struct cache *cache)
{
  while (cache->small.count > 0) {
    uint32_t at = leave(cache, &cache->small);
    struct entry *entry = &cache->entries[at];
    if (entry->uses > 0) {
      entry->uses = 0;
      join(cache, &cache->main, at);
      continue;
    }
    *ghost_of(cache, entry->sector) = (struct ghost){tag_of(entry->sector), ++cache->departures};
    forget(cache, at);
    return true;
  }
  return false;
}

static void evict_main(struct cache *cache)
{
  for (;;) {
    uint32_t at = leave(cache, &cache->main);
    if (cache->entries[at].uses == 0) {
      forget(cache, at);
      return;
    }
    cache->entries[at].uses--;
    join(cache, &cache->main, at);
  }
}

static uint32_t take_entry(struct cache *cache)
{
  if (cache->used < cache->capacity) return cache->used++;
  if (cache->spare == NONE) {
    bool small_first = cache->small.count * 10 >= cache->capacity || cache->main.count == 0;
    if (!small_first || !evict_small(cache)) evict_main(cache);
  }
  uint32_t at = cache->spare;
  cache->spare = cache->entries[at].next_in_queue;
  return at;
}

const unsigned char *cache_get(struct cache *cache, uint64_t sector)
{
  if (cache->capacity == 0) return NULL;
  uint32_t at = find(cache, sector);
  if (at == NONE) return NULL;
  if (cache->entries[at].uses < MOST_USES) cache->entries[at].uses++;
  return cache->data + (size_t)at * RING_SECTOR;
}

void cache_put(struct cache *cache, uint64_t sector, const unsigned char *data)
{
  // Two who missed the same sector at the same time both bring it.
  if (cache->capacity == 0 || find(cache, sector) != NONE) return;
  bool remembered = is_remembered(cache, sector);
  uint32_t at = take_entry(cache);
  uint32_t *head = bucket_of(cache, sector);
  cache->entries[at] = (struct entry){.sector = sector, .next_in_bucket = *head};
  *head = at;
  join(cache, remembered ? &cache->main : &cache->small, at);
  memcpy(cache->data + (size_t)at * RING_SECTOR, data, RING_SECTOR);
}

uint32_t cache_capacity(const struct cache *cache)
{
  return cache->capacity;
}

size_t cache_bytes(const struct cache *cache)
{
  return cache->bytes;
}
