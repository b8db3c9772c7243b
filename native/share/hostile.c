/*
 * hostile SOCKET KIND SEED ROUNDS: a front end of vhost-user-blk that wants to do harm, as a client's QEMU could that its guest has taken over.
 *
 *   talk    messages of every kind, with any size, payload and file descriptors, in any order
 *   rings   connects as it should, then writes nonsense to the rings, and requests that make none; hangs up, and rings on
 *   wrong   says one thing that cannot be, in every other way as it should; each of a number of them, whatever SEED and ROUNDS are
 *   fill    no harm: writes a pattern of the seed to the disk's first ROUNDS sectors
 *   check   no harm: reads them, and compares
 *
 * Exit code 1: `wrong` was not hung up on; `fill` or `check` found a wrong byte, an error, or nobody who answers; 2: wrong arguments.
 */
#include "memory.h"
#include "ring.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_ring.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { NONE = -1, RING = 64, MEMORY_BYTES = 4 << 20, DATA_AT = 1 << 20, SECTOR = 512, MOST_FDS = 12, ANSWER_MS = 10000, CALL_TRIES = 3000, CONFIG_BYTES = 60 };
/* Where this client has its memory, as it says; its guest has it at 0. */
static const uint64_t USER_ADDRESS = UINT64_C(0x7f5500000000);
static const uint64_t VERSION_1 = UINT64_C(1) << 32, EVENT_INDEX = UINT64_C(1) << VIRTIO_RING_F_EVENT_IDX, INDIRECT = UINT64_C(1) << VIRTIO_RING_F_INDIRECT_DESC, PROTOCOL = UINT64_C(1) << 30;
static const uint64_t PROTOCOL_CHOSEN = 1 << 0 | 1 << 3 | 1 << 9; /* MQ, REPLY_ACK, CONFIG */

static const char *path;
static uint64_t random_state;
/* For a round: each request is as it should be, so that many are under way. */
static bool careful;
/* And where its guest has the memory, and where in the file that is. */
static uint64_t guest_address, file_offset;

static uint32_t any(uint32_t below)
{
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return (uint32_t)(random_state >> 20) % below;
}

/* Numbers at which something might go wrong. */
static uint64_t odd_number(void)
{
  static const uint64_t numbers[] = {0, 1, 2, 3, 7, 8, 9, 63, 64, 65, 255, 256, 257, 511, 1023, 1024, 1025, 4095, 4096, 4097, 32768, 65535, 65536, MEMORY_BYTES - 1, MEMORY_BYTES, MEMORY_BYTES + 1,
                                     INT32_MAX, UINT32_MAX, UINT64_C(1) << 32, UINT64_C(1) << 40, UINT64_C(1) << 46, UINT64_C(1) << 47, INT64_MAX, UINT64_MAX - MEMORY_BYTES, UINT64_MAX - 4095, UINT64_MAX};
  uint64_t number = numbers[any(sizeof numbers / sizeof *numbers)];
  switch (any(4)) {
  case 0:
    return number + USER_ADDRESS;
  case 1:
    return any(2) ? any(MEMORY_BYTES) : (uint64_t)any(UINT32_MAX) << 32 | any(UINT32_MAX);
  default:
    return number;
  }
}

/* What lies in the shared memory. */
struct shared {
  struct vring_desc descriptors[RING];
  _Alignas(4096) struct available available;
  uint16_t heads[RING + 1];
  _Alignas(4096) struct used used;
  struct used_one ones[RING + 1];
  _Alignas(4096) struct vring_desc indirect[4 * RING];
  _Alignas(4096) struct virtio_blk_outhdr headers[RING];
  uint8_t status[RING];
};

static struct client {
  int socket, memory, kick, call;
  struct shared *shared;
  uint16_t next, reaped;
} client = {NONE, NONE, NONE, NONE, NULL, 0, 0};

static void drop(int *fd)
{
  if (*fd >= 0) close(*fd);
  *fd = NONE;
}

