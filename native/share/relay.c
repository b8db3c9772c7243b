/*
 * relay CLIENT EXPORT OBSERVER ACCOUNT: stands between a client's QEMU (device vhost-user-blk-pci) and the vhost-user-blk export of another, so that the one
 * that serves can end, be killed or give way to another at any time, and no request of the guest is lost.
 *
 *   client's QEMU ──CLIENT──> relay ──EXPORT──> whoever serves now
 *     guest memory, eventfds ────────────────────┘ handed on: data never passes through here
 *
 * It listens at CLIENT as soon as it has once met an export, tries to connect to EXPORT whenever there is no connection, and tells a new export all that the
 * client said so far. It keeps account of the requests that are under way (ring.h), also in the file ACCOUNT, and puts them where a new export begins. What a client says is
 * checked before it is passed on: some of what is no sense ends QEMU 7.2's export with its process.
 *
 * At OBSERVER it says how it is, in a line of JSON, at once and whenever that changes; "end" ends it. It ends by itself when it has had neither a client nor
 * an observer for a while. Exit code 2: wrong arguments, a socket that it cannot listen at, or no account.
 */
#include "account.h"
#include "link.h"
#include "memory.h"
#include "ring.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { MOST_OBSERVERS = 4, NONE = -1, EXIT_USAGE = 2, RETRY_FAST_MS = 5, RETRY_SLOW_MS = 100, RETRY_SELDOM_MS = 1000, SOON_MS = 1000, STOP_MS = 3000, ALONE_MS = 60000, LOOK_FAST_MS = 1, LOOK_SLOW_MS = 8, MOST_COMPLAINTS = 200 };
/* In the middle of a message nobody pauses. */
static const struct timeval CLIENT_TIMEOUT = {.tv_sec = 5};
/* An export that is left is not waited for longer: it may hang. */
static const struct timeval LEAVE_TIMEOUT = {.tv_sec = 2};
static const uint64_t FEATURE_VERSION_1 = UINT64_C(1) << 32;
/* A client that takes the disk to be one that is only read does no harm where it could be written. */
static const uint64_t FEATURE_READ_ONLY = UINT64_C(1) << 5;

/* A ring, as the client has described it. */
struct queue {
  uint32_t size;
  struct ring_address address;
  uint16_t base;
  bool enabled, started;
  int kick, call;
  struct ring ring;
  /* Where the export stopped, as it said when it was last asked to; and whether that is still so. */
  uint16_t stopped_at;
  bool has_stopped, stopped_here;
  /* Some of its requests may have been lost since its driver began it. */
  bool unsure;
};

static struct relay {
  const char *client_path, *export_path;
  int client_listener, observer_listener;
  int client, link, observers[MOST_OBSERVERS];
  struct offer offer;
  /* What the client has chosen. */
  uint64_t features;
  bool has_features;
  /* Whether the export has had a ring since it was connected to: requests may be under way of which the rings do not tell. */
  bool rings_ran;
  int backend_requests;
  struct memory memory;
  struct queue queues[MOST_RINGS];
  struct account *account;
  /* The last answer about the device, for when nobody serves. */
  struct message config;
  /* Requests that were put where the next export finds them, in all. */
  unsigned long moved;
  /* Since when there is this connection to an export, and when another is tried. */
  int64_t linked_ms, retry_at_ms;
  int64_t alone_since_ms;
  int retry_ms;
  int complaints;
} relay = {.retry_ms = RETRY_FAST_MS, .client_listener = NONE, .observer_listener = NONE, .client = NONE, .link = NONE, .backend_requests = NONE};

