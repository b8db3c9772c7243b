/*
 * receive SOCKET RAM DEVICES BLOCK: waits for QEMU at a Unix socket, and takes the migration stream that it sends apart as it comes: the pages of a RAM
 * block into the flat file RAM, where what was never sent stays a hole, and everything else into DEVICES. Both are new files.
 *
 * Says "ready" when QEMU may call. When all was taken it waits for the end of its standard input: until then the guest may stand still, and should not have
 * to wait for the disk. Then it says "memory BYTES", when all of it is on disk. Exit code 1: a file, with its name, the reason and errno; 3:
 * the stream. It ends with the process that started it.
 */
#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

enum { BUFFER_BYTES = 4 << 20, PAGES_AT_ONCE = 512, WRITE_BACK_BYTES = 8 << 20 };
enum { EXIT_FILE = 1, EXIT_USAGE = 2, EXIT_STREAM = 3 };

struct file {
  const char *path;
  int fd;
};

/* Pages that follow each other, and wait to be written together. */
struct run {
  uint64_t offset;
  int pages;
  struct iovec page[PAGES_AT_ONCE];
};

struct taking {
  struct file ram, devices;
  uint64_t memory_bytes, devices_bytes;
  /* A bit for each page that was written. */
  uint8_t *written;
  struct run run;
  uint64_t unsynced;
  /* The file that an error is about. */
  const struct file *failed;
};

static void die(int code, const char *what, const char *why)
{
  fprintf(stderr, "receive: %s: %s\n", what, why);
  exit(code);
}

static void die_of(const char *path, int error)
{
  fprintf(stderr, "receive: %s: %s (%s)\n", path, strerror(error), strerrorname_np(error));
  exit(EXIT_FILE);
}

static int failed(struct taking *taking, const struct file *file)
{
  taking->failed = file;
  return -errno;
}

static int settle(void *owner)
{
  struct taking *taking = owner;
  struct run *run = &taking->run;
  struct iovec *page = run->page;
  uint64_t bytes = (uint64_t)run->pages * PAGE_BYTES;
  for (int left = run->pages; left > 0;) {
    ssize_t done = pwritev(taking->ram.fd, page, left, (off_t)run->offset);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return failed(taking, &taking->ram);
    run->offset += (uint64_t)done;
    for (; left > 0 && (size_t)done >= page->iov_len; page++, left--)
      done -= (ssize_t)page->iov_len;
    if (left > 0) page->iov_base = (uint8_t *)page->iov_base + done, page->iov_len -= (size_t)done;
  }
  run->pages = 0;
  taking->unsynced += bytes;
  /* The disk begins with it while more comes, so that little is left to wait for at the end. */
  if (taking->unsynced >= WRITE_BACK_BYTES) {
    sync_file_range(taking->ram.fd, 0, 0, SYNC_FILE_RANGE_WRITE);
    taking->unsynced = 0;
  }
  return 0;
}

static int on_memory(void *owner, uint64_t bytes)
{
  struct taking *taking = owner;
  free(taking->written);
  taking->memory_bytes = bytes;
  taking->written = calloc(bytes / PAGE_BYTES / 8 + 1, 1);
  return taking->written ? 0 : -ENOMEM;
}

static int on_page(void *owner, uint64_t offset, const uint8_t *page)
{
  struct taking *taking = owner;
  struct run *run = &taking->run;
  if (run->pages > 0 && (run->pages == PAGES_AT_ONCE || offset != run->offset + (uint64_t)run->pages * PAGE_BYTES)) {
    int error = settle(taking);
    if (error) return error;
  }
  if (run->pages == 0) run->offset = offset;
  run->page[run->pages++] = (struct iovec){(void *)(uintptr_t)page, PAGE_BYTES};
  taking->written[offset / PAGE_BYTES / 8] |= (uint8_t)(1u << offset / PAGE_BYTES % 8);
  return 0;
}

/* A page that became zeros after it was sent; one that never was sent is a hole. */
static int on_zero_page(void *owner, uint64_t offset)
{
  static const uint8_t zeros[PAGE_BYTES];
  struct taking *taking = owner;
  return taking->written[offset / PAGE_BYTES / 8] & 1u << offset / PAGE_BYTES % 8 ? on_page(owner, offset, zeros) : 0;
}

static int on_rest(void *owner, const uint8_t *bytes, size_t count)
{
  struct taking *taking = owner;
  while (count > 0) {
    ssize_t done = pwrite(taking->devices.fd, bytes, count, (off_t)taking->devices_bytes);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return failed(taking, &taking->devices);
    bytes += done, count -= (size_t)done, taking->devices_bytes += (uint64_t)done;
  }
  return 0;
}

static int take(struct stream *stream, int socket)
{
  uint8_t *buffer = malloc(BUFFER_BYTES);
  size_t held = 0;
  long done = buffer ? 0 : -ENOMEM;
  while (done >= 0) {
    ssize_t count = read(socket, buffer + held, BUFFER_BYTES - held);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) { /* a process that is killed resets its connections */
      done = stream_end(stream);
      break;
    }
    held += (size_t)count;
    done = stream_read(stream, buffer, held);
    if (done > 0) memmove(buffer, buffer + done, held -= (size_t)done);
  }
  free(buffer);
  return (int)done;
}

static void create(struct file *file, const char *path)
{
  *file = (struct file){path, open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
  if (file->fd < 0) die_of(path, errno);
}

/* Waits for one who calls; nobody else can. */
static int accept_one(const char *path)
{
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (strlen(path) >= sizeof address.sun_path) die_of(path, ENAMETOOLONG);
  strcpy(address.sun_path, path);
  unlink(path);
  umask(0177);
  if (listening < 0 || bind(listening, (struct sockaddr *)&address, sizeof address) != 0 || listen(listening, 1) != 0) die_of(path, errno);
  puts("ready");
  fflush(stdout);
  int caller;
  while ((caller = accept4(listening, NULL, NULL, SOCK_CLOEXEC)) < 0 && errno == EINTR)
    ;
  if (caller < 0) die_of(path, errno);
  close(listening);
  unlink(path);
  return caller;
}

/* In pieces: while the disk has all of it to write, whoever writes to another file waits, as QEMU does for the log of the guest's console. */
static void finish(const struct file *file, uint64_t bytes)
{
  if (ftruncate(file->fd, (off_t)bytes) != 0) die_of(file->path, errno);
  for (uint64_t at = 0; at < bytes; at += WRITE_BACK_BYTES)
    if (sync_file_range(file->fd, (off_t)at, WRITE_BACK_BYTES, SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER) != 0) die_of(file->path, errno);
  if (fdatasync(file->fd) != 0 || close(file->fd) != 0) die_of(file->path, errno);
}

int main(int count, char **argument)
{
  static struct taking taking;
  if (count != 5) die(EXIT_USAGE, "usage", "receive SOCKET RAM DEVICES BLOCK");
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  create(&taking.ram, argument[2]);
  create(&taking.devices, argument[3]);
  struct stream_sink sink = {&taking, on_memory, on_page, on_zero_page, on_rest, settle};
  struct stream stream = {.sink = &sink, .wanted = argument[4]};
  int error = take(&stream, accept_one(argument[1]));
  if (error == -EPROTO) die(EXIT_STREAM, "the stream", stream.broken);
  if (error) die_of(taking.failed ? taking.failed->path : "memory", -error);
  while (getchar() != EOF)
    ;
  finish(&taking.ram, taking.memory_bytes);
  finish(&taking.devices, taking.devices_bytes);
  printf("memory %" PRIu64 "\n", taking.memory_bytes);
  return 0;
}
