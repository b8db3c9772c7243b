/**
 * Sectors that were read before, in at most so many bytes, bookkeeping included.
 *
 * S3-FIFO (Yang and others, "FIFO queues are all you need for cache eviction", SOSP 2023): three queues, first in, first out.
 * A new sector enters the small queue, a tenth of the room. If nobody asks for it again before it reaches the queue's end, it
 * goes, and only its number is remembered for a while (ghost); if somebody did, it moves to the main queue. A sector that comes
 * back while it is remembered enters the main queue at once. In the main queue a sector that was asked for since it was last
 * at the end goes round again. So a scan of the image, which asks for each sector once, passes through the small queue only
 * and leaves the main queue as it was; and a hit writes one byte.
 *
 * One thread uses it.
 */
#ifndef SERVICE_CACHE_H
#define SERVICE_CACHE_H

#include <stddef.h>
#include <stdint.h>

struct cache;

/** A cache in at most `bytes`. With too few for one sector it stays empty. NULL: no memory. */
struct cache *cache_make(size_t bytes);
void cache_free(struct cache *cache);

/** The sector's 512 bytes, valid until the next cache_put(), or NULL. */
const unsigned char *cache_get(struct cache *cache, uint64_t sector);

/** Keeps a copy of the sector, in the place of another if need be. */
void cache_put(struct cache *cache, uint64_t sector, const unsigned char *data);

/** Sectors that fit, and bytes that all of it takes. */
uint32_t cache_capacity(const struct cache *cache);
size_t cache_bytes(const struct cache *cache);

#endif