static int64_t now_ms(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A client that talks nonsense for ever is not to fill the disk. */
__attribute__((format(printf, 1, 2))) static void complain(const char *format, ...)
{
  if (relay.complaints++ >= MOST_COMPLAINTS) return;
  va_list values;
  va_start(values, format);
  fputs("relay: ", stderr);
  vfprintf(stderr, format, values);
  fputc('\n', stderr);
  va_end(values);
}

static void drop(int *fd)
{
  if (*fd >= 0) close(*fd);
  *fd = NONE;
}

static bool is_unsure(void)
{
  for (const struct queue *queue = relay.queues; queue < relay.queues + MOST_RINGS; queue++)
    if (queue->unsure) return true;
  return false;
}

static void tell(int *observer)
{
  char line[128];
  int length = snprintf(line, sizeof line, "{\"pid\":%d,\"client\":%s,\"exporter\":%s,\"moved\":%lu,\"unsure\":%s}\n", getpid(), relay.client >= 0 ? "true" : "false", relay.link >= 0 ? "true" : "false",
                        relay.moved, is_unsure() ? "true" : "false");
  if (send(*observer, line, (size_t)length, MSG_NOSIGNAL | MSG_DONTWAIT) != length) drop(observer);
}

static void tell_observers(void)
{
  for (int i = 0; i < MOST_OBSERVERS; i++)
    if (relay.observers[i] >= 0) tell(&relay.observers[i]);
}

static void lose_link(int error)
{
  if (relay.link < 0) return;
  complain("the export is gone: %s", strerror(-error));
  drop(&relay.link);
  /* One that ends again and again may end by what its client wants of it. */
  if (now_ms() - relay.linked_ms > SOON_MS) relay.retry_ms = RETRY_FAST_MS;
  else if (relay.retry_ms < RETRY_SELDOM_MS) relay.retry_ms *= 2;
  relay.retry_at_ms = now_ms() + relay.retry_ms;
  for (struct queue *queue = relay.queues; queue < relay.queues + MOST_RINGS; queue++)
    queue->stopped_here = false;
  tell_observers();
}

/* Not where that would wait: then it is signalled already. */
static void signal_fd(int fd)
{
  const uint64_t one = 1;
  struct pollfd polled = {fd, POLLOUT, 0};
  if (fd >= 0 && poll(&polled, 1, 0) == 1 && write(fd, &one, sizeof one) < 0 && errno != EAGAIN) complain("an eventfd: %s", strerror(errno));
}

static struct message with_fd(enum request request, uint32_t ring, int fd)
{
  struct message message = {.request = request, .bytes = sizeof message.number, .number = ring | (fd < 0 ? NO_FD : 0)};
  if (fd >= 0) message.fds[message.fd_count++] = fd;
  return message;
}
static struct message of_ring(enum request request, uint32_t ring, uint32_t value)
{
  return (struct message){.request = request, .bytes = sizeof(struct ring_state), .state = {ring, value}};
}

/* Tells all of these to the export, or loses it. @returns whether it has taken them */
static bool tell_export(struct message *messages, int count)
{
  for (int i = 0; i < count; i++) {
    int error = link_tell(relay.link, &messages[i]);
    if (!error) continue;
    complain("request %u is refused", messages[i].request);
    lose_link(error);
    return false;
  }
  return true;
}

/* Where the export is to begin: where it stopped, if it is the same; else what is under way is put in its place. */
static uint16_t first_of(struct queue *queue)
{
  if (queue->stopped_here) return queue->stopped_at;
  int moved = ring_settle(&queue->ring);
  if (moved < 0) queue->unsure = true;
  else relay.moved += (unsigned long)moved;
  return ring_next(&queue->ring);
}

static bool start_at_export(uint32_t index)
{
  struct queue *queue = &relay.queues[index];
  uint16_t first = first_of(queue);
  struct message messages[] = {
    of_ring(SET_VRING_NUM, index, queue->size),
    of_ring(SET_VRING_BASE, index, first),
    {.request = SET_VRING_ADDR, .bytes = sizeof queue->address, .address = queue->address},
    with_fd(SET_VRING_CALL, index, queue->call),
    with_fd(SET_VRING_KICK, index, queue->kick),
    of_ring(SET_VRING_ENABLE, index, queue->enabled),
  };
  relay.rings_ran = true;
  if (!tell_export(messages, sizeof messages / sizeof *messages)) return false;
  queue->stopped_here = false;
  /* What the guest asked for while nobody served, and what it was answered by one who ended before he could say so. */
  signal_fd(queue->kick);
  signal_fd(queue->call);
  return true;
}

static struct message memory_message(void)
{
  const struct memory *memory = &relay.memory;
  struct message message = {.request = SET_MEM_TABLE, .bytes = MEMORY_HEAD_BYTES + memory->table.count * REGION_BYTES, .memory = memory->table, .fd_count = (int)memory->table.count};
  memcpy(message.fds, memory->fds, sizeof message.fds);
  return message;
}
static struct message features_message(void)
{
  return (struct message){.request = SET_FEATURES, .bytes = sizeof relay.features, .number = relay.features};
}

/* @returns where the export stopped, or -errno */
static int stop_at_export(uint32_t index)
{
  struct message message = of_ring(GET_VRING_BASE, index, 0);
  message.flags = VERSION;
  int error = link_ask(relay.link, &message);
  return error ? error : (uint16_t)message.state.value;
}

/*
 * Hangs up on an export that goes on. Its rings are stopped first: QEMU 7.2's ends with its process (vhost_user_server_ref, assertion !wait_idle) when
 * it is kicked while it waits for the last requests of somebody who has hung up. It hears the next one when those are done, and has let go of the memory.
 */
static void leave_export(void)
{
  if (relay.link < 0) return;
  setsockopt(relay.link, SOL_SOCKET, SO_RCVTIMEO, &LEAVE_TIMEOUT, sizeof LEAVE_TIMEOUT);
  for (uint32_t i = 0, error = 0; i < MOST_RINGS && !error; i++)
    if (relay.queues[i].started) error = stop_at_export(i) < 0;
  drop(&relay.link);
  for (struct queue *queue = relay.queues; queue < relay.queues + MOST_RINGS; queue++)
    queue->stopped_here = false;
  relay.rings_ran = false;
}

/* Tells a new export all that the client said so far. */
static void replay(void)
{
  if (relay.has_features) {
    struct message message = features_message();
    if (!tell_export(&message, 1)) return;
  }
  if (relay.backend_requests >= 0) {
    struct message message = {.request = SET_BACKEND_REQ_FD, .fds = {relay.backend_requests}, .fd_count = 1};
    if (!tell_export(&message, 1)) return;
  }
  if (relay.memory.table.count > 0) {
    struct message message = memory_message();
    if (!tell_export(&message, 1)) return;
  }
  for (uint32_t i = 0; i < MOST_RINGS; i++)
    if (relay.queues[i].started && !start_at_export(i)) return;
}

static int listen_at(const char *path)
{
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) {
    fprintf(stderr, "relay: %s: %s\n", path, strerror(ENAMETOOLONG));
    exit(EXIT_USAGE);
  }
  memcpy(address.sun_path, path, strlen(path));
  unlink(path);
  int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener >= 0 && bind(listener, (struct sockaddr *)&address, sizeof address) == 0 && listen(listener, 4) == 0) return listener;
  fprintf(stderr, "relay: %s: %s\n", path, strerror(errno));
  exit(EXIT_USAGE);
}

