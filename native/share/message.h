/*
 * Messages of the vhost-user protocol, as they stand on the socket: a header, a payload, and descriptors beside them.
 * Source: docs/interop/vhost-user.rst, QEMU 7.2.
 */
#ifndef STRATA_MESSAGE_H
#define STRATA_MESSAGE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum request {
  GET_FEATURES = 1, SET_FEATURES, SET_OWNER, RESET_OWNER, SET_MEM_TABLE, SET_LOG_BASE, SET_LOG_FD, SET_VRING_NUM, SET_VRING_ADDR, SET_VRING_BASE,
  GET_VRING_BASE, SET_VRING_KICK, SET_VRING_CALL, SET_VRING_ERR, GET_PROTOCOL_FEATURES, SET_PROTOCOL_FEATURES, GET_QUEUE_NUM, SET_VRING_ENABLE,
  SET_BACKEND_REQ_FD = 21, GET_CONFIG = 24, SET_CONFIG = 25
};

/* In `flags`. */
enum { VERSION = 0x1, REPLY = 0x4, NEEDS_REPLY = 0x8 };
/* In the payload of the three messages that carry an eventfd: its lowest byte is the ring. */
enum { RING_MASK = 0xff, NO_FD = 0x100 };
enum { MOST_REGIONS = 8, MOST_CONFIG_BYTES = 256, HEADER_BYTES = 12, CONFIG_HEAD_BYTES = 12, MEMORY_HEAD_BYTES = 8, REGION_BYTES = 32 };

struct ring_state {
  uint32_t ring, value;
};
/* In the address space of whoever sent it: of a client's QEMU. */
struct ring_address {
  uint32_t ring, flags;
  uint64_t descriptors, used, available, log;
};
struct region {
  uint64_t guest_address, bytes, user_address, file_offset;
};
struct memory_table {
  uint32_t count, padding;
  struct region region[MOST_REGIONS];
};
struct device_config {
  uint32_t offset, bytes, flags;
  uint8_t region[MOST_CONFIG_BYTES];
};

struct message {
  uint32_t request, flags, bytes;
  union {
    uint64_t number;
    struct ring_state state;
    struct ring_address address;
    struct memory_table memory;
    struct device_config config;
  };
  int fds[MOST_REGIONS], fd_count;
};

/* Reads one, whose descriptors are the caller's then. @returns 1; 0: the other side has hung up; -EPROTO: it is none; -errno */
int message_read(int socket, struct message *message);

/* @returns 0 or -errno */
int message_write(int socket, const struct message *message);

/* Whether what a client sent has the size, and such descriptors, as its kind is to have. */
bool message_is_whole(const struct message *message);

void message_close(struct message *message);

/* What tells of a ring: a number, or an eventfd; -1: that there is none. */
struct message message_of_ring(enum request request, uint32_t ring, uint32_t value);
struct message message_with_fd(enum request request, uint32_t ring, int fd);
#endif
