/**
 * What the service shows of itself: one page a client and one for all, for reading only.
 *
 * The page is a memfd of the service. Its descriptor's number is the third word of run/service.pid, so that any process of the
 * same user may map or simply read /proc/<pid>/fd/<descriptor>; the memory is sealed against every other writer. It goes with
 * the service. Numbers are stored one by one without a lock: each is whole, two need not be of the same moment.
 */
#ifndef RING_STATISTICS_H
#define RING_STATISTICS_H

#include <inttypes.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define STATISTICS_MAGIC 0x74617453u /* "Stat" */
#define STATISTICS_VERSION 1u
#define STATISTICS_CLIENTS 1024u
#define STATISTICS_BUCKETS 64u

struct statistics_client {
  _Alignas(64) _Atomic uint32_t pid; /* 0: nobody has this place */
  _Atomic uint32_t slots;
  _Atomic uint32_t req_prod, req_cons, rsp_prod, rsp_cons; /* rsp_cons is what the client says */
  _Atomic uint32_t in_flight;                              /* reads of the image */
  _Atomic uint32_t joined;                                 /* how many clients had this place before, and this one */
  _Atomic uint64_t since_ns;                               /* CLOCK_MONOTONIC */
  _Atomic uint64_t answered, hits, misses, refused;        /* refused: requests that make no sense */
  _Atomic uint64_t latency_sum_ns;
  _Atomic uint64_t latency[STATISTICS_BUCKETS];            /* from seen by the service to answered: see statistics_bucket() */
};

struct statistics_page {
  uint32_t magic, version;
  uint32_t clients, buckets; /* STATISTICS_CLIENTS, STATISTICS_BUCKETS */
  uint64_t image_sectors;
  uint64_t cache_bytes;
  uint32_t cache_sectors;
  uint32_t uses_io_uring;
  _Atomic uint64_t requests, hits, misses; /* of all clients there ever were */
  _Atomic uint64_t sleeps;                 /* times that the service had nothing to do */
  _Atomic uint32_t clients_now, clients_ever;
  struct statistics_client client[STATISTICS_CLIENTS];
};

_Static_assert(sizeof(struct statistics_client) == 640 && offsetof(struct statistics_client, answered) == 40 && offsetof(struct statistics_client, latency) == 80,
               "electron/core/ring/statistics.ts reads it so");
_Static_assert(offsetof(struct statistics_page, client) == 128 && offsetof(struct statistics_page, requests) == 40, "and the page");

/**
 * Two buckets an octave: bucket 2k holds [2^k, 1.5 * 2^k) ns, bucket 2k + 1 [1.5 * 2^k, 2^(k+1)) ns, the last one all above.
 */
static inline unsigned statistics_bucket(uint64_t ns)
{
  if (ns < 2) return 0;
  unsigned octave = 63u - (unsigned)__builtin_clzll(ns);
  unsigned bucket = 2 * octave + (unsigned)((ns >> (octave - 1)) & 1u);
  return bucket < STATISTICS_BUCKETS ? bucket : STATISTICS_BUCKETS - 1;
}

/** The line that a service leaves behind, with its end. Returns its length, as snprintf(3). */
static inline int statistics_summary(char *text, size_t room, uint64_t hits, uint64_t misses)
{
  uint64_t all = hits + misses;
  return snprintf(text, room, "cache hit ratio: %.4f (%" PRIu64 " of %" PRIu64 " reads)\n", all ? (double)hits / (double)all : 0.0, hits, all);
}

/** Adds to a number that only the caller writes: no locked instruction is needed. */
#define statistics_add(word, by) atomic_store_explicit((word), atomic_load_explicit((word), memory_order_relaxed) + (by), memory_order_relaxed)
#define statistics_set(word, to) atomic_store_explicit((word), (to), memory_order_relaxed)
#define statistics_get(word) atomic_load_explicit((word), memory_order_relaxed)

#endif
