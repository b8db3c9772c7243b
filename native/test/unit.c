/** What can be tested without a service. Ends with 1 at the first thing that is not as it should be. */
#include "../client/load.h"
#include "../ring/announce.h"
#include "../ring/statistics.h"
#include "../service/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define expect(truth) ((truth) ? (void)0 : (fprintf(stderr, "%s:%d: expected %s\n", __FILE__, __LINE__, #truth), exit(1)))

static uint64_t state = 1;

static uint64_t any(uint64_t below)
{
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (state >> 33) % below;
}

static void fill(unsigned char *data, uint64_t sector)
{
  for (unsigned i = 0; i < RING_SECTOR; i++) data[i] = (unsigned char)(sector * 31 + i * (sector + 1));
}

static bool get_right(struct cache *cache, uint64_t sector)
{
  unsigned char wanted[RING_SECTOR];
  const unsigned char *data = cache_get(cache, sector);
  fill(wanted, sector);
  expect(!data || memcmp(data, wanted, RING_SECTOR) == 0);
  return data != NULL;
}

static bool ask(struct cache *cache, uint64_t sector)
{
  unsigned char data[RING_SECTOR];
  if (get_right(cache, sector)) return true;
  fill(data, sector);
  cache_put(cache, sector, data);
  return false;
}

static void a_cache_gives_what_was_put_and_stays_within_its_bytes(void)
{
  static const size_t sizes[] = {0, 1, 600, 1000, 5000, 100000, 1000000};
  for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    struct cache *cache = cache_make(sizes[i]);
    expect(cache && cache_bytes(cache) <= sizes[i]);
    uint32_t found = 0;
    for (unsigned n = 0; n < 200000; n++) ask(cache, any(2) ? any(50) : any(1 << 20) << any(40));
    for (uint64_t sector = 0; sector < 50; sector++) found += get_right(cache, sector);
    expect(found <= cache_capacity(cache));
    expect(cache_capacity(cache) < 200 || found == 50);
    cache_free(cache);
  }
}

static void a_scan_does_not_drive_out_what_is_used(void)
{
  struct cache *cache = cache_make(600000);
  uint32_t used = cache_capacity(cache) / 2, kept = 0;
  for (unsigned round = 0; round < 20; round++)
    for (uint64_t sector = 0; sector < used; sector++) ask(cache, sector);
  for (uint64_t sector = 1000000; sector < 1100000; sector++) ask(cache, sector);
  for (uint64_t sector = 0; sector < used; sector++) kept += get_right(cache, sector);
  expect(kept >= used * 9 / 10);
  cache_free(cache);
}

static void figures_of_threads_add_up(void)
{
  struct load_result all = {0}, parts[3] = {{0}}, sum = {0};
  double squares = 0;
  for (unsigned i = 0; i < 3000; i++) {
    double ns = 1e6 + (double)any(100000);
    load_add(&all, ns);
    load_add(&parts[i % 7 % 3], ns);
  }
  for (unsigned i = 0; i < 3; i++) load_merge(&sum, &parts[i]);
  squares = fabs(all.squares - sum.squares) / all.squares;
  expect(sum.count == 3000 && sum.min == all.min && sum.max == all.max);
  expect(fabs(sum.mean - all.mean) < 1e-6 * all.mean && squares < 1e-6);
}

static void buckets_hold_what_they_say(void)
{
  expect(statistics_bucket(0) == 0 && statistics_bucket(1) == 0);
  expect(statistics_bucket(2) == 2 && statistics_bucket(3) == 3 && statistics_bucket(4) == 4);
  expect(statistics_bucket(1024) == 20 && statistics_bucket(1535) == 20 && statistics_bucket(1536) == 21 && statistics_bucket(2047) == 21);
  expect(statistics_bucket(UINT64_MAX) == STATISTICS_BUCKETS - 1);
}

