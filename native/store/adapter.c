/*
 * Node-API: writer and reader for JavaScript. What may take long runs in Node's thread pool and answers with a promise; buffers
 * that such a call was given are kept until then, and must not be changed meanwhile.
 */
#define _GNU_SOURCE
#include "reader.h"

#include <errno.h>
#include <node_api.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_ARGUMENTS = 8, KEPT = 4 };

/* One call that runs in the thread pool. */
struct call {
    napi_async_work work;
    napi_deferred deferred;
    napi_ref kept[KEPT];
    int kept_count, error;
    void (*run)(struct call *);
    napi_value (*answer)(napi_env, struct call *);
    struct store_writer *writer;
    struct store_source source;
    uint32_t pack, count;
    const uint8_t *bytes, *skip;
    struct store_run *runs;
    struct store_loading loading;
    uint64_t *extents;
    size_t extent_count;
};

static napi_value throw_errno(napi_env env, int error)
{
    napi_throw_error(env, strerrorname_np(-error), strerror(-error));
    return NULL;
}

static int arguments(napi_env env, napi_callback_info info, size_t wanted, napi_value *into)
{
    size_t count = wanted;
    if (napi_get_cb_info(env, info, &count, into, NULL, NULL) == napi_ok && count >= wanted)
        return 1;
    napi_throw_type_error(env, NULL, "too few arguments");
    return 0;
}

static int64_t integer(napi_env env, napi_value value)
{
    int64_t number = 0;
    if (napi_get_value_int64(env, value, &number) != napi_ok)
        napi_throw_type_error(env, NULL, "a number is needed");
    return number;
}

/* The bytes of a Buffer; none of null. */
static uint8_t *bytes_of(napi_env env, napi_value value, size_t *count)
{
    bool is_buffer = false;
    void *bytes = NULL;
    *count = 0;
    if (napi_is_buffer(env, value, &is_buffer) == napi_ok && is_buffer)
        napi_get_buffer_info(env, value, &bytes, count);
    return bytes;
}

static struct store_writer *writer_of(napi_env env, napi_value value)
{
    void *writer = NULL;
    if (napi_get_value_external(env, value, &writer) != napi_ok)
        napi_throw_type_error(env, NULL, "a writer is needed");
    return writer;
}

static napi_value copied(napi_env env, const void *bytes, size_t count)
{
    napi_value buffer = NULL;
    napi_create_buffer_copy(env, count, bytes, NULL, &buffer);
    return buffer;
}

static void call_free(napi_env env, struct call *call)
{
    for (int i = 0; i < call->kept_count; i++)
        napi_delete_reference(env, call->kept[i]);
    if (call->work)
        napi_delete_async_work(env, call->work);
    free(call->runs);
    free(call->loading.bad);
    free(call->extents);
    free(call);
}

static void keep(napi_env env, struct call *call, napi_value value)
{
    napi_valuetype type;
    if (napi_typeof(env, value, &type) == napi_ok && type == napi_object && napi_create_reference(env, value, 1, &call->kept[call->kept_count]) == napi_ok)
        call->kept_count++;
    else if (type == napi_external && napi_create_reference(env, value, 1, &call->kept[call->kept_count]) == napi_ok)
        call->kept_count++;
}

static void execute(napi_env env, void *data)
{
    (void)env;
    struct call *call = data;
    call->run(call);
}

static void complete(napi_env env, napi_status status, void *data)
{
    struct call *call = data;
    int error = status == napi_ok ? call->error : -ECANCELED;
    if (error) {
        napi_value code, message, thrown;
        napi_create_string_utf8(env, strerrorname_np(-error), NAPI_AUTO_LENGTH, &code);
        napi_create_string_utf8(env, strerror(-error), NAPI_AUTO_LENGTH, &message);
        napi_create_error(env, code, message, &thrown);
        napi_reject_deferred(env, call->deferred, thrown);
    } else
        napi_resolve_deferred(env, call->deferred, call->answer(env, call));
    call_free(env, call);
}

