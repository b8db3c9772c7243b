#include "account.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

struct account *account_open(const char *path)
{
  int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return NULL;
  /* Its room is taken at once: whoever writes to a page that a full file system cannot give is killed. */
  int error = posix_fallocate(file, 0, sizeof(struct account));
  void *mapped = error ? MAP_FAILED : mmap(NULL, sizeof(struct account), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (!error && mapped == MAP_FAILED) error = errno;
  close(file);
  errno = error;
  return error ? NULL : mapped;
}

const struct ring *account_of(const struct account *account, uint32_t index)
{
  const struct kept_ring *kept = &account->rings[index];
  return &kept->copies[atomic_load(&kept->current) & 1];
}

void account_keep(struct account *account, uint32_t index, const struct ring *ring)
{
  struct kept_ring *kept = &account->rings[index];
  uint32_t next = (atomic_load(&kept->current) & 1) ^ 1;
  kept->copies[next] = *ring;
  atomic_store(&kept->current, next);
}