/* A client can call from then on, as it is answered at once: for as long as its device waits, its QEMU does nothing else. */
static void find_export(void)
{
  struct offer offer;
  int link = link_open(relay.export_path, &offer);
  if (link < 0) {
    if (relay.retry_ms < RETRY_SLOW_MS) relay.retry_ms++;
    relay.retry_at_ms = now_ms() + relay.retry_ms;
    return;
  }
  uint64_t missing = relay.features & ~(offer.features | FEATURE_READ_ONLY);
  if (missing) {
    complain("the export cannot do what its client was promised: %llx", (unsigned long long)missing);
    close(link);
    relay.retry_at_ms = now_ms() + RETRY_SLOW_MS;
    return;
  }
  relay.link = link;
  relay.linked_ms = now_ms();
  relay.rings_ran = false;
  relay.offer = offer;
  replay();
  if (relay.client_listener < 0) relay.client_listener = listen_at(relay.client_path);
  tell_observers();
}

/* The export gets to know the next client from the beginning. */
static void lose_client(const char *why)
{
  if (relay.client < 0) return;
  complain("the client is gone: %s", why);
  drop(&relay.client);
  leave_export();
  drop(&relay.backend_requests);
  memory_drop(&relay.memory);
  for (struct queue *queue = relay.queues; queue < relay.queues + MOST_RINGS; queue++) {
    drop(&queue->kick);
    drop(&queue->call);
    *queue = (struct queue){.kick = NONE, .call = NONE};
  }
  relay.has_features = false;
  relay.features = 0;
  tell_observers();
}

static int refuse(const char *why)
{
  complain("%s", why);
  return -EPROTO;
}

/* Passes on what the client said, if somebody serves; who comes later is told then. */
static int pass(struct message message)
{
  if (relay.link >= 0) tell_export(&message, 1);
  return 0;
}

