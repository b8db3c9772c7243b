#define _GNU_SOURCE
#include "writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

struct store_workspace {
    struct store_workspace *next;
    ZSTD_CCtx *zstd;
    uint8_t *input, *compressed, *hashes;
    size_t compressed_bytes;
    const uint8_t **block; /* the chunks that are not zeros */
    uint32_t *scratch;
    struct store_place *place; /* one for each chunk of the batch */
    uint8_t **full;            /* frames that this batch has filled */
    uint32_t *full_number;
};

struct store_writer *store_writer_new(uint32_t chunk_bytes, uint32_t frame_bytes, int level)
{
    struct store_writer *writer = calloc(1, sizeof *writer);
    if (!writer)
        return NULL;
    pthread_mutex_init(&writer->lock, NULL);
    writer->chunk_bytes = chunk_bytes, writer->level = level, writer->fd = -1;
    writer->frame_chunks = frame_bytes > chunk_bytes ? frame_bytes / chunk_bytes : 1;
    return writer;
}

static void workspace_free(struct store_workspace *space)
{
    ZSTD_freeCCtx(space->zstd);
    free(space->input);
    free(space->compressed);
    free(space->hashes);
    free(space->block);
    free(space->scratch);
    free(space->place);
    free(space->full);
    free(space->full_number);
    free(space);
}

void store_writer_free(struct store_writer *writer)
{
    while (writer->idle) {
        struct store_workspace *space = writer->idle;
        writer->idle = space->next;
        workspace_free(space);
    }
    for (uint32_t i = 0; i < writer->spares; i++)
        free(writer->spare[i]);
    free(writer->spare);
    free(writer->open);
    free(writer->frame);
    store_index_free(&writer->index);
    pthread_mutex_destroy(&writer->lock);
    free(writer);
}

static size_t batch_bytes(const struct store_writer *writer)
{
    return writer->chunk_bytes > STORE_BATCH_BYTES ? writer->chunk_bytes : STORE_BATCH_BYTES;
}

static size_t frame_bytes(const struct store_writer *writer)
{
    return (size_t)writer->frame_chunks * writer->chunk_bytes;
}

static struct store_workspace *workspace_new(const struct store_writer *writer)
{
    struct store_workspace *space = calloc(1, sizeof *space);
    if (!space)
        return NULL;
    size_t chunks = batch_bytes(writer) / writer->chunk_bytes, frames = chunks / writer->frame_chunks + 2;
    space->zstd = ZSTD_createCCtx();
    space->input = malloc(batch_bytes(writer));
    space->compressed_bytes = ZSTD_compressBound(frame_bytes(writer));
    space->compressed = malloc(space->compressed_bytes);
    space->hashes = malloc(chunks * BLAKE3_BYTES);
    space->block = malloc(chunks * sizeof *space->block);
    space->scratch = malloc(blake3_scratch_bytes(chunks, writer->chunk_bytes));
    space->place = malloc(chunks * sizeof *space->place);
    space->full = malloc(frames * sizeof *space->full);
    space->full_number = malloc(frames * sizeof *space->full_number);
    if (space->zstd && space->input && space->compressed && space->hashes && space->block && space->scratch && space->place && space->full && space->full_number)
        return space;
    workspace_free(space);
    return NULL;
}

static struct store_workspace *take_workspace(struct store_writer *writer)
{
    pthread_mutex_lock(&writer->lock);
    struct store_workspace *space = writer->idle;
    if (space)
        writer->idle = space->next;
    pthread_mutex_unlock(&writer->lock);
    return space ? space : workspace_new(writer);
}

/* The first error stays. */
static int failed(struct store_writer *writer, int error)
{
    pthread_mutex_lock(&writer->lock);
    if (error < 0 && !writer->error)
        writer->error = error;
    error = writer->error;
    pthread_mutex_unlock(&writer->lock);
    return error;
}

int store_writer_know(struct store_writer *writer, uint32_t pack, const uint8_t *hashes, uint32_t count, const uint8_t *skip)
{
    int added, error = store_index_reserve(&writer->index, count);
    for (uint32_t number = 0; !error && number < count; number++)
        if (!skip || !skip[number])
            store_index_put(&writer->index, hashes + (size_t)number * BLAKE3_BYTES, (struct store_place){pack, number}, &added);
    return error;
}

