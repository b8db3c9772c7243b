/* What is stored already: from the hash of a chunk to its place. In memory, built anew from the packs for each saving. */
#ifndef STRATA_STORE_INDEX_H
#define STRATA_STORE_INDEX_H
#include "blake3.h"

/* A chunk: the `number`th of the pack that the caller knows as `pack`. */
struct store_place {
    uint32_t pack, number;
};

/* About 48 bytes a chunk. */
struct store_index {
    uint8_t (*hash)[BLAKE3_BYTES];
    struct store_place *place;
    /* Open addressing; the position of the entry in `hash` and `place`, plus one; 0 is free. */
    uint32_t *table;
    uint32_t count, capacity, mask;
};

/* Makes room for `more` entries. Returns 0, -ENOMEM, or -EOVERFLOW beyond four thousand million chunks. */
int store_index_reserve(struct store_index *index, uint32_t more);
/*
 * Answers where the chunk is, and enters it at `place` if it was not known (`*added` tells). Needs room for one more.
 */
struct store_place store_index_put(struct store_index *index, const uint8_t hash[BLAKE3_BYTES], struct store_place place, int *added);
void store_index_free(struct store_index *index);

#endif