static int find_ring(const struct queue *queue, struct available **available, struct used **used)
{
  const struct ring_address *address = &queue->address;
  if (!ring_can_have(queue->size)) return refuse("a ring of an impossible size");
  if (address->available % 2 || address->used % 4 || address->descriptors % 16) return refuse("a ring at an odd address");
  *available = memory_at(&relay.memory, address->available, sizeof **available + queue->size * sizeof(uint16_t) + sizeof(uint16_t));
  *used = memory_at(&relay.memory, address->used, sizeof **used + queue->size * sizeof(struct used_one) + sizeof(uint16_t));
  if (!*available || !*used || !memory_at(&relay.memory, address->descriptors, UINT64_C(16) * queue->size)) return refuse("a ring outside of the guest's memory");
  return 0;
}

/* @param fd of the event by which the guest tells of requests; the queue's own then */
static int start(uint32_t index, int fd)
{
  struct queue *queue = &relay.queues[index];
  drop(&queue->kick);
  queue->kick = fd;
  struct available *available;
  struct used *used;
  int error = find_ring(queue, &available, &used);
  if (error) return error;
  if (queue->has_stopped && queue->base == queue->stopped_at && queue->ring.size == queue->size) {
    ring_move(&queue->ring, available, used);
  } else {
    queue->stopped_here = false;
    /* A driver that begins anew, as after a reset, waits for nothing of before. */
    queue->unsure = false;
    if (!ring_resume(&queue->ring, account_of(relay.account, index), (uint16_t)queue->size, available, used)) {
      int under_way = ring_begin(&queue->ring, (uint16_t)queue->size, available, used);
      if (under_way < 0) return refuse("a ring that makes no sense");
      queue->unsure = under_way > 1;
    }
    account_keep(relay.account, index, &queue->ring);
    tell_observers();
  }
  queue->has_stopped = false;
  queue->started = true;
  if (relay.link >= 0) start_at_export(index);
  return 0;
}

/* Waits until all that the export has taken is answered: it stops taking, and goes on with what it has, which a guest that is reset does not expect. */
static bool rests_at(const struct ring *ring, uint16_t index)
{
  for (int waited_ms = 0; ring_next(ring) != index; waited_ms++) {
    if (waited_ms >= STOP_MS) return false;
    poll(NULL, 0, 1);
  }
  return true;
}

/* @returns where the ring is: what its export has begun with, or what is answered, when nobody serves */
static uint16_t stop(uint32_t index)
{
  struct queue *queue = &relay.queues[index];
  if (queue->started) {
    ring_look(&queue->ring);
    queue->started = false;
    queue->has_stopped = true;
    int at = relay.link >= 0 ? stop_at_export(index) : -ENOTCONN;
    if (at < 0) lose_link(at);
    else if (rests_at(&queue->ring, (uint16_t)at)) queue->stopped_here = true;
    else leave_export();
    queue->stopped_at = queue->stopped_here ? (uint16_t)at : ring_next(&queue->ring);
    ring_look(&queue->ring);
  }
  drop(&queue->kick);
  drop(&queue->call);
  return queue->has_stopped ? queue->stopped_at : (uint16_t)queue->base;
}

/* An export unmaps the memory that it had at once, also under a request, and ends: so it is left first, and finds the new one when it has none any more. */
static int set_memory(struct message *message)
{
  if (memory_is(&relay.memory, message)) return 0;
  if (relay.rings_ran) leave_export();
  int error = memory_take(&relay.memory, message);
  if (error) return refuse(error == -ERANGE ? "memory beyond its file" : strerror(-error));
  for (struct queue *queue = relay.queues; queue < relay.queues + MOST_RINGS; queue++) {
    struct available *available;
    struct used *used;
    if (!queue->started) continue;
    error = find_ring(queue, &available, &used);
    if (error) return error;
    ring_move(&queue->ring, available, used);
  }
  return pass(memory_message());
}

/* The device is asked about where somebody serves; else what was last said holds. */
static int get_config(struct message *message)
{
  struct message question = *message;
  question.flags = VERSION;
  if (relay.link >= 0) {
    int error = link_ask(relay.link, &question);
    if (error) lose_link(error);
    else if (question.bytes == message->bytes) relay.config = question;
    else return refuse("a question about the device that has no answer");
  }
  if (relay.config.bytes != message->bytes || relay.config.config.offset != message->config.offset) return refuse("nobody knows the device");
  uint32_t flags = message->flags;
  *message = relay.config;
  message->flags = flags;
  return 0;
}

/*
 * Does as the client says; where it asked, the message is the answer afterwards.
 * @returns 0, or -errno: it is no client of ours
 */