static int new_memory(size_t bytes, int seals)
{
  int fd = memfd_create("guest", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0 || ftruncate(fd, (off_t)bytes) != 0 || fcntl(fd, F_ADD_SEALS, seals) != 0) abort();
  return fd;
}

static void renew_memory(void)
{
  if (client.shared) munmap(client.shared, MEMORY_BYTES);
  drop(&client.memory);
  drop(&client.kick);
  drop(&client.call);
  client.memory = new_memory(MEMORY_BYTES, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
  client.kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  client.call = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  client.shared = mmap(NULL, MEMORY_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, client.memory, 0);
  if (client.shared == MAP_FAILED) abort();
  client.next = client.reaped = 0;
}

/* Ends it all where nobody is there. */
static void call_up(void)
{
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  const struct timeval timeout = {ANSWER_MS / 1000, 0};
  drop(&client.socket);
  /* Whoever waits for this socket, which takes only so many callers, or whoever serves has just ended. */
  for (int tries = 0; tries < CALL_TRIES; tries++) {
    client.socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(client.socket, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    setsockopt(client.socket, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
    if (connect(client.socket, (struct sockaddr *)&address, sizeof address) == 0) return;
    drop(&client.socket);
    usleep(1000);
  }
  fputs("nobody is there\n", stderr);
  exit(1);
}

/* As the bytes are: what they say of themselves need not be so. */
static bool send_raw(const void *bytes, size_t count, const int *fds, int fd_count)
{
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(MOST_FDS * sizeof(int))];
  } control = {0};
  struct iovec all = {(void *)(uintptr_t)bytes, count};
  struct msghdr parts = {.msg_iov = &all, .msg_iovlen = 1};
  if (fd_count > 0) {
    parts.msg_control = &control;
    parts.msg_controllen = CMSG_SPACE((size_t)fd_count * sizeof(int));
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN((size_t)fd_count * sizeof(int));
    memcpy(CMSG_DATA(&control.header), fds, (size_t)fd_count * sizeof(int));
  }
  return sendmsg(client.socket, &parts, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)count;
}

/* @returns whether it was answered, where it is to be */
static bool say(struct message message, bool answered)
{
  message.flags = VERSION | (answered ? NEEDS_REPLY : 0);
  if (message_write(client.socket, &message) != 0) return false;
  if (!answered) return true;
  if (message_read(client.socket, &message) != 1) return false;
  message_close(&message);
  return true;
}

static struct message number(enum request request, uint64_t value)
{
  return (struct message){.request = request, .bytes = sizeof value, .number = value};
}
/* What a client says, in its order. @returns false: there is no more */
static bool right_message(int step, struct message *message)
{
  static const struct ring_address address = {0, 0, USER_ADDRESS + offsetof(struct shared, descriptors), USER_ADDRESS + offsetof(struct shared, used), USER_ADDRESS + offsetof(struct shared, available), 0};
  const struct message messages[] = {
    {.request = GET_FEATURES},
    {.request = GET_PROTOCOL_FEATURES},
    number(SET_PROTOCOL_FEATURES, PROTOCOL_CHOSEN),
    {.request = GET_QUEUE_NUM},
    {.request = SET_OWNER},
    {.request = GET_CONFIG, .bytes = CONFIG_HEAD_BYTES + CONFIG_BYTES, .config = {.bytes = CONFIG_BYTES}},
    number(SET_FEATURES, VERSION_1 | PROTOCOL | INDIRECT | (random_state & 1 ? EVENT_INDEX : 0)),
    {.request = SET_MEM_TABLE, .bytes = MEMORY_HEAD_BYTES + REGION_BYTES, .memory = {.count = 1, .region = {{guest_address, MEMORY_BYTES, USER_ADDRESS, file_offset}}}, .fds = {client.memory}, .fd_count = 1},
    message_of_ring(SET_VRING_NUM, 0, RING),
    message_of_ring(SET_VRING_BASE, 0, atomic_load(&client.shared->used.index)),
    {.request = SET_VRING_ADDR, .bytes = sizeof address, .address = address},
    message_with_fd(SET_VRING_CALL, 0, client.call),
    message_with_fd(SET_VRING_KICK, 0, client.kick),
    message_of_ring(SET_VRING_ENABLE, 0, 1),
  };
  if (step >= (int)(sizeof messages / sizeof *messages)) return false;
  *message = messages[step];
  return true;
}

/* The first ones are answered by something of their own; an answer to the others is to be had once that was agreed on. */
static bool introduce(int steps)
{
  struct message message;
  for (int step = 0; step < steps && right_message(step, &message); step++)
    if (!say(message, message.request != SET_PROTOCOL_FEATURES)) return false;
  return true;
}

static int some_fd(void)
{
  int pair[2];
  switch (any(11)) {
  case 0:
    return new_memory(MEMORY_BYTES, F_SEAL_SHRINK | F_SEAL_SEAL);
  case 1:
    return new_memory(any(2) ? 1 : 4096, F_SEAL_SHRINK);
  case 2:
    return new_memory(MEMORY_BYTES, F_SEAL_SHRINK | F_SEAL_WRITE);
  case 3:
    return open("/dev/null", O_RDWR | O_CLOEXEC);
  case 4:
    return open("/dev/zero", O_RDWR | O_CLOEXEC);
  case 5:
    return open("/", O_PATH | O_CLOEXEC);
  case 6:
    return open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  case 7:
    if (pipe2(pair, O_CLOEXEC) != 0) abort();
    drop(&pair[any(2)]);
    return pair[0] >= 0 ? pair[0] : pair[1];
  case 8:
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) abort();
    close(pair[1]);
    return pair[0];
  case 9: {
    /* Full, and such that a write waits for ever. */
    int full = eventfd(0, EFD_CLOEXEC);
    const uint64_t most = UINT64_MAX - 1;
    if (write(full, &most, sizeof most) != sizeof most) abort();
    return full;
  }
  default:
    return eventfd(any(3), EFD_CLOEXEC | (any(2) ? EFD_NONBLOCK : 0));
  }
}