void store_writer_turn(struct store_writer *writer, int fd, uint32_t pack, uint64_t start)
{
    writer->fd = fd, writer->pack = pack, writer->end = start;
    writer->first_entry = writer->index.count, writer->frames = 0, writer->open_chunks = 0;
}

static int read_all(const struct store_source *source, uint8_t *into)
{
    if (source->fd < 0) {
        memcpy(into, source->memory, source->bytes);
        return 0;
    }
    for (size_t done = 0; done < source->bytes;) {
        ssize_t got = pread(source->fd, into + done, source->bytes - done, source->offset + (off_t)done);
        if (got == 0)
            return -ESTALE;
        if (got < 0 && errno != EINTR)
            return -errno;
        if (got > 0)
            done += (size_t)got;
    }
    return 0;
}

static int write_all(int fd, const uint8_t *bytes, size_t count, uint64_t offset)
{
    while (count > 0) {
        ssize_t put = pwrite(fd, bytes, count, (off_t)offset);
        if (put < 0 && errno != EINTR)
            return -errno;
        if (put > 0)
            bytes += put, count -= (size_t)put, offset += (uint64_t)put;
    }
    return 0;
}

static int is_zero(const uint8_t *bytes, size_t count)
{
    for (size_t at = 0; at < count; at += 256) {
        uint64_t word[32], any = 0;
        memcpy(word, bytes + at, sizeof word);
        for (int i = 0; i < 32; i++)
            any |= word[i];
        if (any)
            return 0;
    }
    return 1;
}

/* A buffer for a frame. Called with the lock held. */
static uint8_t *take_buffer(struct store_writer *writer)
{
    return writer->spares > 0 ? writer->spare[--writer->spares] : malloc(frame_bytes(writer));
}

static void give_buffer(struct store_writer *writer, uint8_t *buffer)
{
    pthread_mutex_lock(&writer->lock);
    if (writer->spares == writer->spare_capacity) {
        uint32_t capacity = writer->spare_capacity ? writer->spare_capacity * 2 : 64;
        uint8_t **spare = realloc(writer->spare, capacity * sizeof *spare);
        if (spare)
            writer->spare = spare, writer->spare_capacity = capacity;
    }
    if (writer->spares < writer->spare_capacity)
        writer->spare[writer->spares++] = buffer, buffer = NULL;
    pthread_mutex_unlock(&writer->lock);
    free(buffer);
}

/* Begins frame `writer->frames`. Called with the lock held. */
static int open_frame(struct store_writer *writer)
{
    if (writer->frames == writer->frame_capacity) {
        uint32_t capacity = writer->frame_capacity ? writer->frame_capacity * 2 : 256;
        struct store_frame *frame = realloc(writer->frame, capacity * sizeof *frame);
        if (!frame)
            return -ENOMEM;
        writer->frame = frame, writer->frame_capacity = capacity;
    }
    if (!writer->open)
        writer->open = take_buffer(writer);
    if (!writer->open)
        return -ENOMEM;
    writer->frames++;
    return 0;
}

/*
 * Finds or enters the chunks of a batch. New ones are numbered in the order of the file, whatever the other threads do, and
 * copied into the open frame; frames that became full are handed to this thread.
 */
static int enter_chunks(struct store_writer *writer, struct store_workspace *space, uint32_t chunks, uint32_t *full)
{
    int error = store_index_reserve(&writer->index, chunks);
    for (uint32_t i = 0, hashed = 0; !error && i < chunks; i++) {
        if (space->place[i].pack == STORE_ZEROS)
            continue;
        int added;
        struct store_place next = {writer->pack, writer->index.count - writer->first_entry};
        space->place[i] = store_index_put(&writer->index, space->hashes + (size_t)hashed++ * BLAKE3_BYTES, next, &added);
        if (!added)
            continue;
        if (writer->open_chunks == 0 && (error = open_frame(writer)) != 0)
            break;
        memcpy(writer->open + (size_t)writer->open_chunks++ * writer->chunk_bytes, space->input + (size_t)i * writer->chunk_bytes, writer->chunk_bytes);
        if (writer->open_chunks < writer->frame_chunks)
            continue;
        space->full[*full] = writer->open, space->full_number[(*full)++] = writer->frames - 1;
        writer->open = NULL, writer->open_chunks = 0;
    }
    return error;
}

