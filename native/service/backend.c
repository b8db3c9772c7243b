#include "backend.h"

#include "../ring/futex.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/**
 * Opens the client's memory for reading and writing; first without the file's own open, which a client's file system could make last
 * for ever. That it is shared memory is told by its device, as all of that has one, and no file system has it too.
 */
static int open_memory(const struct announcement *line, dev_t memory_device)
{
  char path[64];
  struct statx info;
  snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)line->process.pid, line->ring_fd);
  int place = open(path, O_PATH | O_CLOEXEC);
  if (place < 0) return -1;
  bool is_memory = statx(place, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_INO, &info) == 0 &&
                   makedev(info.stx_dev_major, info.stx_dev_minor) == memory_device && S_ISREG(info.stx_mode);
  snprintf(path, sizeof path, "/proc/self/fd/%d", place);
  int fd = is_memory ? open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK) : -1;
  close(place);
  return fd;
}

static const char *map_ring(struct backend *backend, int fd)
{
  struct stat info;
  uint32_t slots = backend->line.slots;
  if (!ring_slots_valid(slots)) return "its number of slots is not one";
  int seals = fcntl(fd, F_GET_SEALS);
  if (seals < 0 || (seals & F_SEAL_SHRINK) == 0) return "its memory is not sealed against shrinking";
  if (fstat(fd, &info) != 0 || info.st_ino != backend->line.inode) return "its memory is not what it announced";
  if (info.st_size != (off_t)ring_bytes(slots)) return "its memory has another size than its slots need";
  void *memory = mmap(NULL, ring_bytes(slots), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
  if (memory == MAP_FAILED) return "its memory cannot be mapped";
  backend->view = ring_view(memory, slots);
  const struct ring_shared *shared = backend->view.shared;
  if (shared->magic != RING_MAGIC || shared->version != RING_VERSION) return "its memory is not a ring of this version";
  if (atomic_load(&shared->state) != RING_OFFERED) return "it has been served before";
  return NULL;
}

struct backend *backend_attach(const struct announcement *line, dev_t memory_device, const char **why)
{
  struct backend *backend = calloc(1, sizeof *backend);
  *why = "there is no memory";
  if (!backend) return NULL;
  backend->line = *line;
  backend->pidfd = process_open(line->process);
  *why = "its process is not there";
  if (backend->pidfd >= 0) {
    int fd = open_memory(line, memory_device);
    *why = fd < 0 ? "its memory is not ordinary shared memory, or cannot be opened" : map_ring(backend, fd);
    if (fd >= 0) close(fd);
    if (!*why && !process_is(line->process)) *why = "its process has ended";
  }
  if (*why) {
    backend_free(backend);
    return NULL;
  }
  backend->served = true;
  return backend;
}

void backend_free(struct backend *backend)
{
  if (backend->view.shared) munmap(backend->view.shared, backend->view.bytes);
  if (backend->pidfd >= 0) close(backend->pidfd);
  free(backend);
}

void backend_tell(struct backend *backend, enum ring_state state)
{
  atomic_store(&backend->view.shared->state, (uint32_t)state);
  futex_wake(&backend->view.shared->state);
  for (uint32_t slot = 0; slot < backend->view.slots; slot++)
    if (ring_must_wake(&backend->view.bells[slot])) futex_wake(&backend->view.bells[slot].bell);
}