static struct region any_region(void)
{
  struct region region = {odd_number(), odd_number(), odd_number(), odd_number()};
  if (any(2)) region.bytes = 1 + any(MEMORY_BYTES);
  if (any(2)) region.file_offset = any(2) ? 0 : any(MEMORY_BYTES);
  if (any(2)) region.user_address = USER_ADDRESS;
  return region;
}

/* Mostly where a ring could begin. */
static uint64_t some_place(void)
{
  return any(4) ? odd_number() & ~UINT64_C(15) : odd_number();
}

/* One of the protocol, with something that it should not have; or none. */
static void talk_once(int step)
{
  struct message message = {.request = any(48), .flags = any(8) ? VERSION | any(2) * NEEDS_REPLY : any(16)};
  bool right = right_message(step, &message) && any(3);
  if (!right) {
    message.fd_count = 0;
    if (any(3)) message.request = 1 + any(26);
    message.bytes = any(2) ? 8 : (uint32_t)odd_number() % 320;
    for (size_t i = 0; i < sizeof message.config; i++)
      message.config.region[i % MOST_CONFIG_BYTES] = (uint8_t)any(256);
    message.number = any(2) ? any(4) : odd_number();
  }
  message.flags = any(8) ? VERSION | any(2) * NEEDS_REPLY : any(16);
  if (any(3) == 0) switch (message.request) {
    case SET_MEM_TABLE:
      message.memory.count = any(4) ? 1 + any(9) : (uint32_t)odd_number();
      for (int i = 0; i < MOST_REGIONS; i++)
        message.memory.region[i] = any_region();
      message.bytes = MEMORY_HEAD_BYTES + (message.memory.count % 9) * REGION_BYTES;
      break;
    case SET_VRING_ADDR:
      message.bytes = sizeof message.address;
      message.address = (struct ring_address){any(4) ? 0 : (uint32_t)odd_number(), (uint32_t)odd_number(), some_place(), some_place(), some_place(), odd_number()};
      break;
    case GET_CONFIG:
    case SET_CONFIG:
      message.config.offset = (uint32_t)odd_number();
      message.config.bytes = (uint32_t)odd_number();
      if (any(2)) message.bytes = CONFIG_HEAD_BYTES + message.config.bytes % (MOST_CONFIG_BYTES + 1);
      break;
    default:
      message.number = any(2) ? any(2) * NO_FD : odd_number();
    }
  int fds[MOST_FDS], wanted = message.fd_count, count = 0;
  if (message.request == SET_MEM_TABLE) wanted = (int)(message.memory.count % 9);
  if (message.request == SET_VRING_KICK || message.request == SET_VRING_CALL || message.request == SET_BACKEND_REQ_FD) wanted = 1;
  for (count = 0; count < (any(4) ? wanted : (int)any(MOST_FDS)) && count < MOST_FDS; count++)
    fds[count] = right && count < message.fd_count && any(4) ? dup(message.fds[count]) : some_fd();
  uint8_t bytes[HEADER_BYTES + 400] = {0};
  uint32_t size = message.bytes;
  if (any(20) == 0) message.bytes = (uint32_t)odd_number();
  memcpy(bytes, &message, HEADER_BYTES);
  memcpy(bytes + HEADER_BYTES, (const uint8_t *)&message + offsetof(struct message, number), size < 330 ? (size < sizeof message.memory ? size : sizeof message.memory) : 0);
  size_t length = HEADER_BYTES + (size < 380 ? size : 380);
  if (any(20) == 0) length = 1 + any((uint32_t)length);
  send_raw(bytes, length, fds, count);
  while (count > 0)
    close(fds[--count]);
}

