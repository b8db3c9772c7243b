/**
 * A front end of vhost-user-blk: what a virtual machine's virtio-blk driver and QEMU do together, without the machine. One virtqueue in
 * shared memory, given to the back end by its socket (vhost-user protocol, QEMU's docs/interop/vhost-user.rst); requests as in the
 * virtio specification 1.1, 5.2.6, each a chain of three descriptors: header, data, status. A kick and a call are eventfds.
 */
#include "way.h"

#include "../ring/futex.h"

#include <linux/virtio_blk.h>
#include <linux/virtio_ring.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>

#define QUEUE 256u /* descriptors: three a request */
#define VERSION 1u
#define REPLY 4u
#define FEATURE_VERSION_1 (UINT64_C(1) << 32)
#define FEATURE_PROTOCOL (UINT64_C(1) << 30)
#define PROTOCOL_CONFIG (UINT64_C(1) << 9)

enum request { GET_FEATURES = 1, SET_FEATURES = 2, SET_OWNER = 3, SET_MEM_TABLE = 5, SET_VRING_NUM = 8, SET_VRING_ADDR = 9, SET_VRING_BASE = 10, SET_VRING_KICK = 12,
               SET_VRING_CALL = 13, GET_PROTOCOL_FEATURES = 15, SET_PROTOCOL_FEATURES = 16, SET_VRING_ENABLE = 18, GET_CONFIG = 24 };

/** What lies in the shared memory. Addresses in it are offsets from its start, which is where the back end is told that it is. */
struct shared {
  struct vring_desc descriptors[QUEUE];
  struct {
    _Atomic uint16_t flags, index;
    uint16_t ring[QUEUE], used_event;
  } available;
  _Alignas(4096) struct {
    _Atomic uint16_t flags, index;
    struct vring_used_elem ring[QUEUE];
    uint16_t available_event;
  } used;
  struct virtio_blk_outhdr headers[MOST_OPEN];
  unsigned char status[MOST_OPEN];
  _Alignas(4096) unsigned char data[MOST_OPEN][SECTOR];
};

struct __attribute__((packed)) message {
  uint32_t request, flags, size;
  union {
    uint64_t number;
    struct {
      uint32_t index, number;
    } state;
    struct {
      uint32_t index, flags;
      uint64_t descriptors, used, available, log;
    } address;
    struct {
      uint32_t regions, padding;
      uint64_t guest, size, user, offset;
    } memory;
    struct {
      uint32_t offset, size, flags;
      unsigned char bytes[sizeof(struct virtio_blk_config)];
    } config;
  } u;
};
#define HEAD (sizeof(uint32_t) * 3)

struct vhost {
  int socket, memory, kick, call;
  struct shared *shared;
  uint64_t sectors, since[MOST_OPEN];
  uint16_t available, used;
};

static int tell(struct vhost *vhost, struct message *message, uint32_t size, int fd)
{
  message->flags = VERSION;
  message->size = size;
  struct iovec part = {message, HEAD + size};
  _Alignas(struct cmsghdr) char room[CMSG_SPACE(sizeof fd)];
  struct msghdr all = {.msg_iov = &part, .msg_iovlen = 1};
  if (fd >= 0) {
    all.msg_control = room;
    all.msg_controllen = sizeof room;
    struct cmsghdr *header = CMSG_FIRSTHDR(&all);
    *header = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof fd)};
    memcpy(CMSG_DATA(header), &fd, sizeof fd);
  }
  return sendmsg(vhost->socket, &all, MSG_NOSIGNAL) == (ssize_t)(HEAD + size) ? 0 : -EIO;
}

static int tell_number(struct vhost *vhost, enum request request, uint64_t number, int fd)
{
  return tell(vhost, &(struct message){.request = request, .u.number = number}, sizeof number, fd);
}

