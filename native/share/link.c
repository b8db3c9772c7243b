#include "link.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

/*
 * Features of virtio and vhost that are not passed on: dirty pages are not logged, rings are split ones; and QEMU 7.2's export says that segments have a
 * greatest size, but not which. Linux takes that for a page, and hands over a megabyte in 256 segments and three requests.
 */
#define FEATURE_SIZE_MAX (UINT64_C(1) << 1)
#define FEATURE_LOG_ALL (UINT64_C(1) << 26)
#define FEATURE_PROTOCOL (UINT64_C(1) << 30)
#define FEATURE_RING_PACKED (UINT64_C(1) << 34)
/* Features of the protocol that are passed on. */
#define PROTOCOL_MQ (UINT64_C(1) << 0)
#define PROTOCOL_REPLY_ACK (UINT64_C(1) << 3)
#define PROTOCOL_BACKEND_REQ (UINT64_C(1) << 5)
#define PROTOCOL_CONFIG (UINT64_C(1) << 9)
#define PROTOCOL_PASSED (PROTOCOL_MQ | PROTOCOL_REPLY_ACK | PROTOCOL_BACKEND_REQ | PROTOCOL_CONFIG)

/* A process that is stopped lets one connect, and says nothing. It has nothing of the guest's then, and can be left. */
static const struct timeval OPEN_TIMEOUT = {.tv_sec = 3};

int link_ask(int link, struct message *message)
{
  uint32_t request = message->request;
  int error = message_write(link, message);
  if (error) return error;
  int done = message_read(link, message);
  if (done < 0) return done;
  if (done == 0) return -EPIPE;
  bool answers = message->request == request && message->flags & REPLY;
  message_close(message); /* an answer brings none */
  return answers ? 0 : -EPROTO;
}

int link_tell(int link, struct message *message)
{
  message->flags = VERSION | NEEDS_REPLY;
  struct message answer = *message;
  int error = link_ask(link, &answer);
  if (error) return error;
  return answer.bytes == sizeof answer.number && answer.number == 0 ? 0 : -EREMOTEIO;
}

static int ask_number(int link, enum request request, uint64_t *answer)
{
  struct message message = {.request = request, .flags = VERSION};
  int error = link_ask(link, &message);
  if (error) return error;
  *answer = message.number;
  return message.bytes == sizeof message.number ? 0 : -EPROTO;
}

static int greet(int link, struct offer *offer)
{
  int error = ask_number(link, GET_FEATURES, &offer->features);
  if (error) return error;
  error = ask_number(link, GET_PROTOCOL_FEATURES, &offer->protocol_features);
  if (error) return error;
  offer->features &= ~(FEATURE_SIZE_MAX | FEATURE_LOG_ALL | FEATURE_RING_PACKED);
  offer->protocol_features &= PROTOCOL_PASSED;
  if (!(offer->features & FEATURE_PROTOCOL) || !(offer->protocol_features & PROTOCOL_REPLY_ACK)) return -EPROTO;
  struct message chosen = {.request = SET_PROTOCOL_FEATURES, .flags = VERSION, .bytes = sizeof chosen.number, .number = offer->protocol_features};
  error = message_write(link, &chosen);
  if (error) return error;
  offer->rings = 1;
  if (offer->protocol_features & PROTOCOL_MQ) error = ask_number(link, GET_QUEUE_NUM, &offer->rings);
  if (error) return error;
  struct message owner = {.request = SET_OWNER};
  return link_tell(link, &owner);
}

int link_open(const char *path, struct offer *offer)
{
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  int link = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (link < 0) return -errno;
  int error = 0;
  setsockopt(link, SOL_SOCKET, SO_RCVTIMEO, &OPEN_TIMEOUT, sizeof OPEN_TIMEOUT);
  setsockopt(link, SOL_SOCKET, SO_SNDTIMEO, &OPEN_TIMEOUT, sizeof OPEN_TIMEOUT);
  if (connect(link, (struct sockaddr *)&address, sizeof address) != 0) error = -errno;
  else error = greet(link, offer);
  const struct timeval none = {0};
  setsockopt(link, SOL_SOCKET, SO_RCVTIMEO, &none, sizeof none);
  setsockopt(link, SOL_SOCKET, SO_SNDTIMEO, &none, sizeof none);
  if (!error) return link;
  close(link);
  return error;
}
