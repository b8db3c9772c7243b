/**
 * The app as a client of the ring (Node-API only, so that one build loads in Node and in Electron):
 *   open(folder, threads)   -> Promise of a client; at most `threads` reads at a time
 *   info(client)            -> Promise of { firstSector, lastSector }
 *   read(client, sector)    -> Promise of { data: Buffer, ns }
 *   close(client)
 * What waits for the service does so on a thread of the pool: the caller's thread never blocks. A promise is refused with an Error
 * whose `code` is that of errno: ENOENT, no service runs in the folder; EPIPE, it has ended; ERANGE, no such sector; and so on.
 */
#include "../client/front.h"
#include "../ring/futex.h"

#include <node_api.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_THREADS 64u
#define SPIN_NS 10000u

/** Only the JavaScript thread touches it, but for `front` during a call. */
struct client {
  struct front *front;
  uint32_t threads, calls;
  bool used[MOST_THREADS], closing;
};

enum call_kind { CALL_OPEN, CALL_INFO, CALL_READ };

struct call {
  enum call_kind kind;
  napi_async_work work;
  napi_deferred deferred;
  napi_ref keeps; /* the client's handle, so that it is not collected meanwhile */
  struct client *client;
  uint32_t slot;
  char *folder;
  uint64_t sector, ns;
  struct ring_info info;
  unsigned char data[RING_SECTOR];
  int error;
};

static void close_if_done(struct client *client)
{
  if (!client->closing || client->calls > 0 || !client->front) return;
  front_close(client->front);
  client->front = NULL;
}

static void free_client(napi_env env, void *data, void *hint)
{
  (void)env, (void)hint;
  struct client *client = data;
  client->closing = true;
  close_if_done(client);
  // With a call under way, the process or its worker is being torn down: what the call uses stays until the end.
  if (client->calls == 0) free(client);
}

/** On a thread of the pool. */
static void execute(napi_env env, void *data)
{
  (void)env;
  struct call *call = data;
  uint64_t since = now_ns();
  if (call->kind == CALL_OPEN)
    call->error = front_open(&(struct front_options){.folder = call->folder, .threads = call->client->threads, .spin_ns = SPIN_NS}, &call->client->front);
  else if (call->kind == CALL_INFO) call->error = front_info(call->client->front, call->slot, &call->info);
  else call->error = front_read(call->client->front, call->slot, call->sector, call->data);
  call->ns = now_ns() - since;
}

static void set_number(napi_env env, napi_value object, const char *name, uint64_t number)
{
  napi_value value;
  napi_create_int64(env, (int64_t)number, &value);
  napi_set_named_property(env, object, name, value);
}

static napi_value result_of(napi_env env, const struct call *call)
{
  napi_value object, data;
  if (call->kind == CALL_OPEN) {
    napi_get_reference_value(env, call->keeps, &object);
    return object;
  }
  napi_create_object(env, &object);
  if (call->kind == CALL_INFO) {
    set_number(env, object, "firstSector", call->info.first_sector);
    set_number(env, object, "lastSector", call->info.last_sector);
    return object;
  }
  napi_create_buffer_copy(env, RING_SECTOR, call->data, NULL, &data);
  napi_set_named_property(env, object, "data", data);
  set_number(env, object, "ns", call->ns);
  return object;
}

static napi_value error_of(napi_env env, int error)
{
  napi_value code, message, made;
  const char *name = strerrorname_np(error);
  napi_create_string_utf8(env, name ? name : "EIO", NAPI_AUTO_LENGTH, &code);
  napi_create_string_utf8(env, strerror(error), NAPI_AUTO_LENGTH, &message);
  napi_create_error(env, code, message, &made);
  return made;
}

static void complete(napi_env env, napi_status status, void *data)
{
  struct call *call = data;
  struct client *client = call->client;
  if (status != napi_ok && call->error == 0) call->error = -ECANCELED;
  client->calls--;
  client->used[call->slot] = false;
  if (call->error < 0) napi_reject_deferred(env, call->deferred, error_of(env, -call->error));
  else napi_resolve_deferred(env, call->deferred, result_of(env, call));
  close_if_done(client);
  napi_delete_reference(env, call->keeps);
  napi_delete_async_work(env, call->work);
  free(call->folder);
  free(call);
}