static int obey(struct message *message, bool *answers)
{
  uint32_t index = message->state.ring;
  switch (message->request) {
  case GET_FEATURES:
  case GET_PROTOCOL_FEATURES:
  case GET_QUEUE_NUM:
    *answers = true;
    message->bytes = sizeof message->number;
    message->number = message->request == GET_FEATURES ? relay.offer.features : message->request == GET_QUEUE_NUM ? relay.offer.rings : relay.offer.protocol_features;
    return 0;
  case GET_CONFIG:
    *answers = true;
    return get_config(message);
  case SET_FEATURES:
    if (message->number & ~relay.offer.features) return refuse("features that were not offered");
    if (!(message->number & FEATURE_VERSION_1)) return refuse("a device of before virtio 1.0");
    relay.features = message->number;
    relay.has_features = true;
    return pass(features_message());
  case SET_PROTOCOL_FEATURES:
    return message->number & ~relay.offer.protocol_features ? refuse("features of the protocol that were not offered") : 0;
  case SET_OWNER:
  case RESET_OWNER:
  case SET_CONFIG: /* the cache mode is not the guest's to choose */
    return 0;
  case SET_MEM_TABLE:
    return set_memory(message);
  case SET_BACKEND_REQ_FD:
    drop(&relay.backend_requests);
    relay.backend_requests = message->fds[0];
    message->fd_count = 0;
    return pass((struct message){.request = SET_BACKEND_REQ_FD, .fds = {relay.backend_requests}, .fd_count = 1});
  default:
    break;
  }
  if (message->request == SET_VRING_KICK || message->request == SET_VRING_CALL || message->request == SET_VRING_ERR) index = (uint32_t)(message->number & RING_MASK);
  if (index >= MOST_RINGS || index >= relay.offer.rings) return refuse("a ring that there is not");
  struct queue *queue = &relay.queues[index];
  int fd = message->fd_count > 0 ? message->fds[0] : NONE;
  switch (message->request) {
  case SET_VRING_NUM:
    if (queue->started) return refuse("a ring that is in use changed");
    queue->size = message->state.value;
    return 0;
  case SET_VRING_ADDR:
    if (queue->started) return refuse("a ring that is in use changed");
    queue->address = message->address;
    queue->address.flags = 0; /* what is written is not logged */
    return 0;
  case SET_VRING_BASE:
    if (queue->started) return refuse("a ring that is in use changed");
    queue->base = (uint16_t)message->state.value;
    return 0;
  case GET_VRING_BASE:
    *answers = true;
    message->state.value = stop(index);
    return 0;
  case SET_VRING_ENABLE:
    queue->enabled = message->state.value == 1;
    return queue->started ? pass(of_ring(SET_VRING_ENABLE, index, queue->enabled)) : 0;
  case SET_VRING_CALL:
    drop(&queue->call);
    queue->call = fd;
    message->fd_count = 0;
    return queue->started ? pass(with_fd(SET_VRING_CALL, index, fd)) : 0;
  case SET_VRING_KICK:
    if (queue->started) return refuse("a ring that is in use started");
    message->fd_count = 0;
    return start(index, fd);
  default: /* SET_VRING_ERR: an error ends the connection */
    return 0;
  }
}

static void hear_client(void)
{
  struct message message;
  int done = message_read(relay.client, &message);
  if (done <= 0) return lose_client(done == 0 ? "it has hung up" : strerror(-done));
  bool answers = false;
  uint32_t request = message.request, flags = message.flags;
  int error = message_is_whole(&message) ? obey(&message, &answers) : refuse("a message that is none");
  message_close(&message);
  if (!error && !answers && flags & NEEDS_REPLY) message.number = 0, message.bytes = sizeof message.number, answers = true;
  if (!error && answers) {
    message.request = request;
    message.flags = VERSION | REPLY;
    error = message_write(relay.client, &message);
  }
  if (error) lose_client(strerror(-error));
}

static int take_caller(int listener)
{
  int caller = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
  if (caller < 0) return NONE;
  setsockopt(caller, SOL_SOCKET, SO_RCVTIMEO, &CLIENT_TIMEOUT, sizeof CLIENT_TIMEOUT);
  setsockopt(caller, SOL_SOCKET, SO_SNDTIMEO, &CLIENT_TIMEOUT, sizeof CLIENT_TIMEOUT);
  return caller;
}

