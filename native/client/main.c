/** bin/client THREADS REQUESTS: reads random sectors through the ring, prints one line of figures, keeps what it read. */
#include "load.h"

#include "../ring/futex.h"
#include "../ring/outcome.h"

#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SPIN_NS 10000u /* longer than an answer from the cache takes, shorter than one from a disk */

static bool parse_number(const char *text, uint64_t most, uint64_t *number)
{
  char *end;
  errno = 0;
  *number = strtoull(text, &end, 10);
  return errno == 0 && *text >= '0' && *text <= '9' && *end == 0 && *number >= 1 && *number <= most;
}

static enum outcome say_ring(int error)
{
  switch (error) {
  case -ENOENT:
    return fail(OUTCOME_NOT_RUNNING, "No service runs in this folder. Start it: ./bin/service start");
  case -EBUSY:
    return fail(OUTCOME_FAILED, "Another program holds the lock of run/clients.");
  case -ETIMEDOUT:
    return fail(OUTCOME_FAILED, "The service does not answer.");
  case -EPIPE:
    return fail(OUTCOME_FAILED, "The service ended before all sectors were read.");
  case -EPROTO:
    return fail(OUTCOME_FAILED, "The service does not serve this ring any more.");
  case -EAGAIN:
    return fail(OUTCOME_FAILED, "The system does not allow so many threads.");
  default:
    return fail(OUTCOME_FAILED, "The sectors could not be read: %s.", strerror(-error));
  }
}

/** A number, with one decimal where it is fractional. */
static void print_number(double value, char end)
{
  char text[64];
  int length = snprintf(text, sizeof text, "%.1f", value);
  if (length > 2 && strcmp(text + length - 2, ".0") == 0) text[length - 2] = 0;
  printf("%s%c", text, end);
}

static void print_line(const struct load_result *result)
{
  print_number(result->max, '|');
  print_number(result->mean, '|');
  print_number(result->min, '|');
  print_number(sqrt(result->squares / (double)result->count), '|');
  print_number((double)result->count * 1e9 / result->elapsed, '\n');
}

static int open_output(const char *kind)
{
  char name[32];
  snprintf(name, sizeof name, "%s.%d", kind, (int)getpid());
  int fd = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) fprintf(stderr, "%s cannot be written: %s.\n", name, strerror(errno));
  return fd;
}

int main(int count, char **words)
{
  uint64_t threads, requests;
  if (count != 3 || !parse_number(words[1], RING_MAX_SLOTS, &threads) || !parse_number(words[2], UINT64_C(1) << 32, &requests))
    return fail(OUTCOME_USAGE, "usage: client THREADS REQUESTS\n  THREADS   1 to %u\n  REQUESTS  in all, at least 1", RING_MAX_SLOTS);
  struct front *front;
  int error = front_open(&(struct front_options){.threads = (uint32_t)threads, .spin_ns = SPIN_NS}, &front);
  if (error < 0) return (int)say_ring(error);
  struct load_options options = {.threads = (uint32_t)threads, .requests = requests, .seed = now_ns() ^ ((uint64_t)getpid() << 40)};
  options.sectors_file = open_output("sectors");
  options.reads_file = options.sectors_file < 0 ? -1 : open_output("read");
  if (options.reads_file < 0) return OUTCOME_FAILED;
  struct load_result result;
  error = front_info(front, 0, &options.info);
  if (error == 0) error = load_run(front, &options, &result);
  if (error < 0) return (int)say_ring(error);
  front_close(front);
  print_line(&result);
  return fflush(stdout) == 0 ? OUTCOME_OK : OUTCOME_FAILED;
}
