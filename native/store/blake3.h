/* BLAKE3 (https://github.com/BLAKE3-team/BLAKE3-specs) of many blocks of one size at a time, side by side in vector lanes. */
#ifndef STRATA_STORE_BLAKE3_H
#define STRATA_STORE_BLAKE3_H
#include <stddef.h>
#include <stdint.h>

enum { BLAKE3_BYTES = 32, BLAKE3_LEAF_BYTES = 1024, BLAKE3_LEAST_BYTES = 2 * BLAKE3_LEAF_BYTES };

/* Room that `blake3_many` needs for its work, in bytes. */
static inline size_t blake3_scratch_bytes(size_t blocks, size_t block_bytes)
{
    return blocks * (block_bytes / BLAKE3_LEAF_BYTES) * BLAKE3_BYTES;
}

/*
 * Hashes `blocks` blocks of `block_bytes` each, a power of two of at least BLAKE3_LEAST_BYTES: the tree over a block's leaves is then
 * a full one. `out` takes BLAKE3_BYTES a block.
 */
void blake3_many(const uint8_t *const *block, size_t blocks, size_t block_bytes, uint8_t *out, uint32_t *scratch);

#endif
