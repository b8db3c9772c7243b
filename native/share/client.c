#include "relay.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum { STOP_MS = 3000 };
static const uint64_t FEATURE_VERSION_1 = UINT64_C(1) << 32;

/* The export gets to know the next client from the beginning. */
static void lose(const char *why)
{
  if (relay.client < 0) return;
  complain("the client is gone: %s", why);
  drop(&relay.client);
  export_leave();
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
  if (relay.link >= 0) export_tell(&message, 1);
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
  if (relay.link >= 0) export_start(index);
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
    int at = relay.link >= 0 ? export_stop(index) : -ENOTCONN;
    if (at < 0) export_lose(at);
    else if (rests_at(&queue->ring, (uint16_t)at)) queue->stopped_here = true;
    else export_leave();
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
  if (relay.rings_ran) export_leave();
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
    if (error) export_lose(error);
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
    return queue->started ? pass(message_of_ring(SET_VRING_ENABLE, index, queue->enabled)) : 0;
  case SET_VRING_CALL:
    drop(&queue->call);
    queue->call = fd;
    message->fd_count = 0;
    return queue->started ? pass(message_with_fd(SET_VRING_CALL, index, fd)) : 0;
  case SET_VRING_KICK:
    if (queue->started) return refuse("a ring that is in use started");
    message->fd_count = 0;
    return start(index, fd);
  default: /* SET_VRING_ERR: an error ends the connection */
    return 0;
  }
}

void client_hear(void)
{
  struct message message;
  int done = message_read(relay.client, &message);
  if (done <= 0) return lose(done == 0 ? "it has hung up" : strerror(-done));
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
  if (error) lose(strerror(-error));
}