static void hear_out(int for_ms)
{
  char bytes[4096];
  struct pollfd polled = {client.socket, POLLIN, 0};
  while (poll(&polled, 1, for_ms) > 0 && recv(client.socket, bytes, sizeof bytes, MSG_DONTWAIT) > 0)
    ;
}

static void talk(void)
{
  renew_memory();
  call_up();
  /* Half a message is waited for at the other end. */
  const struct timeval soon = {0, 50000};
  setsockopt(client.socket, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon);
  /* As it should, but for some; then anything. */
  struct message message;
  for (int step = 0; any(30) && right_message(step, &message); step++) {
    if (any(8) == 0) talk_once(step), hear_out(1);
    else if (!say(message, message.request != SET_PROTOCOL_FEATURES)) return;
  }
  for (uint32_t count = any(12); count > 0; count--) {
    talk_once((int)any(14));
    hear_out(any(4) ? 0 : 1);
  }
  hear_out(1);
}

static void kick(void)
{
  const uint64_t one = 1;
  if (write(client.kick, &one, sizeof one) < 0) return;
}

static uint64_t some_address(void)
{
  switch (any(8)) {
  case 0:
    return odd_number();
  case 1:
    return MEMORY_BYTES - any(600);
  case 2:
    return offsetof(struct shared, indirect) + any(sizeof client.shared->indirect);
  case 3:
    return any(MEMORY_BYTES);
  default:
    return DATA_AT + any(64) * SECTOR;
  }
}

static void describe(struct vring_desc *descriptor, uint16_t count)
{
  static const uint32_t lengths[] = {0, 1, 15, 16, 17, 24, 512, 1024, 4096, 65536, MEMORY_BYTES, UINT32_MAX};
  descriptor->addr = guest_address + some_address();
  descriptor->len = any(4) ? any(16) * SECTOR : lengths[any(sizeof lengths / sizeof *lengths)];
  descriptor->flags = (uint16_t)(any(8) ? any(4) : any(65536));
  descriptor->next = (uint16_t)(any(8) ? any(count) : any(65536));
}

static struct virtio_blk_outhdr some_header(void)
{
  static const uint32_t types[] = {0, 0, 0, 1, 1, 4, 8, 11, 13, 14, 2, 16, 0x80000000u, 0x80000001u, UINT32_MAX};
  return (struct virtio_blk_outhdr){.type = any(8) ? types[any(sizeof types / sizeof *types)] : any(UINT32_MAX), .sector = any(4) ? any(2048) : odd_number()};
}