static int tell_state(struct vhost *vhost, enum request request, uint32_t number)
{
  return tell(vhost, &(struct message){.request = request, .u.state = {0, number}}, sizeof(uint64_t), -1);
}

static int hear(struct vhost *vhost, struct message *message)
{
  const uint32_t asked = message->request;
  int error = receive_all(vhost->socket, message, HEAD);
  if (error < 0) return error;
  if (message->request != asked || (message->flags & REPLY) == 0 || message->size > sizeof message->u) return -EPROTO;
  return receive_all(vhost->socket, &message->u, message->size);
}

static int ask_number(struct vhost *vhost, enum request request, uint64_t *number)
{
  struct message message = {.request = request};
  int error = tell(vhost, &message, 0, -1);
  if (error == 0) error = hear(vhost, &message);
  *number = message.u.number;
  return error;
}

static int ask_size(struct vhost *vhost)
{
  // The beginning is enough, and a back end that is older than our headers refuses to be asked for more than it knows.
  struct message message = {.request = GET_CONFIG, .u.config.size = sizeof vhost->sectors};
  _Static_assert(offsetof(struct virtio_blk_config, capacity) == 0, "the capacity comes first");
  int error = tell(vhost, &message, 12 + sizeof vhost->sectors, -1);
  if (error == 0) error = hear(vhost, &message);
  if (error == 0 && message.size < 12 + sizeof vhost->sectors) error = -EPROTO;
  if (error < 0) return error;
  memcpy(&vhost->sectors, message.u.config.bytes, sizeof vhost->sectors);
  return vhost->sectors > 0 ? 0 : -EPROTO;
}

static int agree(struct vhost *vhost)
{
  uint64_t features = 0, protocol = 0;
  int error = ask_number(vhost, GET_FEATURES, &features);
  if (error == 0 && (features & (FEATURE_VERSION_1 | FEATURE_PROTOCOL)) != (FEATURE_VERSION_1 | FEATURE_PROTOCOL)) error = -EPROTONOSUPPORT;
  if (error == 0) error = ask_number(vhost, GET_PROTOCOL_FEATURES, &protocol);
  if (error == 0 && (protocol & PROTOCOL_CONFIG) == 0) error = -EPROTONOSUPPORT;
  if (error == 0) error = tell_number(vhost, SET_PROTOCOL_FEATURES, PROTOCOL_CONFIG, -1);
  if (error == 0) error = tell(vhost, &(struct message){.request = SET_OWNER}, 0, -1);
  if (error == 0) error = ask_size(vhost);
  return error == 0 ? tell_number(vhost, SET_FEATURES, FEATURE_VERSION_1 | FEATURE_PROTOCOL, -1) : error;
}

static int share(struct vhost *vhost)
{
  const uint64_t base = (uintptr_t)vhost->shared;
  struct message memory = {.request = SET_MEM_TABLE, .u.memory = {1, 0, 0, sizeof *vhost->shared, base, 0}};
  struct message address = {.request = SET_VRING_ADDR,
                            .u.address = {0, 0, base + offsetof(struct shared, descriptors), base + offsetof(struct shared, used), base + offsetof(struct shared, available), 0}};
  int error = tell(vhost, &memory, sizeof memory.u.memory, vhost->memory);
  if (error == 0) error = tell_state(vhost, SET_VRING_NUM, QUEUE);
  if (error == 0) error = tell_state(vhost, SET_VRING_BASE, 0);
  if (error == 0) error = tell(vhost, &address, sizeof address.u.address, -1);
  if (error == 0) error = tell_number(vhost, SET_VRING_CALL, 0, vhost->call);
  if (error == 0) error = tell_number(vhost, SET_VRING_KICK, 0, vhost->kick);
  return error == 0 ? tell_state(vhost, SET_VRING_ENABLE, 1) : error;
}

