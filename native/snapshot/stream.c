#include "stream.h"

#include <errno.h>
#include <string.h>

/* migration/savevm.c */
enum { MAGIC = 0x5145564d, VERSION = 3 };
enum { SECTION_START = 1, SECTION_PART = 2, SECTION_LAST = 3, SECTION_FULL = 4, SUBSECTION = 5, SECTION_CONFIGURATION = 7, SECTION_FOOTER = 0x7e };
/* migration/ram.c: flags in the low bits of a page's address */
enum { FLAG_ZERO = 2, FLAG_MEMORY_SIZE = 4, FLAG_PAGE = 8, FLAG_END_OF_SECTION = 0x10, FLAG_SAME_BLOCK = 0x20, FLAGS = 0xfff };
/* A configuration names the machine type. */
enum { LONGEST_CONFIGURATION = 4096 };

/* What lies at the place that is being read. */
struct item {
  /* 0: not all of it is there yet. */
  size_t bytes;
  /* No part of the rest: a page of the wanted block, or what only a stream without memory has. */
  bool taken;
};
static const struct item NOT_YET = {0, false};

static uint32_t u32(const uint8_t *at)
{
  return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static uint64_t u64(const uint8_t *at)
{
  return (uint64_t)u32(at) << 32 | u32(at + 4);
}

static int broken(struct stream *stream, const char *why)
{
  stream->broken = why;
  return -EPROTO;
}

/* A name behind its length. */
static bool named(const uint8_t *at, const char *name)
{
  return at[0] == strlen(name) && memcmp(at + 1, name, at[0]) == 0;
}

static int read_header(struct stream *stream, const uint8_t *at, size_t left, struct item *item)
{
  if (left < 8) return 0;
  if (u32(at) != MAGIC || u32(at + 4) != VERSION) return broken(stream, "it does not begin like one");
  stream->state = SECTION;
  item->bytes = 8;
  return 0;
}

static int read_section(struct stream *stream, const uint8_t *at, size_t left, struct item *item)
{
  if (left < 6) return 0;
  if (at[0] == SECTION_CONFIGURATION) {
    if (u32(at + 1) > LONGEST_CONFIGURATION - 5) return broken(stream, "its configuration has no end");
    item->bytes = left < 5 + u32(at + 1) ? 0 : 5 + u32(at + 1);
    if (item->bytes > 0) stream->state = CONFIGURATION;
    return 0;
  }
  uint32_t id = u32(at + 1);
  if (at[0] == SECTION_START || at[0] == SECTION_FULL) {
    size_t bytes = 6 + (size_t)at[5] + 8;
    if (left < bytes) return 0;
    if (named(at + 5, "ram")) {
      stream->has_ram = true;
      stream->ram_id = id;
      item->bytes = bytes;
    }
  } else if ((at[0] == SECTION_PART || at[0] == SECTION_LAST) && stream->has_ram && id == stream->ram_id)
    item->bytes = 5;
  stream->state = item->bytes > 0 ? RECORDS : REST;
  return 0;
}

/* Behind the machine type: the capabilities that the stream needs, if there are any. */
static int read_configuration(struct stream *stream, const uint8_t *at, size_t left, struct item *item)
{
  static const char CAPABILITIES[] = "configuration/capabilities";
  size_t bytes = 2 + sizeof CAPABILITIES - 1 + 4 + 4; /* no section is shorter than two bytes, and more follow it */
  if (left < 2) return 0;
  if (at[0] != SUBSECTION) {
    stream->state = SECTION;
    return read_section(stream, at, left, item);
  }
  if (left < bytes) return 0;
  if (!named(at + 1, CAPABILITIES)) return broken(stream, "its configuration has a part of an unknown kind");
  stream->capabilities_left = u32(at + bytes - 4);
  stream->state = stream->capabilities_left > 0 ? CAPABILITY : CONFIGURATION;
  *item = (struct item){bytes, true};
  return 0;
}

static int read_capability(struct stream *stream, const uint8_t *at, size_t left, struct item *item)
{
  size_t bytes = 1 + (size_t)at[0]; /* there is at least one byte */
  if (left < bytes) return 0;
  if (!named(at, "x-ignore-shared")) return broken(stream, "it needs a capability that is not known");
  stream->has_addresses = true;
  if (--stream->capabilities_left == 0) stream->state = CONFIGURATION;
  *item = (struct item){bytes, true};
  return 0;
}

/* Older machine types have no footer. */
static int read_footer(struct stream *stream, const uint8_t *at, size_t left, struct item *item)
{
  if (left < 5) return 0; /* a section, too, has at least as many */
  stream->state = SECTION;
  item->bytes = at[0] == SECTION_FOOTER ? 5 : 0;
  return at[0] == SECTION_FOOTER ? 0 : read_section(stream, at, left, item);
}

static int read_page(struct stream *stream, const uint8_t *at, size_t left, struct item *item)
{
  unsigned flags = u32(at + 4) & FLAGS;
  uint64_t offset = u64(at) & ~(uint64_t)FLAGS;
  size_t bytes = 8;
  bool in_wanted = stream->in_wanted, zero = (flags & FLAG_ZERO) != 0;
  if (!(flags & FLAG_SAME_BLOCK)) {
    if (left < 9 || left < 9 + (size_t)at[8]) return 0;
    in_wanted = named(at + 8, stream->wanted);
    bytes += 1 + (size_t)at[8];
  }
  if (!zero && !(flags & FLAG_PAGE)) return broken(stream, "it has pages of an unknown kind");
  const uint8_t *page = at + bytes;
  bytes += zero ? 1 : PAGE_BYTES;
  if (left < bytes) return 0;
  stream->in_wanted = in_wanted;
  *item = (struct item){bytes, in_wanted};
  if (!in_wanted) return 0;
  if (offset >= stream->memory_bytes) return broken(stream, "a page lies beyond the end of memory");
  return zero ? stream->sink->zero_page(stream->sink->owner, offset) : stream->sink->page(stream->sink->owner, offset, page);
}

static int read_record(struct stream *stream, const uint8_t *at, size_t left, struct item *item)
{
  if (left < 8) return 0;
  unsigned flags = u32(at + 4) & FLAGS;
  if (flags & FLAG_END_OF_SECTION) {
    stream->state = FOOTER;
  } else if (flags & FLAG_MEMORY_SIZE) {
    stream->blocks_left = u64(at) & ~(uint64_t)FLAGS;
    stream->state = stream->blocks_left > 0 ? BLOCKS : RECORDS;
  } else
    return read_page(stream, at, left, item);
  item->bytes = 8;
  return 0;
}

static int after_block(const struct stream *stream)
{
  return stream->blocks_left > 0 ? BLOCKS : RECORDS;
}

/* One entry of the list of RAM blocks: name and size. */
static int read_block(struct stream *stream, const uint8_t *at, size_t left, struct item *item)
{
  size_t bytes = 1 + (size_t)at[0] + 8; /* there is at least one byte */
  if (left < bytes) return 0;
  uint64_t size = u64(at + bytes - 8);
  if (size > stream->blocks_left) return broken(stream, "its blocks are larger than all memory");
  stream->blocks_left -= size;
  stream->state = stream->has_addresses ? ADDRESS : after_block(stream);
  item->bytes = bytes;
  if (!named(at, stream->wanted)) return 0;
  if (size % PAGE_BYTES != 0) return broken(stream, "its memory does not end with a page");
  stream->memory_bytes = size;
  return stream->sink->memory(stream->sink->owner, size);
}

static int read_address(struct stream *stream, size_t left, struct item *item)
{
  if (left < 8) return 0;
  stream->state = after_block(stream);
  *item = (struct item){8, true};
  return 0;
}

static int read_item(struct stream *stream, const uint8_t *at, size_t left, struct item *item)
{
  *item = NOT_YET;
  switch (stream->state) {
  case HEADER:
    return read_header(stream, at, left, item);
  case SECTION:
    return read_section(stream, at, left, item);
  case CONFIGURATION:
    return read_configuration(stream, at, left, item);
  case CAPABILITY:
    return read_capability(stream, at, left, item);
  case RECORDS:
    return read_record(stream, at, left, item);
  case BLOCKS:
    return read_block(stream, at, left, item);
  case ADDRESS:
    return read_address(stream, left, item);
  case FOOTER:
    return read_footer(stream, at, left, item);
  case REST:
    item->bytes = left;
    return 0;
  }
  return -EINVAL;
}

long stream_read(struct stream *stream, const uint8_t *bytes, size_t count)
{
  const struct stream_sink *sink = stream->sink;
  size_t at = 0, rest_from = 0;
  int error = 0;
  while (at < count && error == 0) {
    struct item item;
    error = read_item(stream, bytes + at, count - at, &item);
    if (error == 0 && item.bytes == 0 && stream->state != REST) break;
    if (error == 0 && item.taken) {
      if (at > rest_from) error = sink->rest(sink->owner, bytes + rest_from, at - rest_from);
      rest_from = at + item.bytes;
    }
    at += item.bytes;
  }
  if (error == 0 && at > rest_from) error = sink->rest(sink->owner, bytes + rest_from, at - rest_from);
  if (error == 0) error = sink->settle(sink->owner);
  return error == 0 ? (long)at : error;
}

int stream_end(struct stream *stream)
{
  return stream->state == REST ? 0 : broken(stream, "it ended before the state of the devices");
}