/* A request of three parts, as it should be; then something of it is changed, or not. */
static void ask(uint16_t slot, struct virtio_blk_outhdr header, uint32_t bytes)
{
  struct shared *shared = client.shared;
  uint16_t head = (uint16_t)(3 * slot);
  bool reads = header.type == VIRTIO_BLK_T_IN || header.type == VIRTIO_BLK_T_GET_ID;
  shared->headers[slot] = header;
  shared->status[slot] = 0xee;
  shared->descriptors[head] = (struct vring_desc){guest_address + offsetof(struct shared, headers) + slot * sizeof header, sizeof header, VRING_DESC_F_NEXT, (uint16_t)(head + 1)};
  shared->descriptors[head + 1] = (struct vring_desc){guest_address + DATA_AT + (uint64_t)slot * 65536, bytes, (uint16_t)(VRING_DESC_F_NEXT | (reads ? VRING_DESC_F_WRITE : 0)), (uint16_t)(head + 2)};
  shared->descriptors[head + 2] = (struct vring_desc){guest_address + offsetof(struct shared, status) + slot, 1, VRING_DESC_F_WRITE, 0};
  atomic_store(&(&shared->available)->heads[client.next & (RING - 1)], head);
  atomic_store(&shared->available.index, ++client.next);
}

static void ask_nonsense(void)
{
  struct shared *shared = client.shared;
  uint16_t slot = (uint16_t)any(RING / 3);
  if (careful) return ask(slot, (struct virtio_blk_outhdr){.type = any(2), .sector = any(2048)}, 65536);
  ask(slot, some_header(), any(4) ? (1 + any(128)) * SECTOR : any(70000));
  for (uint32_t changes = any(3) ? any(3) : 0; changes > 0; changes--)
    describe(&shared->descriptors[3 * slot + any(3)], RING);
  if (any(3) == 0) {
    /* In a table of its own. */
    uint16_t count = (uint16_t)(1 + any(4 * RING));
    for (int i = 0; i < count; i++)
      describe(&shared->indirect[i], count);
    shared->indirect[0] = (struct vring_desc){guest_address + offsetof(struct shared, headers), 16, VRING_DESC_F_NEXT, 1};
    shared->descriptors[3 * slot] = (struct vring_desc){guest_address + offsetof(struct shared, indirect), (uint32_t)(count * sizeof(struct vring_desc)) + (any(8) ? 0 : any(20)), (uint16_t)(VRING_DESC_F_INDIRECT | (any(8) ? 0 : any(4))), 0};
  }
}

static void disturb_ring(void)
{
  struct shared *shared = client.shared;
  switch (any(8)) {
  case 0:
    atomic_store(&shared->available.index, (uint16_t)any(65536));
    break;
  case 1:
    atomic_store(&shared->used.index, (uint16_t)any(65536));
    break;
  case 2:
    atomic_store(&(&shared->available)->heads[any(RING + 1)], (uint16_t)any(65536));
    break;
  case 3:
    atomic_store(&(&shared->available)->heads[any(RING + 1)], (uint16_t)any(RING));
    break;
  default:
    describe(&shared->descriptors[any(RING)], RING);
  }
}

static void restart(void)
{
  struct message message;
  switch (any(4)) {
  case 0:
    say(message_of_ring(GET_VRING_BASE, 0, 0), true);
    for (int step = (int)any(8); right_message(step, &message); step++)
      if (!say(message, message.request != SET_PROTOCOL_FEATURES)) return;
    break;
  case 1:
    if (!right_message(7, &message)) return;
    /* All of it, a little less, or what requests that are under way have their data in. */
    message.memory.region[0].bytes = any(2) ? MEMORY_BYTES - any(8) * UINT64_C(4096) : DATA_AT;
    say(message, true);
    break;
  case 2:
    say(message_of_ring(GET_VRING_BASE, 0, 0), true);
    if (right_message(7, &message)) {
      message.memory.region[0].user_address += UINT64_C(1) << 30;
      say(message, true);
    }
    break;
  default:
    say(message_of_ring(SET_VRING_ENABLE, 0, any(2)), true);
  }
}

