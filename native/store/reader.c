#include "reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

/* The frame that was uncompressed last. */
struct unpacked {
    ZSTD_DCtx *zstd;
    uint8_t *bytes, *compressed, *hashes;
    size_t compressed_bytes;
    const uint8_t **block;
    uint32_t *scratch, *which;
    uint8_t *state; /* of each chunk: not looked at, good, bad */
    uint32_t number, chunks;
};
enum { UNKNOWN, GOOD, BAD };

static void unpacked_free(struct unpacked *frame)
{
    ZSTD_freeDCtx(frame->zstd);
    free(frame->bytes);
    free(frame->compressed);
    free(frame->hashes);
    free(frame->block);
    free(frame->scratch);
    free(frame->which);
    free(frame->state);
}

static int unpacked_init(struct unpacked *frame, const struct store_loading *loading)
{
    size_t chunks = loading->frame_chunks, bytes = chunks * loading->chunk_bytes;
    frame->number = UINT32_MAX;
    frame->zstd = ZSTD_createDCtx();
    frame->compressed_bytes = ZSTD_compressBound(bytes);
    frame->bytes = malloc(bytes);
    frame->compressed = malloc(frame->compressed_bytes);
    frame->hashes = malloc(chunks * BLAKE3_BYTES);
    frame->block = malloc(chunks * sizeof *frame->block);
    frame->scratch = malloc(blake3_scratch_bytes(chunks, loading->chunk_bytes));
    frame->which = malloc(chunks * sizeof *frame->which);
    frame->state = malloc(chunks);
    return frame->zstd && frame->bytes && frame->compressed && frame->hashes && frame->block && frame->scratch && frame->which && frame->state ? 0 : -ENOMEM;
}

static int read_frame(const struct store_loading *loading, struct unpacked *frame, struct store_frame where)
{
    if (where.length > frame->compressed_bytes)
        return -EIO;
    for (size_t done = 0; done < where.length;) {
        ssize_t got = pread(loading->pack_fd, frame->compressed + done, where.length - done, (off_t)(where.offset + done));
        if (got == 0 || (got < 0 && errno != EINTR))
            return -EIO;
        if (got > 0)
            done += (size_t)got;
    }
    size_t bytes = (size_t)frame->chunks * loading->chunk_bytes;
    return ZSTD_decompressDCtx(frame->zstd, frame->bytes, bytes, frame->compressed, where.length) == bytes ? 0 : -EIO;
}

/* A frame that cannot be read makes all of its chunks bad: that is for who asks for them. */
static void unpack(const struct store_loading *loading, struct unpacked *frame, uint32_t number)
{
    struct store_frame where;
    memcpy(&where, loading->frame + (size_t)number * sizeof where, sizeof where);
    uint32_t left = loading->chunks - number * loading->frame_chunks;
    frame->number = number, frame->chunks = left < loading->frame_chunks ? left : loading->frame_chunks;
    memset(frame->state, read_frame(loading, frame, where) == 0 ? UNKNOWN : BAD, loading->frame_chunks);
}

static void check(const struct store_loading *loading, struct unpacked *frame, uint32_t first, uint32_t count)
{
    uint32_t asked = 0;
    for (uint32_t i = first; i < first + count; i++)
        if (frame->state[i] == UNKNOWN)
            frame->which[asked] = i, frame->block[asked++] = frame->bytes + (size_t)i * loading->chunk_bytes;
    blake3_many(frame->block, asked, loading->chunk_bytes, frame->hashes, frame->scratch);
    const uint8_t *wanted = loading->hashes + (size_t)frame->number * loading->frame_chunks * BLAKE3_BYTES;
    for (uint32_t i = 0; i < asked; i++) {
        uint32_t chunk = frame->which[i];
        int same = memcmp(frame->hashes + (size_t)i * BLAKE3_BYTES, wanted + (size_t)chunk * BLAKE3_BYTES, BLAKE3_BYTES) == 0;
        frame->state[chunk] = same ? GOOD : BAD;
    }
}

static int report(struct store_loading *loading, const struct unpacked *frame, uint32_t first, uint32_t count)
{
    for (uint32_t i = first; i < first + count; i++) {
        if (frame->state[i] != BAD)
            continue;
        if (loading->bad_count == loading->bad_capacity) {
            size_t capacity = loading->bad_capacity ? loading->bad_capacity * 2 : 64;
            uint32_t *bad = realloc(loading->bad, capacity * sizeof *bad);
            if (!bad)
                return -ENOMEM;
            loading->bad = bad, loading->bad_capacity = capacity;
        }
        loading->bad[loading->bad_count++] = frame->number * loading->frame_chunks + i;
    }
    return 0;
}

static int deliver(const struct store_loading *loading, const uint8_t *bytes, size_t count, uint64_t offset)
{
    if (offset >= loading->target_bytes)
        return 0;
    if (count > loading->target_bytes - offset)
        count = (size_t)(loading->target_bytes - offset);
    if (loading->target_memory)
        memcpy(loading->target_memory + offset, bytes, count);
    while (!loading->target_memory && loading->target_fd >= 0 && count > 0) {
        ssize_t put = pwrite(loading->target_fd, bytes, count, (off_t)offset);
        if (put < 0 && errno != EINTR)
            return -errno;
        if (put > 0)
            bytes += put, count -= (size_t)put, offset += (uint64_t)put;
    }
    return 0;
}

static int load_piece(struct store_loading *loading, struct unpacked *frame, struct store_piece piece)
{
    if (piece.first > loading->chunks || piece.count > loading->chunks - piece.first)
        return -EINVAL;
    while (piece.count > 0) {
        uint32_t number = piece.first / loading->frame_chunks, first = piece.first % loading->frame_chunks;
        uint32_t room = loading->frame_chunks - first, count = piece.count < room ? piece.count : room;
        if (frame->number != number)
            unpack(loading, frame, number);
        check(loading, frame, first, count);
        size_t bytes = (size_t)count * loading->chunk_bytes;
        int error = report(loading, frame, first, count);
        if (!error)
            error = deliver(loading, frame->bytes + (size_t)first * loading->chunk_bytes, bytes, piece.offset);
        if (error)
            return error;
        piece.first += count, piece.count -= count, piece.offset += bytes;
    }
    return 0;
}

int store_load(struct store_loading *loading)
{
    if ((uint64_t)loading->frames * loading->frame_chunks < loading->chunks)
        return -EINVAL;
    struct unpacked frame = {0};
    int error = unpacked_init(&frame, loading);
    for (size_t i = 0; !error && i < loading->piece_count; i++) {
        struct store_piece piece;
        memcpy(&piece, loading->pieces + i * sizeof piece, sizeof piece);
        error = load_piece(loading, &frame, piece);
    }
    unpacked_free(&frame);
    return error;
}