static napi_value start(napi_env env, struct call *call)
{
    napi_value promise, name;
    bool thrown = false;
    napi_is_exception_pending(env, &thrown);
    if (thrown || napi_create_promise(env, &call->deferred, &promise) != napi_ok) {
        call_free(env, call);
        return NULL;
    }
    napi_create_string_utf8(env, "strata-store", NAPI_AUTO_LENGTH, &name);
    if (napi_create_async_work(env, NULL, name, execute, complete, call, &call->work) == napi_ok && napi_queue_async_work(env, call->work) == napi_ok)
        return promise;
    call_free(env, call);
    napi_throw_error(env, NULL, "the work could not be queued");
    return NULL;
}

static struct call *call_new(void (*run)(struct call *), napi_value (*answer)(napi_env, struct call *))
{
    struct call *call = calloc(1, sizeof *call);
    if (call)
        call->run = run, call->answer = answer;
    return call;
}

static napi_value answer_nothing(napi_env env, struct call *call)
{
    (void)call;
    napi_value undefined;
    napi_get_undefined(env, &undefined);
    return undefined;
}

/* hash(buffer, blockBytes) -> Buffer: BLAKE3 of each block. */
static napi_value js_hash(napi_env env, napi_callback_info info)
{
    napi_value argument[2];
    size_t count;
    if (!arguments(env, info, 2, argument))
        return NULL;
    const uint8_t *bytes = bytes_of(env, argument[0], &count);
    size_t block_bytes = (size_t)integer(env, argument[1]), blocks = block_bytes >= BLAKE3_LEAST_BYTES ? count / block_bytes : 0;
    if (block_bytes < BLAKE3_LEAST_BYTES || (block_bytes & (block_bytes - 1)) != 0)
        return throw_errno(env, -EINVAL);
    uint8_t *hashes = malloc(blocks * BLAKE3_BYTES + 1);
    uint32_t *scratch = malloc(blake3_scratch_bytes(blocks, block_bytes) + 1);
    const uint8_t **block = malloc((blocks + 1) * sizeof *block);
    napi_value result = NULL;
    if (hashes && scratch && block) {
        for (size_t i = 0; i < blocks; i++)
            block[i] = bytes + i * block_bytes;
        blake3_many(block, blocks, block_bytes, hashes, scratch);
        result = copied(env, hashes, blocks * BLAKE3_BYTES);
    } else
        throw_errno(env, -ENOMEM);
    free(hashes);
    free(scratch);
    free(block);
    return result;
}

static void release_writer(napi_env env, void *data, void *hint)
{
    (void)env, (void)hint;
    store_writer_free(data);
}

/* writer(chunkBytes, frameBytes, level) -> writer */
static napi_value js_writer(napi_env env, napi_callback_info info)
{
    napi_value argument[3], external = NULL;
    if (!arguments(env, info, 3, argument))
        return NULL;
    int64_t chunk_bytes = integer(env, argument[0]), frame_bytes = integer(env, argument[1]);
    if (chunk_bytes < BLAKE3_LEAST_BYTES || chunk_bytes > STORE_BATCH_BYTES || (chunk_bytes & (chunk_bytes - 1)) != 0 || frame_bytes > STORE_BATCH_BYTES)
        return throw_errno(env, -EINVAL);
    struct store_writer *writer = store_writer_new((uint32_t)chunk_bytes, (uint32_t)frame_bytes, (int)integer(env, argument[2]));
    if (!writer)
        return throw_errno(env, -ENOMEM);
    if (napi_create_external(env, writer, release_writer, NULL, &external) != napi_ok)
        store_writer_free(writer);
    return external;
}

/* turn(writer, fd, pack, start): new chunks go there from here on. */
static napi_value js_turn(napi_env env, napi_callback_info info)
{
    napi_value argument[4];
    struct store_writer *writer;
    if (arguments(env, info, 4, argument) && (writer = writer_of(env, argument[0])) != NULL)
        store_writer_turn(writer, (int)integer(env, argument[1]), (uint32_t)integer(env, argument[2]), (uint64_t)integer(env, argument[3]));
    return NULL;
}

static void run_know(struct call *call)
{
    call->error = store_writer_know(call->writer, call->pack, call->bytes, call->count, call->skip);
}

