/**
 * bin/reader ring|nbd|vhost-user-blk WHERE OPEN MILLISECONDS: reads random sectors, OPEN at a time, and prints a line of JSON. WHERE is
 * the folder of the ring, or a socket of qemu-storage-daemon. NBD and vhost-user-blk keep their requests open from one thread, as QEMU
 * does; the ring's are synchronous, so each has a thread of its own.
 */
#include "way.h"

#include "../client/front.h"
#include "../ring/futex.h"
#include "../ring/outcome.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define SPIN_NS 10000u
#define ROOM 4000000u

uint64_t next_sector(struct task *task, uint64_t sectors)
{
  task->random = task->random * 6364136223846793005u + 1442695040888963407u;
  return (task->random >> 20) % sectors;
}

void note_time(struct task *task, uint64_t since)
{
  if (task->times.count < task->times.room) task->times.ns[task->times.count++] = (uint32_t)(now_ns() - since);
}

int connect_to(const char *path)
{
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) return -ENAMETOOLONG;
  strcpy(address.sun_path, path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) return fd;
  int error = -errno;
  close(fd);
  return error;
}

int send_all(int fd, const void *data, size_t bytes)
{
  for (const char *at = data; bytes > 0;) {
    ssize_t sent = send(fd, at, bytes, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return -errno;
    at += sent;
    bytes -= (size_t)sent;
  }
  return 0;
}

int receive_all(int fd, void *data, size_t bytes)
{
  for (char *at = data; bytes > 0;) {
    ssize_t got = recv(fd, at, bytes, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return got < 0 ? -errno : -ECONNRESET;
    at += got;
    bytes -= (size_t)got;
  }
  return 0;
}

struct reader {
  pthread_t thread;
  struct task task;
  struct front *front;
  uint32_t slot;
  uint64_t sectors;
  int error;
};

static void *read_on(void *context)
{
  struct reader *reader = context;
  unsigned char data[SECTOR];
  for (uint64_t since; reader->error == 0 && (since = now_ns()) < reader->task.until;) {
    reader->error = front_read(reader->front, reader->slot, next_sector(&reader->task, reader->sectors), data);
    if (reader->error == 0) note_time(&reader->task, since);
  }
  return NULL;
}

/** Starts the threads, waits for them, and brings their times together. */
static int run_readers(struct reader *readers, struct task *task, struct front *front, uint64_t sectors)
{
  uint32_t started = 0;
  int error = 0;
  for (; started < task->open && error == 0; started++) {
    struct reader *reader = &readers[started];
    *reader = (struct reader){.task = *task, .front = front, .slot = started, .sectors = sectors};
    reader->task.random = next_sector(task, UINT64_MAX >> 20) + started;
    reader->task.times.room = task->times.room / task->open;
    reader->task.times.ns = task->times.ns + reader->task.times.room * started;
    error = -pthread_create(&reader->thread, NULL, read_on, reader);
  }
  if (error < 0) started--;
  for (uint32_t i = 0; i < started; i++) {
    pthread_join(readers[i].thread, NULL);
    if (readers[i].error < 0) error = readers[i].error;
    memmove(task->times.ns + task->times.count, readers[i].task.times.ns, readers[i].task.times.count * sizeof *task->times.ns);
    task->times.count += readers[i].task.times.count;
  }
  return error;
}

int read_by_ring(struct task *task)
{
  struct front *front;
  struct ring_info info;
  struct reader *readers = calloc(task->open, sizeof *readers);
  if (!readers) return -ENOMEM;
  int error = front_open(&(struct front_options){.folder = task->where, .threads = task->open, .spin_ns = SPIN_NS}, &front);
  if (error == 0) {
    error = front_info(front, 0, &info);
    if (error == 0) error = run_readers(readers, task, front, info.last_sector + 1);
    front_close(front);
  }
  free(readers);
  return error;
}

static int by_size(const void *a, const void *b)
{
  const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

static void print(struct times *times, double seconds)
{
  double sum = 0;
  qsort(times->ns, times->count, sizeof *times->ns, by_size);
  for (size_t i = 0; i < times->count; i++) sum += times->ns[i];
  printf("{\"perSecond\":%.1f,\"meanNs\":%.1f,\"medianNs\":%u,\"p99Ns\":%u}\n", (double)times->count / seconds, sum / (double)times->count, times->ns[times->count / 2],
         times->ns[times->count * 99 / 100]);
}

int main(int count, char **words)
{
  int (*way)(struct task *) = count != 5 ? NULL : strcmp(words[1], "ring") == 0 ? read_by_ring : strcmp(words[1], "nbd") == 0 ? read_by_nbd : strcmp(words[1], "vhost-user-blk") == 0 ? read_by_vhost : NULL;
  const unsigned long open = count == 5 ? strtoul(words[3], NULL, 10) : 0, milliseconds = count == 5 ? strtoul(words[4], NULL, 10) : 0;
  if (!way || open < 1 || open > MOST_OPEN || milliseconds < 1 || milliseconds > 60000)
    return fail(OUTCOME_USAGE, "usage: reader ring|nbd|vhost-user-blk WHERE OPEN MILLISECONDS\n  WHERE  the folder of the ring, or a socket\n  OPEN   reads at a time, 1 to %u", MOST_OPEN);
  const uint64_t began = now_ns();
  struct task task = {.where = words[2], .open = (uint32_t)open, .until = began + milliseconds * 1000000, .random = began, .times = {.ns = malloc(ROOM * sizeof(uint32_t)), .room = ROOM}};
  int error = task.times.ns ? way(&task) : -ENOMEM;
  if (error == 0 && task.times.count == 0) error = -ETIMEDOUT;
  if (error < 0) return fail(OUTCOME_FAILED, "The sectors could not be read by %s: %s.", words[1], strerror(-error));
  print(&task.times, (double)(now_ns() - began) / 1e9);
  return OUTCOME_OK;
}
