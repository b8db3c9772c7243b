/*
 * copy SOURCE TARGET: copies the memory of a guest that runs. SOURCE is the file that QEMU has it in, mapped shared; TARGET a file of holes.
 *
 *   all of it ──> what differs now, and again ──> "nearly BYTES" ──line on stdin: the guest stands still──> what differs now ──> "copied BYTES"
 *
 * What the guest changed is found by comparing with the copy: that is exact, whoever wrote it by whatever way, and needs nothing of QEMU or the kernel. It
 * takes the time of reading both, a few GB a second for each processor, so it is for guests that have not much more in use. What the guest never touched is a hole
 * in SOURCE, and costs nothing; zeros become holes in TARGET.
 *
 * Exit code 1: a file, with its name, the reason and errno. It ends with the process that started it.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE_BYTES = 4096, STRIPE_BYTES = 4 << 20, MOST_THREADS = 8 };
/*
 * While the guest runs: the more is copied then, the less is left for when it stands still. A round that found this little is the last, but for the first one:
 * the second maps what the first has written.
 */
enum { FEWEST_ROUNDS = 2, MOST_ROUNDS = 3, LITTLE_BYTES = 1 << 20 };
enum { EXIT_FILE = 1, EXIT_USAGE = 2 };

/*
 * A page that was a hole in SOURCE must not be read there, nor one in TARGET: the kernel would fill it. What was found once is not looked for again: that is
 * slow, and one at a time for all threads.
 */
enum { HOLE = 0, ZEROS, COPIED };

struct copy {
  const char *source_path, *target_path;
  int target_fd;
  uint64_t bytes;
  const uint8_t *source, *target;
  /* What is known of each page. */
  uint8_t *known;
  /* Of the stripe that is the next to be copied. */
  atomic_uint_least64_t next;
  atomic_uint_least64_t changed;
  atomic_int error;
};

static const uint8_t zeros[PAGE_BYTES];

static void die_of(const char *path, int error)
{
  fprintf(stderr, "copy: %s: %s (%s)\n", path, strerror(error), strerrorname_np(error));
  exit(EXIT_FILE);
}

static int write_all(int fd, const uint8_t *bytes, uint64_t count, uint64_t offset)
{
  while (count > 0) {
    ssize_t done = pwrite(fd, bytes, count, (off_t)offset);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return errno;
    bytes += done, count -= (uint64_t)done, offset += (uint64_t)done;
  }
  return 0;
}

static bool differs(const struct copy *copy, uint64_t offset)
{
  const uint8_t *copied = copy->known[offset / PAGE_BYTES] == COPIED ? copy->target + offset : zeros;
  return memcmp(copy->source + offset, copied, PAGE_BYTES) != 0;
}

/* Pages that differ and follow each other are written together. */
static int bring(struct copy *copy, uint64_t from, uint64_t to)
{
  memset(copy->known + from / PAGE_BYTES, COPIED, (to - from) / PAGE_BYTES);
  copy->changed += to - from;
  return write_all(copy->target_fd, copy->source + from, to - from, from);
}

static int copy_data(struct copy *copy, uint64_t from, uint64_t to)
{
  int error = 0;
  uint64_t run = from;
  for (uint64_t at = from; at < to && error == 0; at += PAGE_BYTES) {
    if (differs(copy, at)) continue;
    if (run < at) error = bring(copy, run, at);
    run = at + PAGE_BYTES;
  }
  return error == 0 && run < to ? bring(copy, run, to) : error;
}

/* Where what is known to be data, or what is not, ends. */
static uint64_t end_of(const struct copy *copy, bool known, uint64_t from, uint64_t to)
{
  while (from < to && (copy->known[from / PAGE_BYTES] != HOLE) == known)
    from += PAGE_BYTES;
  return from;
}

