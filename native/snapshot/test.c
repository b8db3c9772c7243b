/*
 * test FILE ROUNDS: a stream in a file, damaged and cut at random, taken apart under sanitizers. It may be refused, but never read beyond its end,
 * and never tell a page outside of memory. Prints "ok".
 */
#include "stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t memory_bytes;
static unsigned long sum;

static int on_memory(void *owner, uint64_t bytes)
{
  (void)owner;
  memory_bytes = bytes;
  return 0;
}

static int on_page(void *owner, uint64_t offset, const uint8_t *page)
{
  (void)owner;
  if (offset > memory_bytes - PAGE_BYTES || memory_bytes < PAGE_BYTES) abort();
  for (int i = 0; i < PAGE_BYTES; i++)
    sum += page[i];
  return 0;
}

static int on_zero_page(void *owner, uint64_t offset)
{
  (void)owner;
  if (offset > memory_bytes - PAGE_BYTES || memory_bytes < PAGE_BYTES) abort();
  return 0;
}

static int on_rest(void *owner, const uint8_t *bytes, size_t count)
{
  (void)owner;
  for (size_t i = 0; i < count; i++)
    sum += bytes[i];
  return 0;
}

static int settle(void *owner)
{
  (void)owner;
  return 0;
}

/* Each piece in memory of its own, so that a sanitizer sees a read beyond its end. */
static void read_cut(const uint8_t *whole, size_t count)
{
  struct stream_sink sink = {NULL, on_memory, on_page, on_zero_page, on_rest, settle};
  struct stream stream = {.sink = &sink, .wanted = "mem"};
  memory_bytes = 0;
  for (size_t at = 0, end = 0; at < count;) {
    end += 1 + (size_t)rand() % 9000;
    if (end > count) end = count;
    uint8_t *piece = malloc(end - at);
    if (!piece) abort();
    memcpy(piece, whole + at, end - at);
    long done = stream_read(&stream, piece, end - at);
    free(piece);
    if (done < 0) return;
    if ((size_t)done > end - at || end - at - (size_t)done >= LONGEST_ITEM) abort();
    at += (size_t)done;
    if (end == count && done == 0) break;
  }
  stream_end(&stream);
}

int main(int count, char **argument)
{
  static uint8_t whole[1 << 20], damaged[sizeof whole];
  FILE *file = count == 3 ? fopen(argument[1], "rb") : NULL;
  if (!file) return 2;
  size_t bytes = fread(whole, 1, sizeof whole, file);
  fclose(file);
  srand(42);
  for (long round = atol(argument[2]); round > 0; round--) {
    memcpy(damaged, whole, bytes);
    for (int changes = rand() % 4; changes > 0; changes--)
      damaged[(size_t)rand() % bytes] = (uint8_t)(rand() % 3 == 0 ? 0xff : rand());
    read_cut(damaged, rand() % 2 ? bytes : (size_t)rand() % bytes);
  }
  puts(sum > 0 ? "ok" : "nothing was read");
  return 0;
}