static void rings(void)
{
  renew_memory();
  careful = any(3) == 0;
  /* At the end of all addresses; beyond its file. */
  guest_address = any(12) ? 0 : UINT64_MAX - MEMORY_BYTES;
  file_offset = any(12) ? 0 : MEMORY_BYTES;
  call_up();
  if (!introduce(14)) return;
  for (uint32_t bursts = 1 + any(8); bursts > 0; bursts--) {
    for (uint32_t count = any(careful ? RING / 3 : RING); count > 0; count--)
      ask_nonsense();
    if (!careful && any(4) == 0) disturb_ring();
    kick();
    if (any(3) == 0) usleep(any(1500));
    if (any(6) == 0) restart();
  }
  /* It hangs up while it is served, and its guest goes on. */
  drop(&client.socket);
  for (uint32_t count = any(2) ? any(100) : 0; count > 0; count--) {
    if (any(4) == 0) ask_nonsense();
    kick();
    if (any(2) == 0) usleep(any(400));
  }
}

/* Asks as it should, and waits. @returns whether it was answered that it is done */
static bool ask_and_wait(uint32_t type, uint64_t sector)
{
  ask(0, (struct virtio_blk_outhdr){.type = type, .sector = sector}, 8 * SECTOR);
  kick();
  for (int waited = 0; waited < ANSWER_MS; waited++) {
    if (atomic_load(&client.shared->used.index) == client.next) return client.shared->status[0] == VIRTIO_BLK_S_OK;
    struct pollfd polled = {client.call, POLLIN, 0};
    uint64_t count;
    if (poll(&polled, 1, 1) > 0 && read(client.call, &count, sizeof count) < 0) return false;
  }
  return false;
}

static int serve_well(bool writes, uint64_t seed, uint32_t sectors)
{
  renew_memory();
  call_up();
  if (!introduce(14)) return fputs("nobody answers\n", stderr), 1;
  uint64_t *data = (void *)((uint8_t *)client.shared + DATA_AT);
  for (uint32_t sector = 0; sector < sectors; sector += 8) {
    for (uint64_t i = 0; i < SECTOR; i++)
      data[i] = writes ? seed * UINT64_C(0x9e3779b97f4a7c15) + sector * SECTOR + i : 0;
    if (!ask_and_wait(writes ? VIRTIO_BLK_T_OUT : VIRTIO_BLK_T_IN, sector)) return fprintf(stderr, "no answer, or an error, at sector %u\n", sector), 1;
    for (uint64_t i = 0; i < SECTOR; i++)
      if (data[i] != seed * UINT64_C(0x9e3779b97f4a7c15) + sector * SECTOR + i) return fprintf(stderr, "other bytes at sector %u\n", sector), 1;
  }
  return 0;
}

/* A field of one of the messages, and what it cannot be. */
struct wrong {
  const char *what;
  enum request request;
  size_t offset, size;
  uint64_t value;
};
#define FIELD(name) offsetof(struct message, name), sizeof((struct message *)NULL)->name
#define AT(part) (USER_ADDRESS + offsetof(struct shared, part))

static bool is_refused(const struct wrong *wrong)
{
  renew_memory();
  call_up();
  struct message message;
  for (int step = 0; right_message(step, &message); step++) {
    if (wrong && message.request == wrong->request) memcpy((uint8_t *)&message + wrong->offset, &wrong->value, wrong->size);
    if (!say(message, message.request != SET_PROTOCOL_FEATURES)) return true;
  }
  return false;
}