/* Where in SOURCE the next data or hole begins, at most `to`. */
static uint64_t seek(int fd, uint64_t from, uint64_t to, int what)
{
  if (from >= to) return to;
  off_t found = lseek(fd, (off_t)from, what);
  return found < 0 || (uint64_t)found > to ? to : (uint64_t)found; /* ENXIO: a hole to the end; it cannot fail otherwise */
}

/* Each thread seeks by a descriptor of its own: one has one position. */
static int open_source(const struct copy *copy)
{
  int fd = open(copy->source_path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) die_of(copy->source_path, errno);
  return fd;
}

static void *work(void *owner)
{
  struct copy *copy = owner;
  int fd = open_source(copy), error = 0;
  for (uint64_t at; copy->error == 0 && (at = atomic_fetch_add(&copy->next, STRIPE_BYTES)) < copy->bytes;) {
    uint64_t end = copy->bytes - at > STRIPE_BYTES ? at + STRIPE_BYTES : copy->bytes;
    for (uint64_t to; at < end && error == 0; at = to) {
      to = end_of(copy, true, at, end);
      if (to == at) {
        uint64_t unknown = end_of(copy, false, at, end);
        at = seek(fd, at, unknown, SEEK_DATA);
        to = seek(fd, at, unknown, SEEK_HOLE);
        memset(copy->known + at / PAGE_BYTES, ZEROS, (to - at) / PAGE_BYTES);
      }
      error = copy_data(copy, at, to);
    }
    if (error) copy->error = error;
  }
  close(fd);
  return NULL;
}

/* @returns how many bytes differed */
static uint64_t copy_round(struct copy *copy)
{
  copy->next = 0;
  copy->changed = 0;
  long threads = sysconf(_SC_NPROCESSORS_ONLN);
  if (threads > MOST_THREADS) threads = MOST_THREADS;
  pthread_t others[MOST_THREADS];
  long started = 0;
  while (started + 1 < threads && pthread_create(&others[started], NULL, work, copy) == 0)
    started++;
  work(copy);
  while (started > 0)
    pthread_join(others[--started], NULL);
  if (copy->error) die_of(copy->target_path, copy->error);
  return copy->changed;
}

static const uint8_t *map(int fd, uint64_t bytes, const char *path)
{
  void *mapped = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
  if (mapped == MAP_FAILED) die_of(path, errno);
  return mapped;
}

static void open_both(struct copy *copy)
{
  struct stat facts;
  int source_fd = open_source(copy);
  if (fstat(source_fd, &facts) != 0) die_of(copy->source_path, errno);
  copy->bytes = (uint64_t)facts.st_size;
  if (copy->bytes == 0 || copy->bytes % PAGE_BYTES != 0) die_of(copy->source_path, EINVAL);
  copy->target_fd = open(copy->target_path, O_RDWR | O_CLOEXEC);
  if (copy->target_fd < 0 || ftruncate(copy->target_fd, facts.st_size) != 0) die_of(copy->target_path, errno);
  copy->source = map(source_fd, copy->bytes, copy->source_path);
  close(source_fd);
  copy->target = map(copy->target_fd, copy->bytes, copy->target_path);
  copy->known = calloc(copy->bytes / PAGE_BYTES, 1);
  if (!copy->known) die_of("memory", ENOMEM);
}

static void say(const char *what, uint64_t bytes)
{
  printf("%s %" PRIu64 "\n", what, bytes);
  fflush(stdout);
}

int main(int count, char **argument)
{
  if (count != 3) {
    fputs("usage: copy SOURCE TARGET\n", stderr);
    return EXIT_USAGE;
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  struct copy copy = {.source_path = argument[1], .target_path = argument[2]};
  open_both(&copy);
  uint64_t changed = copy_round(&copy);
  for (int round = 1; round < FEWEST_ROUNDS || (round < MOST_ROUNDS && changed > LITTLE_BYTES); round++)
    changed = copy_round(&copy);
  say("nearly", changed);
  if (getchar() != '\n') return EXIT_USAGE;
  say("copied", copy_round(&copy));
  return 0;
}
