#include "announce.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LARGEST_FILE (1 << 20) /* over ten thousand clients: more is not ours */

/** Never waits: not for one who holds a lease of the file (fcntl(2)), who is then as one that has it locked, nor for what is no file. */
static int open_clients(int run)
{
  int fd = openat(run, RING_CLIENTS_FILE, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW, 0600);
  return fd < 0 ? -errno : fd;
}

static int try_lock(int fd)
{
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  if (fcntl(fd, F_OFD_SETLK, &lock) == 0) return 0;
  return errno == EACCES || errno == EAGAIN ? -EWOULDBLOCK : -errno;
}

/** Returns the file's descriptor with its lock held, or -errno; -EWOULDBLOCK if another has it. */
static int lock_clients(int run)
{
  int fd = open_clients(run);
  int locked = fd < 0 ? fd : try_lock(fd);
  if (fd >= 0 && locked < 0) close(fd);
  return locked < 0 ? locked : fd;
}

int announce_add(int run, const struct announcement *line, int timeout_ms)
{
  int fd;
  // Asked for again and again rather than waited for: whoever sits on the lock must not stop us for ever.
  for (int waited = 0; (fd = lock_clients(run)) == -EWOULDBLOCK && waited < timeout_ms; waited++) usleep(1000);
  if (fd < 0) return fd == -EWOULDBLOCK ? -ETIMEDOUT : fd;
  char text[128];
  // On a line of its own, whatever was left without an end before it.
  int length = snprintf(text, sizeof text, "\n%d %" PRIu64 " %d %u %" PRIu64 "\n", (int)line->process.pid, line->process.start_time, line->ring_fd,
                        line->slots, line->inode);
  ssize_t wrote = write(fd, text, (size_t)length);
  int result = wrote == length ? 0 : wrote < 0 ? -errno : -ENOSPC;
  close(fd);
  return result;
}

/** The whole file as a string to be freed, or NULL with errno. */
static char *read_whole(int fd)
{
  struct stat info;
  if (fstat(fd, &info) != 0) return NULL;
  size_t size = info.st_size > LARGEST_FILE ? 0 : (size_t)info.st_size;
  char *text = malloc(size + 1);
  if (!text) return NULL;
  ssize_t got = pread(fd, text, size, 0);
  if (got < 0) {
    free(text);
    return NULL;
  }
  text[got] = 0;
  return text;
}

static bool parse(const char *text, struct announcement *line)
{
  int pid, used = 0;
  if (sscanf(text, "%d %" SCNu64 " %d %u %" SCNu64 "%n", &pid, &line->process.start_time, &line->ring_fd, &line->slots, &line->inode, &used) != 5) return false;
  line->process.pid = pid;
  return pid > 0 && line->ring_fd >= 0 && text[used] == 0;
}

int announce_sweep(int run, bool (*keep)(void *context, const struct announcement *line), void *context)
{
  int fd = lock_clients(run);
  if (fd < 0) return fd;
  char *text = read_whole(fd);
  int result = text ? 0 : -errno;
  if (result == 0) {
    struct stat info;
    size_t kept = 0, had = strlen(text);
    char *rest = text;
    for (char *one; (one = strsep(&rest, "\n"));) {
      struct announcement line;
      size_t length = strlen(one);
      if (!rest || !parse(one, &line) || !keep(context, &line)) continue;
      memmove(text + kept, one, length);
      kept += length;
      text[kept++] = '\n';
    }
    // Lines only go, so what stays is never longer than what was there, and a reader holds the lock: no copy is needed.
    bool changed = kept != had || (fstat(fd, &info) == 0 && (size_t)info.st_size != had);
    if (changed && (ftruncate(fd, 0) != 0 || write(fd, text, kept) != (ssize_t)kept)) result = -errno;
  }
  free(text);
  close(fd);
  return result;
}
