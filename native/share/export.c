#include "relay.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { RETRY_SLOW_MS = 100, RETRY_SELDOM_MS = 1000, SOON_MS = 1000 };
/* An export that is left is not waited for longer: it may hang. */
static const struct timeval LEAVE_TIMEOUT = {.tv_sec = 2};
/* A client that takes the disk to be one that is only read does no harm where it could be written. */
static const uint64_t FEATURE_READ_ONLY = UINT64_C(1) << 5;

void export_lose(int error)
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

bool export_tell(struct message *messages, int count)
{
  for (int i = 0; i < count; i++) {
    int error = link_tell(relay.link, &messages[i]);
    if (!error) continue;
    complain("request %u is refused", messages[i].request);
    export_lose(error);
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

bool export_start(uint32_t index)
{
  struct queue *queue = &relay.queues[index];
  uint16_t first = first_of(queue);
  struct message messages[] = {
    message_of_ring(SET_VRING_NUM, index, queue->size),
    message_of_ring(SET_VRING_BASE, index, first),
    {.request = SET_VRING_ADDR, .bytes = sizeof queue->address, .address = queue->address},
    message_with_fd(SET_VRING_CALL, index, queue->call),
    message_with_fd(SET_VRING_KICK, index, queue->kick),
    message_of_ring(SET_VRING_ENABLE, index, queue->enabled),
  };
  relay.rings_ran = true;
  if (!export_tell(messages, sizeof messages / sizeof *messages)) return false;
  queue->stopped_here = false;
  /* What the guest asked for while nobody served, and what it was answered by one who ended before he could say so. */
  signal_fd(queue->kick);
  signal_fd(queue->call);
  return true;
}

struct message memory_message(void)
{
  const struct memory *memory = &relay.memory;
  struct message message = {.request = SET_MEM_TABLE, .bytes = MEMORY_HEAD_BYTES + memory->table.count * REGION_BYTES, .memory = memory->table, .fd_count = (int)memory->table.count};
  memcpy(message.fds, memory->fds, sizeof message.fds);
  return message;
}
struct message features_message(void)
{
  return (struct message){.request = SET_FEATURES, .bytes = sizeof relay.features, .number = relay.features};
}

int export_stop(uint32_t index)
{
  struct message message = message_of_ring(GET_VRING_BASE, index, 0);
  message.flags = VERSION;
  int error = link_ask(relay.link, &message);
  return error ? error : (uint16_t)message.state.value;
}

void export_leave(void)
{
  if (relay.link < 0) return;
  setsockopt(relay.link, SOL_SOCKET, SO_RCVTIMEO, &LEAVE_TIMEOUT, sizeof LEAVE_TIMEOUT);
  for (uint32_t i = 0, error = 0; i < MOST_RINGS && !error; i++)
    if (relay.queues[i].started) error = export_stop(i) < 0;
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
    if (!export_tell(&message, 1)) return;
  }
  if (relay.backend_requests >= 0) {
    struct message message = {.request = SET_BACKEND_REQ_FD, .fds = {relay.backend_requests}, .fd_count = 1};
    if (!export_tell(&message, 1)) return;
  }
  if (relay.memory.table.count > 0) {
    struct message message = memory_message();
    if (!export_tell(&message, 1)) return;
  }
  for (uint32_t i = 0; i < MOST_RINGS; i++)
    if (relay.queues[i].started && !export_start(i)) return;
}

void export_find(void)
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
