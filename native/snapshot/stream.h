/*
 * QEMU's migration stream taken apart: the pages of one RAM block here, everything else there, which together is a valid stream that loads all
 * but the guest's memory.
 *
 *   header ──> section ──"ram"──> records ──end of section──> footer ──> section ...
 *                 └── any other: devices follow, all of which belongs to the rest
 *
 * A stream without the guest's memory (capability `x-ignore-shared`) says so in its configuration, and has an address behind each block's size. Neither is
 * passed on: the rest is the same whether memory came with it or not.
 *
 * Source: migration/savevm.c and migration/ram.c, QEMU 7.2; the format of pages has been the same since 2.4.
 */
#ifndef STRATA_STREAM_H
#define STRATA_STREAM_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PAGE_BYTES = 4096, LONGEST_ITEM = 9 + 255 + PAGE_BYTES };

/* Each answers 0, or -errno, which ends the reading. Bytes are only good during the call, pages until `settle`. */
struct stream_sink {
  void *owner;
  /* The block's size: told before its first page. */
  int (*memory)(void *owner, uint64_t bytes);
  int (*page)(void *owner, uint64_t offset, const uint8_t *page);
  int (*zero_page)(void *owner, uint64_t offset);
  int (*rest)(void *owner, const uint8_t *bytes, size_t count);
  /* Pages that were told must be kept now: their bytes are about to change. */
  int (*settle)(void *owner);
};

struct stream {
  const struct stream_sink *sink;
  /* QEMU's name of the block whose pages are wanted: the id of the memory backend. */
  const char *wanted;
  enum { HEADER, SECTION, CONFIGURATION, CAPABILITY, RECORDS, BLOCKS, ADDRESS, FOOTER, REST } state;
  bool has_ram, in_wanted, has_addresses;
  uint32_t capabilities_left;
  uint32_t ram_id;
  uint64_t memory_bytes, blocks_left;
  /* Why it cannot be read; NULL as long as it can. */
  const char *broken;
};

/*
 * Reads as much as is whole.
 * @returns how many bytes were taken, fewer than LONGEST_ITEM less than there are; -EPROTO: it is no stream of the known format (see
 * `broken`); what a sink answered
 */
long stream_read(struct stream *stream, const uint8_t *bytes, size_t count);

/* No more comes. @returns 0, or -EPROTO: it was cut off before the devices */
int stream_end(struct stream *stream);
#endif