static void parts_of_a_ring_do_not_overlap(void)
{
  for (uint32_t slots = RING_MIN_SLOTS; slots <= RING_MAX_SLOTS; slots *= 2) {
    void *memory = aligned_alloc(4096, ring_bytes(slots));
    struct ring_view view = ring_view(memory, slots);
    expect(ring_slots_valid(slots) && !ring_slots_valid(slots + 1));
    expect((void *)view.bells >= (void *)(view.shared + 1) && (void *)(view.bells + slots) <= (void *)view.requests);
    expect((void *)(view.requests + slots) <= (void *)view.responses && (void *)(view.responses + slots) <= (void *)view.data);
    expect(view.data + (size_t)slots * RING_SECTOR <= (unsigned char *)memory + view.bytes && ((uintptr_t)view.data & 4095u) == 0);
    free(memory);
  }
}

struct seen {
  int count;
  pid_t last, unwanted;
};

static bool note(void *context, const struct announcement *line)
{
  struct seen *seen = context;
  seen->count++;
  seen->last = line->process.pid;
  return line->process.pid != seen->unwanted;
}

static void append(int run, const char *text)
{
  int fd = openat(run, RING_CLIENTS_FILE, O_WRONLY | O_APPEND | O_CREAT, 0600);
  expect(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
  close(fd);
}

static void the_clients_file_bears_rubbish(int run)
{
  struct announcement one = {{11, 22}, 33, 16, 77}, two = {{44, 55}, 66, 32, 88};
  struct seen seen = {.unwanted = 11};
  append(run, "\n\nnonsense\n-4 1 2 3\n1 2 3 4\n1 2 3 4 5 6\n99999999999999999999 1 1 1\n");
  expect(announce_add(run, &one, 100) == 0 && announce_add(run, &two, 100) == 0);
  append(run, "77 88 9");
  expect(announce_sweep(run, note, &seen) == 0 && seen.count == 2);
  seen = (struct seen){0};
  expect(announce_sweep(run, note, &seen) == 0 && seen.count == 1 && seen.last == 44);
}

/** A process that takes the lock and then sleeps, or dies with it. */
static pid_t lock_elsewhere(int run, bool dies)
{
  int ready[2];
  char byte;
  expect(pipe(ready) == 0);
  pid_t child = fork();
  if (child == 0) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = openat(run, RING_CLIENTS_FILE, O_RDWR | O_CREAT, 0600);
    if (fcntl(fd, F_OFD_SETLK, &lock) != 0) _exit(1);
    if (write(ready[1], "x", 1) != 1 || dies) _exit(0);
    for (;;) pause();
  }
  expect(read(ready[0], &byte, 1) == 1);
  close(ready[0]);
  close(ready[1]);
  return child;
}

static void who_holds_the_lock_stops_nobody_for_ever(int run)
{
  struct announcement line = {{1, 2}, 3, 16, 4};
  struct seen seen = {0};
  pid_t child = lock_elsewhere(run, false);
  expect(announce_add(run, &line, 20) == -ETIMEDOUT && announce_sweep(run, note, &seen) == -EWOULDBLOCK);
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
  waitpid(lock_elsewhere(run, true), NULL, 0);
  expect(announce_add(run, &line, 20) == 0);
}

int main(void)
{
  char folder[] = "/tmp/ring-unit-XXXXXX";
  expect(mkdtemp(folder));
  int run = open(folder, O_RDONLY | O_DIRECTORY);
  a_cache_gives_what_was_put_and_stays_within_its_bytes();
  a_scan_does_not_drive_out_what_is_used();
  figures_of_threads_add_up();
  buckets_hold_what_they_say();
  parts_of_a_ring_do_not_overlap();
  the_clients_file_bears_rubbish(run);
  who_holds_the_lock_stops_nobody_for_ever(run);
  unlinkat(run, RING_CLIENTS_FILE, 0);
  rmdir(folder);
  return 0;
}