/** Hands a call to the pool. Returns its promise, or NULL with an exception pending. */
static napi_value start(napi_env env, struct call *call, napi_value handle)
{
  napi_value promise, name;
  napi_create_string_utf8(env, "ring", NAPI_AUTO_LENGTH, &name);
  napi_create_reference(env, handle, 1, &call->keeps);
  napi_create_promise(env, &call->deferred, &promise);
  napi_create_async_work(env, NULL, name, execute, complete, call, &call->work);
  call->client->calls++;
  call->client->used[call->slot] = true;
  napi_queue_async_work(env, call->work);
  return promise;
}

static napi_value refuse(napi_env env, const char *why)
{
  napi_throw_type_error(env, NULL, why);
  return NULL;
}

static napi_value open_client(napi_env env, napi_callback_info info)
{
  size_t count = 2, length = 0;
  napi_value words[2], handle;
  uint32_t threads = 0;
  napi_get_cb_info(env, info, &count, words, NULL, NULL);
  if (count < 2 || napi_get_value_string_utf8(env, words[0], NULL, 0, &length) != napi_ok || napi_get_value_uint32(env, words[1], &threads) != napi_ok ||
      threads < 1 || threads > MOST_THREADS)
    return refuse(env, "open(folder, threads): a path, and 1 to 64");
  struct call *call = calloc(1, sizeof *call);
  struct client *client = calloc(1, sizeof *client);
  char *folder = malloc(length + 1);
  if (!call || !client || !folder) {
    free(call), free(client), free(folder);
    return refuse(env, "there is no memory");
  }
  napi_get_value_string_utf8(env, words[0], folder, length + 1, &length);
  client->threads = threads;
  call->kind = CALL_OPEN;
  call->client = client;
  call->folder = folder;
  napi_create_external(env, client, free_client, NULL, &handle);
  return start(env, call, handle);
}

/** The client that is named first, with a free slot; NULL with an exception pending if there is none. */
static struct client *client_of(napi_env env, napi_value word, uint32_t *slot)
{
  void *data = NULL;
  if (napi_get_value_external(env, word, &data) != napi_ok || !data) return refuse(env, "this is not a client"), NULL;
  struct client *client = data;
  if (!client->front || client->closing) return refuse(env, "this client was closed"), NULL;
  for (*slot = 0; *slot < client->threads && client->used[*slot]; ++*slot) continue;
  if (*slot == client->threads) return refuse(env, "all threads of this client are reading"), NULL;
  return client;
}

static napi_value ask(napi_env env, napi_value handle, enum call_kind kind, uint64_t sector)
{
  uint32_t slot;
  struct client *client = client_of(env, handle, &slot);
  if (!client) return NULL;
  struct call *call = calloc(1, sizeof *call);
  if (!call) return refuse(env, "there is no memory");
  call->kind = kind;
  call->client = client;
  call->slot = slot;
  call->sector = sector;
  return start(env, call, handle);
}

static napi_value info_of(napi_env env, napi_callback_info info)
{
  size_t count = 1;
  napi_value words[1];
  napi_get_cb_info(env, info, &count, words, NULL, NULL);
  return ask(env, words[0], CALL_INFO, 0);
}

static napi_value read_one(napi_env env, napi_callback_info info)
{
  size_t count = 2;
  napi_value words[2];
  double sector = -1;
  napi_get_cb_info(env, info, &count, words, NULL, NULL);
  if (count < 2 || napi_get_value_double(env, words[1], &sector) != napi_ok || !(sector >= 0 && sector < 9007199254740992.0))
    return refuse(env, "read(client, sector): a sector's number");
  return ask(env, words[0], CALL_READ, (uint64_t)sector);
}

static napi_value close_client(napi_env env, napi_callback_info info)
{
  size_t count = 1;
  napi_value words[1];
  void *data = NULL;
  napi_get_cb_info(env, info, &count, words, NULL, NULL);
  if (count < 1 || napi_get_value_external(env, words[0], &data) != napi_ok || !data) return refuse(env, "this is not a client");
  ((struct client *)data)->closing = true;
  close_if_done(data);
  return NULL;
}

NAPI_MODULE_INIT()
{
  const napi_property_descriptor calls[] = {{"open", NULL, open_client, NULL, NULL, NULL, napi_enumerable, NULL},
                                            {"info", NULL, info_of, NULL, NULL, NULL, napi_enumerable, NULL},
                                            {"read", NULL, read_one, NULL, NULL, NULL, napi_enumerable, NULL},
                                            {"close", NULL, close_client, NULL, NULL, NULL, napi_enumerable, NULL}};
  napi_define_properties(env, exports, sizeof calls / sizeof *calls, calls);
  return exports;
}
