/* Saving: finds the chunks of a file that are not stored yet, and appends them to a pack. */
#ifndef STRATA_STORE_WRITER_H
#define STRATA_STORE_WRITER_H
#include "index.h"

#include <pthread.h>
#include <sys/types.h>

/* `chunks` chunks that follow each other in the file and in the pack; a pack of STORE_ZEROS: so many chunks of zeros. */
struct store_run {
    uint32_t chunks, pack, first;
};
#define STORE_ZEROS UINT32_MAX

/* Where a frame lies in its pack. Frame `n` holds the chunks from `n * frame_chunks` on, compressed together. */
struct store_frame {
    uint64_t offset;
    uint32_t length, reserved;
};

struct store_source {
    int fd; /* -1: `memory` is the source */
    off_t offset;
    const uint8_t *memory;
    size_t bytes;
};

/* Room for one batch. */
struct store_workspace;

/*
 * One saving. `store_writer_add` may run in several threads at once; everything else only while no other call runs.
 * The first error stays: whatever was saved together is given up together.
 */
struct store_writer {
    pthread_mutex_t lock;
    struct store_index index;
    uint32_t chunk_bytes, frame_chunks;
    int level, error;
    /* The pack that is being written. */
    int fd;
    uint32_t pack, first_entry;
    uint64_t end;
    struct store_frame *frame;
    uint32_t frames, frame_capacity;
    /* The frame that is being filled, and buffers for others. */
    uint8_t *open;
    uint32_t open_chunks;
    uint8_t **spare;
    uint32_t spares, spare_capacity;
    struct store_workspace *idle;
};

/* How much one call of `store_writer_add` takes at most, unless a chunk is bigger. */
enum { STORE_BATCH_BYTES = 4 << 20 };

/* @param chunk_bytes a power of two, at least BLAKE3_LEAST_BYTES; a frame has about `frame_bytes` before it is compressed. */
struct store_writer *store_writer_new(uint32_t chunk_bytes, uint32_t frame_bytes, int level);
void store_writer_free(struct store_writer *writer);
/* Chunks that are stored already: number n of `pack` has the nth hash. Where `skip[n]` is not 0 it is not to be used. */
int store_writer_know(struct store_writer *writer, uint32_t pack, const uint8_t *hashes, uint32_t count, const uint8_t *skip);
/* From here on new chunks go to this file, from `start` on. */
void store_writer_turn(struct store_writer *writer, int fd, uint32_t pack, uint64_t start);
/*
 * Saves a piece of a file; its last chunk is filled up with zeros. `runs` has room for a run a chunk.
 * Returns 0 or -errno: -ESTALE when the source is shorter than said.
 */
int store_writer_add(struct store_writer *writer, const struct store_source *source, struct store_run *runs, uint32_t *run_count);
/* Writes the frame that is not full yet. The pack's hashes are those of the index from `first_entry` on. */
int store_writer_finish(struct store_writer *writer);

#endif
