/*
 * Writer and reader under sanitizers, without Node: several threads save the same and different data at once, all is loaded back and
 * compared, and damaged and impossible input is survived. Prints "ok".
 */
#include "reader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK = 4096, THREADS = 4, BATCHES = 3, BATCH_CHUNKS = 300 };

#define NEED(condition)                                                                                                                    \
    do {                                                                                                                                   \
        if (!(condition)) {                                                                                                                \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                                                \
            exit(1);                                                                                                                       \
        }                                                                                                                                  \
    } while (0)

/* Every third chunk is the same in all threads, every seventh is zeros. */
static void fill(uint8_t *bytes, unsigned thread, unsigned batch)
{
    for (unsigned i = 0; i < BATCH_CHUNKS; i++) {
        uint32_t word = i % 7 == 0 ? 0 : i % 3 == 0 ? batch * BATCH_CHUNKS + i : (thread + 1) * 1000003 + batch * BATCH_CHUNKS + i;
        for (size_t at = 0; at < CHUNK; at += sizeof word) {
            if (word)
                word = word * 1664525 + 1013904223;
            memcpy(bytes + (size_t)i * CHUNK + at, &word, sizeof word);
        }
    }
}

struct saver {
    pthread_t thread;
    unsigned number;
    struct store_writer *writer;
    struct store_run runs[BATCHES][BATCH_CHUNKS];
    uint32_t run_count[BATCHES];
};

static void *save(void *data)
{
    struct saver *saver = data;
    uint8_t *bytes = malloc(BATCH_CHUNKS * CHUNK);
    for (unsigned batch = 0; batch < BATCHES; batch++) {
        fill(bytes, saver->number, batch);
        struct store_source source = {.fd = -1, .memory = bytes, .bytes = BATCH_CHUNKS * CHUNK};
        NEED(store_writer_add(saver->writer, &source, saver->runs[batch], &saver->run_count[batch]) == 0);
    }
    free(bytes);
    return NULL;
}

static struct store_loading loading_of(const struct store_writer *writer, const struct store_piece *pieces, size_t count, uint8_t *target, size_t bytes)
{
    return (struct store_loading){.pack_fd = writer->fd, .chunk_bytes = CHUNK, .frame_chunks = writer->frame_chunks, .frames = writer->frames,
        .chunks = writer->index.count, .frame = (const uint8_t *)writer->frame, .hashes = (const uint8_t *)writer->index.hash,
        .pieces = (const uint8_t *)pieces, .piece_count = count, .target_fd = -1, .target_memory = target, .target_bytes = bytes};
}

static void load_and_compare(const struct store_writer *writer, const struct saver *saver, unsigned batch)
{
    size_t bytes = BATCH_CHUNKS * CHUNK;
    uint8_t *wanted = malloc(bytes), *loaded = calloc(1, bytes);
    uint64_t offset = 0;
    fill(wanted, saver->number, batch);
    for (uint32_t i = 0; i < saver->run_count[batch]; i++) {
        struct store_run run = saver->runs[batch][i];
        struct store_piece piece = {run.first, run.chunks, offset};
        struct store_loading loading = loading_of(writer, &piece, 1, loaded, bytes);
        if (run.pack != STORE_ZEROS)
            NEED(store_load(&loading) == 0 && loading.bad_count == 0);
        offset += (uint64_t)run.chunks * CHUNK;
    }
    NEED(offset == bytes && memcmp(wanted, loaded, bytes) == 0);
    free(wanted);
    free(loaded);
}

/* Each byte of a frame in turn, and frames that lie elsewhere: damage is reported, or it does not matter; nothing else happens. */
static void survive_damage(struct store_writer *writer)
{
    struct store_piece all = {0, writer->index.count, 0}, beyond = {writer->index.count - 1, 2, 0};
    struct store_loading loading = loading_of(writer, &beyond, 1, NULL, 0);
    NEED(store_load(&loading) == -EINVAL);
    struct store_frame first = writer->frame[0];
    all.count = writer->frame_chunks;
    for (uint32_t at = 0; at < first.length; at += 97) {
        uint8_t byte;
        NEED(pread(writer->fd, &byte, 1, (off_t)(first.offset + at)) == 1);
        byte ^= 0x20;
        NEED(pwrite(writer->fd, &byte, 1, (off_t)(first.offset + at)) == 1);
        loading = loading_of(writer, &all, 1, NULL, 0);
        NEED(store_load(&loading) == 0);
        free(loading.bad);
        byte ^= 0x20;
        NEED(pwrite(writer->fd, &byte, 1, (off_t)(first.offset + at)) == 1);
    }
    struct store_frame wrong[] = {{first.offset, UINT32_MAX, 0}, {UINT64_MAX, 10, 0}, {writer->end, 100, 0}, {first.offset, 0, 0}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        writer->frame[0] = wrong[i];
        loading = loading_of(writer, &all, 1, NULL, 0);
        NEED(store_load(&loading) == 0 && loading.bad_count == all.count);
        free(loading.bad);
    }
    writer->frame[0] = first;
}

int main(void)
{
    char name[] = "/tmp/strata-store-XXXXXX";
    int fd = mkstemp(name);
    NEED(fd >= 0 && unlink(name) == 0);
    struct store_writer *writer = store_writer_new(CHUNK, 64 * 1024, 1);
    struct saver *savers = calloc(THREADS, sizeof *savers);
    NEED(writer && savers);
    store_writer_turn(writer, fd, 0, 24);
    for (unsigned i = 0; i < THREADS; i++) {
        savers[i].number = i, savers[i].writer = writer;
        NEED(pthread_create(&savers[i].thread, NULL, save, &savers[i]) == 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        NEED(pthread_join(savers[i].thread, NULL) == 0);
    NEED(store_writer_finish(writer) == 0);
    for (unsigned i = 0; i < THREADS; i++)
        for (unsigned batch = 0; batch < BATCHES; batch++)
            load_and_compare(writer, &savers[i], batch);
    survive_damage(writer);
    uint32_t before = writer->index.count, runs;
    struct store_run *again = calloc(BATCH_CHUNKS, sizeof *again);
    uint8_t *bytes = malloc(BATCH_CHUNKS * CHUNK);
    fill(bytes, 0, 0);
    struct store_source source = {.fd = -1, .memory = bytes, .bytes = BATCH_CHUNKS * CHUNK};
    NEED(store_writer_add(writer, &source, again, &runs) == 0 && writer->index.count == before);
    /* An error stays: what is saved together is given up together. */
    store_writer_turn(writer, -1, 1, 0);
    fill(bytes, 77, 77);
    NEED(store_writer_add(writer, &source, again, &runs) == -EBADF);
    source.bytes = 0;
    NEED(store_writer_add(writer, &source, again, &runs) == -EBADF && store_writer_finish(writer) == -EBADF);
    store_writer_free(writer);
    free(again);
    free(bytes);
    free(savers);
    close(fd);
    puts("ok");
    return 0;
}
