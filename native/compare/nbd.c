/**
 * A client of NBD: fixed newstyle negotiation, NBD_OPT_GO, simple replies, as the protocol's proto.md says. One connection, many
 * requests under way, answered in any order: a request's cookie is its place and is handed back with the answer.
 */
#include "way.h"

#include "../ring/futex.h"

#include <endian.h>
#include <string.h>

#define OPTION_MAGIC UINT64_C(0x49484156454F5054)
#define REPLY_MAGIC UINT64_C(0x3e889045565a9)
#define OPT_GO 7u
#define REP_ACK 1u
#define REP_INFO 3u
#define INFO_EXPORT 0u
#define FLAGS_FIXED_NO_ZEROES 3u
#define REQUEST_MAGIC 0x25609513u
#define SIMPLE_REPLY_MAGIC 0x67446698u

struct __attribute__((packed)) nbd_request {
  uint32_t magic;
  uint16_t flags, type;
  uint64_t cookie, offset;
  uint32_t length;
};

struct __attribute__((packed)) nbd_reply {
  uint32_t magic, error;
  uint64_t cookie;
};

struct __attribute__((packed)) option_reply {
  uint64_t magic;
  uint32_t option, type, length;
};

/** Agrees with the server on the export without a name. Gives its size in bytes. */
static int negotiate(int fd, uint64_t *size)
{
  unsigned char hello[18], info[1024];
  const uint32_t flags = htobe32(FLAGS_FIXED_NO_ZEROES);
  int error = receive_all(fd, hello, sizeof hello);
  if (error == 0) error = send_all(fd, &flags, sizeof flags);
  const struct __attribute__((packed)) {
    uint64_t magic;
    uint32_t option, length, name_length;
    uint16_t infos;
  } go = {htobe64(OPTION_MAGIC), htobe32(OPT_GO), htobe32(6), 0, 0};
  if (error == 0) error = send_all(fd, &go, sizeof go);
  for (;;) {
    struct option_reply reply;
    if (error == 0) error = receive_all(fd, &reply, sizeof reply);
    if (error < 0) return error;
    uint32_t type = be32toh(reply.type), length = be32toh(reply.length);
    if (be64toh(reply.magic) != REPLY_MAGIC || length > sizeof info) return -EPROTO;
    if ((error = receive_all(fd, info, length)) < 0) return error;
    if (type == REP_ACK) return 0;
    if (type != REP_INFO) return -EPROTO;
    if (length >= 12 && info[0] == 0 && info[1] == INFO_EXPORT) {
      memcpy(size, info + 2, sizeof *size);
      *size = be64toh(*size);
    }
  }
}

int read_by_nbd(struct task *task)
{
  uint64_t size = 0, since[MOST_OPEN];
  unsigned char data[SECTOR];
  int fd = connect_to(task->where);
  if (fd < 0) return fd;
  int error = negotiate(fd, &size);
  if (error == 0 && size < SECTOR) error = -EPROTO;
  uint32_t open = 0;
  for (uint32_t place = 0; error == 0;) {
    if (open < task->open && now_ns() < task->until) {
      // At the start every place gets a request; later the one whose answer has just come.
      const struct nbd_request request = {htobe32(REQUEST_MAGIC), 0, 0, place, htobe64(next_sector(task, size / SECTOR) * SECTOR), htobe32(SECTOR)};
      since[place] = now_ns();
      error = send_all(fd, &request, sizeof request);
      open++;
      if (open < task->open && task->times.count == 0) {
        place++;
        continue;
      }
    }
    if (open == 0) break;
    struct nbd_reply reply;
    if (error == 0) error = receive_all(fd, &reply, sizeof reply);
    if (error == 0 && (be32toh(reply.magic) != SIMPLE_REPLY_MAGIC || reply.error != 0 || reply.cookie >= task->open)) error = -EPROTO;
    if (error == 0) error = receive_all(fd, data, sizeof data);
    if (error == 0) note_time(task, since[reply.cookie]);
    place = (uint32_t)reply.cookie;
    open--;
  }
  close(fd);
  return error;
}