/* know(writer, pack, hashes, skip) -> Promise: chunks that are stored already; `skip` has a byte for each, or is null. */
static napi_value js_know(napi_env env, napi_callback_info info)
{
    napi_value argument[4];
    size_t bytes, skipped;
    struct call *call = arguments(env, info, 4, argument) ? call_new(run_know, answer_nothing) : NULL;
    if (!call)
        return NULL;
    call->writer = writer_of(env, argument[0]);
    call->pack = (uint32_t)integer(env, argument[1]);
    call->bytes = bytes_of(env, argument[2], &bytes);
    call->skip = bytes_of(env, argument[3], &skipped);
    call->count = (uint32_t)(bytes / BLAKE3_BYTES);
    if (call->skip && skipped < call->count)
        napi_throw_range_error(env, NULL, "skip is too short");
    for (int i = 0; i < 4; i++)
        keep(env, call, argument[i]);
    return start(env, call);
}

static void run_add(struct call *call)
{
    size_t chunks = call->source.bytes / call->writer->chunk_bytes + 1;
    call->runs = malloc(chunks * sizeof *call->runs);
    call->error = call->runs ? store_writer_add(call->writer, &call->source, call->runs, &call->count) : -ENOMEM;
}

static napi_value answer_runs(napi_env env, struct call *call)
{
    return copied(env, call->runs, call->count * sizeof *call->runs);
}

/* add(writer, fd, offset, bytes) or add(writer, buffer, 0, bytes) -> Promise<Buffer of struct store_run> */
static napi_value js_add(napi_env env, napi_callback_info info)
{
    napi_value argument[4];
    size_t room;
    struct call *call = arguments(env, info, 4, argument) ? call_new(run_add, answer_runs) : NULL;
    if (!call)
        return NULL;
    call->writer = writer_of(env, argument[0]);
    call->source.memory = bytes_of(env, argument[1], &room);
    call->source.fd = call->source.memory ? -1 : (int)integer(env, argument[1]);
    call->source.offset = integer(env, argument[2]);
    call->source.bytes = (size_t)integer(env, argument[3]);
    if (call->source.memory && room < call->source.bytes)
        napi_throw_range_error(env, NULL, "the buffer is too short");
    keep(env, call, argument[0]);
    keep(env, call, argument[1]);
    return start(env, call);
}

static void run_finish(struct call *call)
{
    call->error = store_writer_finish(call->writer);
}

static napi_value answer_footer(napi_env env, struct call *call)
{
    struct store_writer *writer = call->writer;
    napi_value result, end;
    size_t chunks = writer->index.count - writer->first_entry;
    napi_create_object(env, &result);
    napi_set_named_property(env, result, "frames", copied(env, writer->frame, writer->frames * sizeof *writer->frame));
    napi_set_named_property(env, result, "hashes", copied(env, chunks ? writer->index.hash + writer->first_entry : NULL, chunks * BLAKE3_BYTES));
    napi_create_int64(env, (int64_t)writer->end, &end);
    napi_set_named_property(env, result, "end", end);
    return result;
}

/* finish(writer) -> Promise<{ frames, hashes, end }>: what the pack's footer says. */
static napi_value js_finish(napi_env env, napi_callback_info info)
{
    napi_value argument[1];
    struct call *call = arguments(env, info, 1, argument) ? call_new(run_finish, answer_footer) : NULL;
    if (!call)
        return NULL;
    call->writer = writer_of(env, argument[0]);
    keep(env, call, argument[0]);
    return start(env, call);
}

/* written(writer) -> number of bytes in the pack so far; only while nothing else runs. */
static napi_value js_written(napi_env env, napi_callback_info info)
{
    napi_value argument[1], end = NULL;
    struct store_writer *writer;
    if (arguments(env, info, 1, argument) && (writer = writer_of(env, argument[0])) != NULL)
        napi_create_int64(env, (int64_t)writer->end, &end);
    return end;
}

static void run_load(struct call *call)
{
    call->error = store_load(&call->loading);
}

static napi_value answer_bad(napi_env env, struct call *call)
{
    return copied(env, call->loading.bad, call->loading.bad_count * sizeof *call->loading.bad);
}