static int make(struct vhost *vhost)
{
  vhost->memory = memfd_create("vhost", MFD_CLOEXEC);
  vhost->kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  vhost->call = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (vhost->memory < 0 || vhost->kick < 0 || vhost->call < 0 || ftruncate(vhost->memory, sizeof *vhost->shared) != 0) return -errno;
  void *memory = mmap(NULL, sizeof *vhost->shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, vhost->memory, 0);
  if (memory == MAP_FAILED) return -errno;
  vhost->shared = memory;
  int error = agree(vhost);
  return error == 0 ? share(vhost) : error;
}

/** Puts a request into the queue: no other is told of it yet. */
static void put(struct vhost *vhost, uint32_t place, uint64_t sector)
{
  struct shared *shared = vhost->shared;
  const uint16_t first = (uint16_t)(place * 3);
  shared->headers[place] = (struct virtio_blk_outhdr){.type = VIRTIO_BLK_T_IN, .sector = sector};
  shared->descriptors[first] = (struct vring_desc){offsetof(struct shared, headers) + place * sizeof shared->headers[0], sizeof shared->headers[0], VRING_DESC_F_NEXT, (uint16_t)(first + 1)};
  shared->descriptors[first + 1] = (struct vring_desc){offsetof(struct shared, data) + place * SECTOR, SECTOR, VRING_DESC_F_NEXT | VRING_DESC_F_WRITE, (uint16_t)(first + 2)};
  shared->descriptors[first + 2] = (struct vring_desc){offsetof(struct shared, status) + place, 1, VRING_DESC_F_WRITE, 0};
  shared->available.ring[vhost->available++ % QUEUE] = first;
  vhost->since[place] = now_ns();
}

/** Shows the back end what was put, and wakes it unless it says that it looks anyway. */
static int push(struct vhost *vhost)
{
  const uint64_t one = 1;
  atomic_store_explicit(&vhost->shared->available.index, vhost->available, memory_order_seq_cst);
  if ((atomic_load_explicit(&vhost->shared->used.flags, memory_order_seq_cst) & VRING_USED_F_NO_NOTIFY) != 0) return 0;
  return write(vhost->kick, &one, sizeof one) == sizeof one ? 0 : -errno;
}

static int wait_for_call(struct vhost *vhost)
{
  uint64_t count;
  struct pollfd called = {.fd = vhost->call, .events = POLLIN};
  int ready = poll(&called, 1, 5000);
  if (ready == 0) return -ETIMEDOUT;
  if (ready < 0 && errno != EINTR) return -errno;
  return read(vhost->call, &count, sizeof count) < 0 && errno != EAGAIN ? -errno : 0;
}

/** Takes all answers that are there; a place that is free now gets the next request. Returns how many were taken, or -errno. */
static int take(struct vhost *vhost, struct task *task, uint32_t *open)
{
  int taken = 0;
  for (uint16_t end = atomic_load_explicit(&vhost->shared->used.index, memory_order_acquire); vhost->used != end; vhost->used++, taken++) {
    const uint32_t place = vhost->shared->used.ring[vhost->used % QUEUE].id / 3;
    if (place >= task->open || vhost->shared->status[place] != VIRTIO_BLK_S_OK) return -EIO;
    note_time(task, vhost->since[place]);
    if (now_ns() < task->until) put(vhost, place, next_sector(task, vhost->sectors));
    else --*open;
  }
  return taken;
}

int read_by_vhost(struct task *task)
{
  struct vhost vhost = {.socket = connect_to(task->where)};
  if (vhost.socket < 0) return vhost.socket;
  uint32_t open = 0;
  int error = make(&vhost);
  for (; error == 0 && open < task->open; open++) put(&vhost, open, next_sector(task, vhost.sectors));
  if (error == 0) error = push(&vhost);
  while (error >= 0 && open > 0) {
    error = take(&vhost, task, &open);
    if (error > 0) error = push(&vhost);
    else if (error == 0) error = wait_for_call(&vhost);
  }
  close(vhost.socket);
  return error < 0 ? error : 0;
}
