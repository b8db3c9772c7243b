#include "load.h"

#include "../ring/futex.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define MOST_MEMORY ((uint64_t)256 << 20) /* of all threads, for sectors that are not in the file yet */

/** What a thread does: requests `first` to `first + count - 1` of all. */
struct worker {
  struct front *front;
  const struct load_options *options;
  pthread_t thread;
  uint32_t slot;
  uint64_t first, count, batch;
  uint64_t *sectors; /* of all requests: each thread fills its part */
  uint64_t random;
  pthread_barrier_t *start;
  uint64_t began, ended;
  struct load_result times;
  int error;
};

void load_add(struct load_result *into, double ns)
{
  double away = ns - into->mean;
  if (into->count++ == 0 || ns < into->min) into->min = ns;
  if (ns > into->max) into->max = ns;
  into->mean += away / (double)into->count;
  into->squares += away * (ns - into->mean);
}

void load_merge(struct load_result *into, const struct load_result *more)
{
  if (more->count == 0) return;
  double before = (double)into->count, added = (double)more->count, all = before + added;
  double away = more->mean - into->mean;
  if (into->count == 0 || more->min < into->min) into->min = more->min;
  if (more->max > into->max) into->max = more->max;
  into->mean += away * added / all;
  into->squares += more->squares + away * away * before * added / all;
  into->count += more->count;
}

/** splitmix64: a good random number from every state. */
static uint64_t next_random(uint64_t *state)
{
  uint64_t z = (*state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

/** A sector of the image, each as likely as any other: numbers are scaled, not cut, so that small ones are not favoured. */
static uint64_t random_sector(struct worker *worker)
{
  const struct ring_info *info = &worker->options->info;
  unsigned __int128 wide = (unsigned __int128)next_random(&worker->random) * (info->last_sector - info->first_sector + 1);
  return info->first_sector + (uint64_t)(wide >> 64);
}

static int write_at(int fd, const void *data, size_t bytes, off_t at)
{
  for (const char *from = data; bytes > 0;) {
    ssize_t wrote = pwrite(fd, from, bytes, at);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return -errno;
    from += wrote;
    at += wrote;
    bytes -= (size_t)wrote;
  }
  return 0;
}

static int read_batch(struct worker *worker, uint64_t from, uint64_t count, unsigned char *data)
{
  for (uint64_t i = 0; i < count; i++) {
    uint64_t sector = random_sector(worker);
    uint64_t since = now_ns();
    int result = front_read(worker->front, worker->slot, sector, data + i * RING_SECTOR);
    if (result < 0) return result;
    worker->ended = now_ns();
    load_add(&worker->times, (double)(worker->ended - since));
    worker->sectors[from + i] = sector;
  }
  return write_at(worker->options->reads_file, data, count * RING_SECTOR, (off_t)(from * RING_SECTOR));
}

static void *work(void *context)
{
  struct worker *worker = context;
  unsigned char *data = malloc(worker->batch * RING_SECTOR);
  // Touched now, so that no request pays for a page fault.
  if (data) for (size_t at = 0; at < worker->batch * RING_SECTOR; at += 4096) ((volatile unsigned char *)data)[at] = 0;
  pthread_barrier_wait(worker->start);
  worker->began = worker->ended = now_ns();
  worker->error = data ? 0 : -ENOMEM;
  for (uint64_t done = 0; done < worker->count && worker->error == 0; done += worker->batch) {
    uint64_t count = worker->count - done < worker->batch ? worker->count - done : worker->batch;
    worker->error = read_batch(worker, worker->first + done, count, data);
  }
  free(data);
  return NULL;
}

static int write_sectors(int fd, const uint64_t *sectors, uint64_t count)
{
  FILE *file = fdopen(dup(fd), "w");
  if (!file) return -errno;
  for (uint64_t i = 0; i < count; i++) fprintf(file, "%" PRIu64 "\n", sectors[i]);
  int bad = ferror(file);
  return fclose(file) != 0 || bad ? -EIO : 0;
}

/** Starts the threads; they wait for each other and for us. Returns how many there are: fewer than wanted if the system has no more. */
static uint32_t start_workers(struct worker *workers, uint32_t count)
{
  uint32_t started = 0;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 128 * 1024);
  while (started < count && pthread_create(&workers[started].thread, &attributes, work, &workers[started]) == 0) started++;
  pthread_attr_destroy(&attributes);
  return started;
}

static int gather(const struct worker *workers, uint32_t count, struct load_result *result)
{
  uint64_t began = UINT64_MAX, ended = 0;
  int error = 0;
  for (uint32_t i = 0; i < count; i++) {
    if (workers[i].count == 0) continue;
    if (workers[i].error != 0) error = workers[i].error;
    if (workers[i].began < began) began = workers[i].began;
    if (workers[i].ended > ended) ended = workers[i].ended;
    load_merge(result, &workers[i].times);
  }
  result->elapsed = (double)(ended - began);
  return error;
}

int load_run(struct front *front, const struct load_options *options, struct load_result *result)
{
  uint32_t count = options->threads;
  uint64_t largest = options->requests / count + 1, affordable = MOST_MEMORY / RING_SECTOR / count;
  struct worker *workers = calloc(count, sizeof *workers);
  uint64_t *sectors = calloc(options->requests, sizeof *sectors);
  pthread_barrier_t start;
  int error = workers && sectors ? -pthread_barrier_init(&start, NULL, count) : -ENOMEM;
  *result = (struct load_result){0};
  if (error == 0) {
    uint64_t seed = options->seed;
    for (uint32_t i = 0; i < count; i++) {
      uint64_t first = options->requests / count * i + (i < options->requests % count ? i : options->requests % count);
      workers[i] = (struct worker){.front = front, .options = options, .slot = i, .first = first, .sectors = sectors, .start = &start};
      workers[i].count = options->requests / count + (i < options->requests % count);
      workers[i].batch = largest < affordable ? largest : affordable;
      workers[i].random = next_random(&seed);
    }
    // Threads that wait for others that cannot be started would wait for ever: the process ends with the error instead.
    uint32_t started = start_workers(workers, count);
    if (started < count) return -EAGAIN;
    for (uint32_t i = 0; i < count; i++) pthread_join(workers[i].thread, NULL);
    error = gather(workers, count, result);
    if (error == 0) error = write_sectors(options->sectors_file, sectors, options->requests);
    pthread_barrier_destroy(&start);
  }
  free(sectors);
  free(workers);
  return error;
}