static void hear_observer(int *observer)
{
  char words[8];
  ssize_t count = recv(*observer, words, sizeof words, MSG_DONTWAIT);
  if (count >= 3 && memcmp(words, "end", 3) == 0) {
    leave_export();
    exit(0);
  }
  drop(observer);
}

static void take_observer(void)
{
  int caller = take_caller(relay.observer_listener);
  for (int i = 0; i < MOST_OBSERVERS && caller >= 0; i++) {
    if (relay.observers[i] >= 0) continue;
    relay.observers[i] = caller;
    return tell(&relay.observers[i]);
  }
  drop(&caller);
}

static bool is_observed(void)
{
  for (int i = 0; i < MOST_OBSERVERS; i++)
    if (relay.observers[i] >= 0) return true;
  return false;
}

/* Looks at the rings. @returns how long until the next look: soon enough that little is written over between two, seldom where little happens */
static int look_at_rings(void)
{
  static int wait_ms = LOOK_SLOW_MS;
  bool any = false;
  unsigned most = 0;
  if (relay.link < 0) return relay.retry_ms;
  for (struct queue *queue = relay.queues; queue < relay.queues + MOST_RINGS; queue++) {
    if (!queue->started) continue;
    any = true;
    unsigned changes = ring_look(&queue->ring);
    if (changes > 0) account_keep(relay.account, (uint32_t)(queue - relay.queues), &queue->ring);
    unsigned eighths = 8 * changes / queue->size;
    if (eighths > most) most = eighths;
  }
  if (most >= 2) wait_ms = LOOK_FAST_MS;
  else if (most == 0 && wait_ms < LOOK_SLOW_MS) wait_ms *= 2;
  return any ? wait_ms : ALONE_MS;
}

static void wait_and_serve(void)
{
  if (relay.link < 0 && now_ms() >= relay.retry_at_ms) find_export();
  enum { CLIENT_CALLS, OBSERVER_CALLS, CLIENT, EXPORT, OBSERVERS, COUNT = OBSERVERS + MOST_OBSERVERS };
  struct pollfd polled[COUNT] = {
    [CLIENT_CALLS] = {relay.client < 0 ? relay.client_listener : NONE, POLLIN, 0},
    [OBSERVER_CALLS] = {relay.observer_listener, POLLIN, 0},
    [CLIENT] = {relay.client, POLLIN, 0},
    [EXPORT] = {relay.link, POLLIN, 0},
  };
  for (int i = 0; i < MOST_OBSERVERS; i++)
    polled[OBSERVERS + i] = (struct pollfd){relay.observers[i], POLLIN, 0};
  if (poll(polled, COUNT, look_at_rings()) <= 0) return;
  for (int i = 0; i < MOST_OBSERVERS; i++)
    if (polled[OBSERVERS + i].revents) hear_observer(&relay.observers[i]);
  if (polled[OBSERVER_CALLS].revents) take_observer();
  /* It says nothing unasked: so it has hung up. */
  if (polled[EXPORT].revents) lose_link(-EPIPE);
  if (polled[CLIENT].revents) hear_client();
  if (polled[CLIENT_CALLS].revents) {
    relay.client = take_caller(relay.client_listener);
    tell_observers();
  }
}

int main(int argc, char **argv)
{
  if (argc != 5) {
    fputs("relay CLIENT EXPORT OBSERVER ACCOUNT: between a client's vhost-user-blk-pci and the export of whoever serves\n", stderr);
    return EXIT_USAGE;
  }
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  signal(SIGPIPE, SIG_IGN);
  umask(0177);
  relay.client_path = argv[1];
  relay.export_path = argv[2];
  for (struct queue *queue = relay.queues; queue < relay.queues + MOST_RINGS; queue++)
    queue->kick = queue->call = NONE;
  for (int i = 0; i < MOST_OBSERVERS; i++)
    relay.observers[i] = NONE;
  relay.account = account_open(argv[4]);
  if (!relay.account) {
    fprintf(stderr, "relay: %s: %s\n", argv[4], strerror(errno));
    return EXIT_USAGE;
  }
  relay.observer_listener = listen_at(argv[3]);
  for (relay.alone_since_ms = now_ms(); now_ms() - relay.alone_since_ms < ALONE_MS;) {
    wait_and_serve();
    if (relay.client >= 0 || is_observed()) relay.alone_since_ms = now_ms();
  }
  leave_export();
  return 0;
}
