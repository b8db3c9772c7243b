#include "message.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PAYLOAD = offsetof(struct message, number), MOST_PAYLOAD_BYTES = offsetof(struct message, fds) - PAYLOAD };

/* What Linux calls an eventfd. */
#define EVENT "anon_inode:[eventfd]"

union control {
  struct cmsghdr header;
  char bytes[CMSG_SPACE(MOST_REGIONS * sizeof(int))];
};

static void take_fds(struct message *message, struct msghdr *parts)
{
  for (struct cmsghdr *one = CMSG_FIRSTHDR(parts); one; one = CMSG_NXTHDR(parts, one)) {
    if (one->cmsg_level != SOL_SOCKET || one->cmsg_type != SCM_RIGHTS) continue;
    int count = (int)((one->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    for (int i = 0; i < count; i++) {
      int fd;
      memcpy(&fd, CMSG_DATA(one) + (size_t)i * sizeof fd, sizeof fd);
      if (message->fd_count < MOST_REGIONS) message->fds[message->fd_count++] = fd;
      else close(fd);
    }
  }
}

int message_read(int socket, struct message *message)
{
  memset(message, 0, sizeof *message);
  /* Descriptors come with the first byte. */
  for (size_t held = 0; held < HEADER_BYTES;) {
    union control control;
    struct iovec rest = {(uint8_t *)message + held, HEADER_BYTES - held};
    struct msghdr parts = {.msg_iov = &rest, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t done = recvmsg(socket, &parts, MSG_CMSG_CLOEXEC);
    if (done < 0 && errno == EINTR) continue;
    if (done > 0) take_fds(message, &parts);
    if (done > 0 && !(parts.msg_flags & MSG_CTRUNC)) {
      held += (size_t)done;
      continue;
    }
    int error = done < 0 ? -errno : done == 0 && held == 0 ? 0 : -EPROTO;
    message_close(message);
    return error;
  }
  if (message->bytes > MOST_PAYLOAD_BYTES || (message->flags & 0x3) != VERSION) {
    message_close(message);
    return -EPROTO;
  }
  for (size_t held = 0; held < message->bytes;) {
    ssize_t done = recv(socket, (uint8_t *)message + PAYLOAD + held, message->bytes - held, 0);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) {
      message_close(message);
      return done < 0 ? -errno : -EPROTO;
    }
    held += (size_t)done;
  }
  return 1;
}

int message_write(int socket, const struct message *message)
{
  union control control = {0};
  struct iovec halves[] = {{(void *)(uintptr_t)message, HEADER_BYTES}, {(uint8_t *)(uintptr_t)message + PAYLOAD, message->bytes}};
  struct msghdr parts = {.msg_iov = halves, .msg_iovlen = 2};
  if (message->fd_count > 0) {
    size_t bytes = (size_t)message->fd_count * sizeof(int);
    parts.msg_control = &control;
    parts.msg_controllen = CMSG_SPACE(bytes);
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(bytes);
    memcpy(CMSG_DATA(&control.header), message->fds, bytes);
  }
  for (;;) {
    ssize_t done = sendmsg(socket, &parts, MSG_NOSIGNAL);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return -errno;
    /* So short a message goes as a whole into a socket's buffer, which holds at most a few of them. */
    return (size_t)done == HEADER_BYTES + message->bytes ? 0 : -EPROTO;
  }
}

static bool has(const struct message *message, size_t bytes, int fds)
{
  return message->bytes == bytes && message->fd_count == fds;
}

/* A descriptor that is only a path has no flags to set, by which QEMU 7.2's export ends (qemu_socket_set_nonblock, an assertion); and any other file may block it. */
static bool is_event(int fd)
{
  char path[sizeof "/proc/self/fd/" + 10], what[sizeof EVENT] = "";
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  return !(fcntl(fd, F_GETFL) & O_PATH) && readlink(path, what, sizeof what) == sizeof EVENT - 1 && memcmp(what, EVENT, sizeof EVENT - 1) == 0;
}

static bool is_socket(int fd)
{
  int type;
  socklen_t length = sizeof type;
  return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_STREAM;
}

bool message_is_whole(const struct message *message)
{
  switch (message->request) {
  case GET_FEATURES:
  case SET_OWNER:
  case RESET_OWNER:
  case GET_PROTOCOL_FEATURES:
  case GET_QUEUE_NUM:
    return has(message, 0, 0);
  case SET_FEATURES:
  case SET_PROTOCOL_FEATURES:
    return has(message, sizeof message->number, 0);
  case SET_VRING_NUM:
  case SET_VRING_BASE:
  case GET_VRING_BASE:
  case SET_VRING_ENABLE:
    return has(message, sizeof message->state, 0);
  case SET_VRING_ADDR:
    return has(message, sizeof message->address, 0);
  case SET_VRING_KICK:
  case SET_VRING_CALL:
  case SET_VRING_ERR:
    return message->number & NO_FD ? has(message, sizeof message->number, 0) : has(message, sizeof message->number, 1) && is_event(message->fds[0]);
  case SET_MEM_TABLE:
    return message->bytes >= MEMORY_HEAD_BYTES && message->memory.count <= MOST_REGIONS &&
           has(message, MEMORY_HEAD_BYTES + message->memory.count * REGION_BYTES, (int)message->memory.count);
  case SET_BACKEND_REQ_FD:
    return has(message, 0, 1) && is_socket(message->fds[0]);
  case GET_CONFIG:
  case SET_CONFIG:
    return message->bytes >= CONFIG_HEAD_BYTES && message->config.bytes <= MOST_CONFIG_BYTES && has(message, CONFIG_HEAD_BYTES + message->config.bytes, 0);
  default:
    return false;
  }
}

void message_close(struct message *message)
{
  while (message->fd_count > 0)
    close(message->fds[--message->fd_count]);
}

struct message message_of_ring(enum request request, uint32_t ring, uint32_t value)
{
  return (struct message){.request = request, .bytes = sizeof(struct ring_state), .state = {ring, value}};
}

struct message message_with_fd(enum request request, uint32_t ring, int fd)
{
  struct message message = {.request = request, .bytes = sizeof message.number, .number = ring | (fd < 0 ? NO_FD : 0)};
  if (fd >= 0) message.fds[message.fd_count++] = fd;
  return message;
}