/*
 * load(packFd, chunkBytes, frameChunks, frames, hashes, pieces, target, targetBytes) -> Promise<Buffer of uint32>: the numbers of
 * damaged chunks. `target`: a descriptor, a Buffer, or -1 to check only.
 */
static napi_value js_load(napi_env env, napi_callback_info info)
{
    napi_value argument[MOST_ARGUMENTS];
    size_t bytes, room;
    struct call *call = arguments(env, info, 8, argument) ? call_new(run_load, answer_bad) : NULL;
    if (!call)
        return NULL;
    struct store_loading *loading = &call->loading;
    loading->pack_fd = (int)integer(env, argument[0]);
    loading->chunk_bytes = (uint32_t)integer(env, argument[1]);
    loading->frame_chunks = (uint32_t)integer(env, argument[2]);
    loading->frame = bytes_of(env, argument[3], &bytes);
    loading->frames = (uint32_t)(bytes / sizeof(struct store_frame));
    loading->hashes = bytes_of(env, argument[4], &bytes);
    loading->chunks = (uint32_t)(bytes / BLAKE3_BYTES);
    loading->pieces = bytes_of(env, argument[5], &bytes);
    loading->piece_count = bytes / sizeof(struct store_piece);
    loading->target_memory = bytes_of(env, argument[6], &room);
    loading->target_fd = loading->target_memory ? -1 : (int)integer(env, argument[6]);
    loading->target_bytes = (uint64_t)integer(env, argument[7]);
    if (loading->target_memory && room < loading->target_bytes)
        napi_throw_range_error(env, NULL, "the buffer is too short");
    for (int i = 3; i < 7; i++)
        keep(env, call, argument[i]);
    return start(env, call);
}

/* Pairs of offset and length where a file has data: holes are not even read. */
static void run_extents(struct call *call)
{
    int fd = call->source.fd;
    off_t size = call->source.offset;
    size_t capacity = 0;
    for (off_t at = 0; at < size;) {
        off_t data = lseek(fd, at, SEEK_DATA);
        if (data < 0 && errno == ENXIO)
            return;
        off_t hole = data < 0 ? -1 : lseek(fd, data, SEEK_HOLE);
        if (hole < 0)
            data = at, hole = size; /* a file system that cannot tell: all of it */
        if (data >= size)
            return;
        if (call->extent_count == capacity) {
            capacity = capacity ? capacity * 2 : 64;
            uint64_t *extents = realloc(call->extents, capacity * 2 * sizeof *extents);
            if (!extents) {
                call->error = -ENOMEM;
                return;
            }
            call->extents = extents;
        }
        uint64_t *next = call->extents + 2 * call->extent_count++;
        next[0] = (uint64_t)data, next[1] = (uint64_t)((hole < size ? hole : size) - data);
        at = hole;
    }
}

static napi_value answer_extents(napi_env env, struct call *call)
{
    return copied(env, call->extents, call->extent_count * 2 * sizeof *call->extents);
}

/* extents(fd, size) -> Promise<Buffer of uint64 pairs> */
static napi_value js_extents(napi_env env, napi_callback_info info)
{
    napi_value argument[2];
    struct call *call = arguments(env, info, 2, argument) ? call_new(run_extents, answer_extents) : NULL;
    if (!call)
        return NULL;
    call->source.fd = (int)integer(env, argument[0]);
    call->source.offset = integer(env, argument[1]);
    return start(env, call);
}

static napi_value init(napi_env env, napi_value exports)
{
    static const struct {
        const char *name;
        napi_callback function;
    } all[] = {{"hash", js_hash},     {"writer", js_writer}, {"turn", js_turn}, {"know", js_know},      {"add", js_add},
               {"finish", js_finish}, {"written", js_written}, {"load", js_load}, {"extents", js_extents}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        napi_value function;
        napi_create_function(env, all[i].name, NAPI_AUTO_LENGTH, all[i].function, NULL, &function);
        napi_set_named_property(env, exports, all[i].name, function);
    }
    return exports;
}
NAPI_MODULE(strata_store, init)
