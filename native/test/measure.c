/**
 * Figures for the benchmark: one line of JSON each.
 *   measure pingpong spin|sleep COUNT          two processes and two words, nothing else: the least that a round trip can be
 *   measure hit SPIN_US COUNT                  one sector again and again, from the cache
 *   measure load THREADS MILLISECONDS SPIN_US  random sectors
 */
#include "../client/front.h"
#include "../ring/futex.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

static int by_size(const void *a, const void *b)
{
  const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

/** Times in nanoseconds; sorts them. */
static void print_times(uint32_t *times, size_t count, double seconds)
{
  double sum = 0;
  qsort(times, count, sizeof *times, by_size);
  for (size_t i = 0; i < count; i++) sum += times[i];
  if (count == 0) return;
  printf("{\"count\":%zu,\"seconds\":%.4f,\"meanNs\":%.1f,\"medianNs\":%u,\"p99Ns\":%u}\n", count, seconds, sum / (double)count, times[count / 2], times[count * 99 / 100]);
}

static void await(_Atomic uint32_t *word, uint32_t value, bool spins)
{
  for (uint32_t seen; (seen = atomic_load_explicit(word, memory_order_acquire)) != value;) {
    if (spins) cpu_relax();
    else futex_wait(word, seen, NULL);
  }
}

static void say(_Atomic uint32_t *word, uint32_t value, bool spins)
{
  atomic_store_explicit(word, value, memory_order_release);
  if (!spins) futex_wake(word);
}

static int pingpong(bool spins, uint32_t count, uint32_t *times)
{
  unsigned char *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return -errno;
  _Atomic uint32_t *ping = (_Atomic uint32_t *)(void *)memory, *pong = (_Atomic uint32_t *)(void *)(memory + 256);
  pid_t child = fork();
  if (child < 0) return -errno;
  uint64_t began = now_ns();
  for (uint32_t n = 1; n <= count; n++) {
    if (child == 0) {
      await(ping, n, spins);
      say(pong, n, spins);
      continue;
    }
    uint64_t since = now_ns();
    say(ping, n, spins);
    await(pong, n, spins);
    times[n - 1] = (uint32_t)(now_ns() - since);
  }
  if (child == 0) _exit(0);
  double seconds = (double)(now_ns() - began) / 1e9;
  waitpid(child, NULL, 0);
  print_times(times, count, seconds);
  return 0;
}

static int hit(uint64_t spin_us, uint32_t count, uint32_t *times)
{
  struct front *front;
  unsigned char data[RING_SECTOR];
  int error = front_open(&(struct front_options){.threads = 1, .spin_ns = spin_us * 1000}, &front);
  for (uint32_t n = 0; n < 100 && error == 0; n++) error = front_read(front, 0, 7, data);
  uint64_t began = now_ns();
  for (uint32_t n = 0; n < count && error == 0; n++) {
    uint64_t since = now_ns();
    error = front_read(front, 0, 7, data);
    times[n] = (uint32_t)(now_ns() - since);
  }
  if (error == 0) print_times(times, count, (double)(now_ns() - began) / 1e9);
  return error;
}

struct reader {
  pthread_t thread;
  struct front *front;
  uint32_t slot;
  uint64_t sectors, until, random;
  uint32_t *times;
  size_t count, room;
  int error;
};

static void *read_on(void *context)
{
  struct reader *reader = context;
  unsigned char data[RING_SECTOR];
  for (uint64_t since; (since = now_ns()) < reader->until && reader->count < reader->room && reader->error == 0;) {
    reader->random = reader->random * 6364136223846793005u + 1442695040888963407u;
    reader->error = front_read(reader->front, reader->slot, (reader->random >> 20) % reader->sectors, data);
    reader->times[reader->count++] = (uint32_t)(now_ns() - since);
  }
  return NULL;
}

static int load(uint32_t threads, uint64_t milliseconds, uint64_t spin_us, uint32_t *times, size_t room)
{
  struct front *front;
  struct ring_info info;
  int error = front_open(&(struct front_options){.threads = threads, .spin_ns = spin_us * 1000}, &front);
  if (error == 0) error = front_info(front, 0, &info);
  if (error < 0) return error;
  struct reader *readers = calloc(threads, sizeof *readers);
  if (!readers) return -ENOMEM;
  uint64_t began = now_ns();
  for (uint32_t i = 0; i < threads && error == 0; i++) {
    size_t part = room / threads;
    readers[i] = (struct reader){.front = front, .slot = i, .sectors = info.last_sector + 1, .until = began + milliseconds * 1000000, .random = began * (i + 1),
                                 .times = times + part * i, .room = part};
    error = -pthread_create(&readers[i].thread, NULL, read_on, &readers[i]);
  }
  if (error < 0) return error;
  size_t count = 0;
  for (uint32_t i = 0; i < threads; i++) {
    pthread_join(readers[i].thread, NULL);
    if (readers[i].error != 0) error = readers[i].error;
    memmove(times + count, readers[i].times, readers[i].count * sizeof *times);
    count += readers[i].count;
  }
  if (error == 0) print_times(times, count, (double)(now_ns() - began) / 1e9);
  return error;
}

int main(int count, char **words)
{
  const size_t room = 4000000;
  uint32_t *times = malloc(room * sizeof *times);
  int error = -EINVAL;
  if (!times) return 1;
  if (count == 4 && strcmp(words[1], "pingpong") == 0) error = pingpong(strcmp(words[2], "spin") == 0, (uint32_t)atoi(words[3]), times);
  if (count == 4 && strcmp(words[1], "hit") == 0) error = hit((uint64_t)atoi(words[2]), (uint32_t)atoi(words[3]), times);
  if (count == 5 && strcmp(words[1], "load") == 0) error = load((uint32_t)atoi(words[2]), (uint64_t)atoi(words[3]), (uint64_t)atoi(words[4]), times, room);
  if (error < 0) fprintf(stderr, "measure: %s\n", strerror(-error));
  return error < 0 ? 1 : 0;
}
