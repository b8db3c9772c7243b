/* Loading: takes chunks out of a pack, checks each by its hash, and puts them where they belong. */
#ifndef STRATA_STORE_READER_H
#define STRATA_STORE_READER_H
#include "writer.h"

/* `count` chunks from number `first` on go to `offset` of the target. */
struct store_piece {
    uint32_t first, count;
    uint64_t offset;
};

struct store_loading {
    /* The pack: its file, and what its footer says. */
    int pack_fd;
    uint32_t chunk_bytes, frame_chunks, frames, chunks;
    const uint8_t *frame; /* struct store_frame each; not aligned */
    const uint8_t *hashes;
    const uint8_t *pieces; /* struct store_piece each, by their first chunk; not aligned */
    size_t piece_count;
    /* A file, memory, or neither: then the chunks are only checked. What lies beyond `target_bytes` is left out. */
    int target_fd;
    uint8_t *target_memory;
    uint64_t target_bytes;
    /* The result: the numbers of chunks that are damaged or cannot be read. To be freed by the caller. */
    uint32_t *bad;
    size_t bad_count, bad_capacity;
};

/* Returns 0, also with damaged chunks, or -errno: what went wrong with the target, or -EINVAL for pieces that do not exist. */
int store_load(struct store_loading *loading);

#endif