static int write_frame(struct store_writer *writer, struct store_workspace *space, const uint8_t *bytes, size_t count, uint32_t number)
{
    size_t length = ZSTD_compressCCtx(space->zstd, space->compressed, space->compressed_bytes, bytes, count, writer->level);
    if (ZSTD_isError(length))
        return -ENOMEM;
    pthread_mutex_lock(&writer->lock);
    uint64_t offset = writer->end;
    writer->end += length;
    writer->frame[number] = (struct store_frame){offset, (uint32_t)length, 0};
    pthread_mutex_unlock(&writer->lock);
    int error = write_all(writer->fd, space->compressed, length, offset);
    /* The disk begins at once, so that there is little left to wait for at the end. A hint: what it answers does not matter. */
    if (!error)
        (void)!sync_file_range(writer->fd, (off_t)offset, (off_t)length, SYNC_FILE_RANGE_WRITE);
    return error;
}

static uint32_t runs_of(const struct store_place *place, uint32_t chunks, struct store_run *runs)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < chunks; i++) {
        struct store_run *last = count ? &runs[count - 1] : NULL;
        int zeros = place[i].pack == STORE_ZEROS;
        if (last && last->pack == place[i].pack && (zeros || last->first + last->chunks == place[i].number))
            last->chunks++;
        else
            runs[count++] = (struct store_run){1, place[i].pack, zeros ? 0 : place[i].number};
    }
    return count;
}

static int add_batch(struct store_writer *writer, struct store_workspace *space, const struct store_source *source, struct store_run *runs, uint32_t *run_count)
{
    uint32_t chunks = (uint32_t)((source->bytes + writer->chunk_bytes - 1) / writer->chunk_bytes), hashed = 0, full = 0;
    if (source->bytes > batch_bytes(writer))
        return -EINVAL;
    int error = read_all(source, space->input);
    if (error)
        return error;
    memset(space->input + source->bytes, 0, (size_t)chunks * writer->chunk_bytes - source->bytes);
    for (uint32_t i = 0; i < chunks; i++) {
        const uint8_t *chunk = space->input + (size_t)i * writer->chunk_bytes;
        space->place[i] = (struct store_place){STORE_ZEROS, 0};
        if (!is_zero(chunk, writer->chunk_bytes))
            space->place[i].pack = 0, space->block[hashed++] = chunk;
    }
    blake3_many(space->block, hashed, writer->chunk_bytes, space->hashes, space->scratch);
    pthread_mutex_lock(&writer->lock);
    error = writer->error ? writer->error : enter_chunks(writer, space, chunks, &full);
    pthread_mutex_unlock(&writer->lock);
    for (uint32_t i = 0; i < full; i++) {
        if (!error)
            error = write_frame(writer, space, space->full[i], frame_bytes(writer), space->full_number[i]);
        give_buffer(writer, space->full[i]);
    }
    *run_count = runs_of(space->place, chunks, runs);
    return error;
}

int store_writer_add(struct store_writer *writer, const struct store_source *source, struct store_run *runs, uint32_t *run_count)
{
    struct store_workspace *space = take_workspace(writer);
    if (!space)
        return failed(writer, -ENOMEM);
    int error = failed(writer, add_batch(writer, space, source, runs, run_count));
    pthread_mutex_lock(&writer->lock);
    space->next = writer->idle, writer->idle = space;
    pthread_mutex_unlock(&writer->lock);
    return error;
}

int store_writer_finish(struct store_writer *writer)
{
    if (writer->error || writer->open_chunks == 0)
        return writer->error;
    struct store_workspace *space = take_workspace(writer);
    if (!space)
        return failed(writer, -ENOMEM);
    int error = write_frame(writer, space, writer->open, (size_t)writer->open_chunks * writer->chunk_bytes, writer->frames - 1);
    space->next = writer->idle, writer->idle = space;
    writer->open_chunks = 0;
    return failed(writer, error);
}