static int say_what_is_wrong(void)
{
  const uint64_t end = USER_ADDRESS + MEMORY_BYTES;
  const struct wrong all[] = {
    {"features of before virtio 1.0", SET_FEATURES, FIELD(number), PROTOCOL},
    {"features that were not offered", SET_FEATURES, FIELD(number), UINT64_MAX},
    {"memory of no size", SET_MEM_TABLE, FIELD(memory.region[0].bytes), 0},
    {"memory beyond its file", SET_MEM_TABLE, FIELD(memory.region[0].bytes), MEMORY_BYTES + 1},
    {"memory that begins behind its file", SET_MEM_TABLE, FIELD(memory.region[0].file_offset), MEMORY_BYTES + 1},
    {"memory at the end of the guest's addresses", SET_MEM_TABLE, FIELD(memory.region[0].guest_address), UINT64_MAX - MEMORY_BYTES},
    {"memory at the end of the client's addresses", SET_MEM_TABLE, FIELD(memory.region[0].user_address), UINT64_MAX - MEMORY_BYTES},
    {"memory that can be cut short", SET_MEM_TABLE, FIELD(fds[0]), (uint64_t)new_memory(MEMORY_BYTES, F_SEAL_SEAL)},
    {"a ring of no size", SET_VRING_NUM, FIELD(state.value), 0},
    {"a ring of an odd size", SET_VRING_NUM, FIELD(state.value), RING - 1},
    {"a ring that is too large", SET_VRING_NUM, FIELD(state.value), 2 * MOST_DESCRIPTORS},
    {"a ring that there is not", SET_VRING_NUM, FIELD(state.ring), 1},
    {"descriptors at an odd address", SET_VRING_ADDR, FIELD(address.descriptors), AT(descriptors) + 8},
    {"an available ring at an odd address", SET_VRING_ADDR, FIELD(address.available), AT(available) + 1},
    {"a used ring at an odd address", SET_VRING_ADDR, FIELD(address.used), AT(used) + 2},
    {"descriptors outside of memory", SET_VRING_ADDR, FIELD(address.descriptors), end - sizeof client.shared->descriptors + sizeof(struct vring_desc)},
    {"an available ring outside of memory", SET_VRING_ADDR, FIELD(address.available), end - sizeof(struct available) - RING * sizeof(uint16_t)},
    {"a used ring outside of memory", SET_VRING_ADDR, FIELD(address.used), end - sizeof(struct used) - RING * sizeof(struct used_one)},
    {"a ring before memory", SET_VRING_ADDR, FIELD(address.available), USER_ADDRESS - 4096},
    {"a kick that is no event", SET_VRING_KICK, FIELD(fds[0]), (uint64_t)open("/dev/zero", O_RDWR | O_CLOEXEC)},
    {"a call that is no event", SET_VRING_CALL, FIELD(fds[0]), (uint64_t)open("/dev/zero", O_RDWR | O_CLOEXEC)},
  };
  int taken = 0;
  if (is_refused(NULL)) return fputs("what is right is refused\n", stderr), 1;
  for (const struct wrong *wrong = all; wrong < all + sizeof all / sizeof *all; wrong++)
    if (!is_refused(wrong)) taken = 1, fprintf(stderr, "taken: %s\n", wrong->what);
  return taken;
}

int main(int count, char **argument)
{
  if (count != 5) return 2;
  path = argument[1];
  uint64_t seed = strtoull(argument[3], NULL, 10);
  uint32_t rounds = (uint32_t)strtoul(argument[4], NULL, 10);
  random_state = 1 + seed * UINT64_C(0x9e3779b97f4a7c15);
  if (strcmp(argument[2], "fill") == 0 || strcmp(argument[2], "check") == 0) return serve_well(argument[2][0] == 'f', seed, rounds);
  if (strcmp(argument[2], "wrong") == 0) return say_what_is_wrong();
  for (uint32_t round = 0; round < rounds; round++) {
    if (strcmp(argument[2], "talk") == 0) talk();
    else if (strcmp(argument[2], "rings") == 0) rings();
    else return 2;
    if (getenv("HOSTILE_ROUNDS")) fprintf(stderr, "%u\n", round);
  }
  return 0;
}
