#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* No address space is larger; and what is added to an address in it stays a number: QEMU 7.2's export does not look whether it does. */
static const uint64_t MOST_BYTES = UINT64_C(1) << 46, MOST_ADDRESS = UINT64_C(1) << 62;

/* Whether it stays as long as it is: what is mapped beyond a file's end ends a process. A guest that was restored has a file with a name, which cannot be sealed. */
static bool stays(int fd, const struct stat *file)
{
  int seals = fcntl(fd, F_GET_SEALS);
  return file->st_nlink > 0 || (seals >= 0 && seals & F_SEAL_SHRINK);
}

static int map(struct memory *memory, uint32_t index)
{
  const struct region *region = &memory->table.region[index];
  struct stat file;
  if (fstat(memory->fds[index], &file) != 0) return -errno;
  uint64_t length = (uint64_t)file.st_size;
  if (region->bytes == 0 || region->bytes > MOST_BYTES || region->file_offset > length || region->bytes > length - region->file_offset) return -ERANGE;
  if (region->user_address > MOST_ADDRESS || region->guest_address > MOST_ADDRESS) return -ERANGE;
  if (!stays(memory->fds[index], &file)) return -EPERM;
  /* From the start of the file, as the offset need not be that of a page. */
  void *mapped = mmap(NULL, region->file_offset + region->bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, memory->fds[index], 0);
  if (mapped == MAP_FAILED) return -errno;
  memory->mapped[index] = mapped;
  return 0;
}

static bool is_same_file(int one, int other)
{
  struct stat a, b;
  return fstat(one, &a) == 0 && fstat(other, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

bool memory_is(const struct memory *memory, const struct message *message)
{
  const struct memory_table *table = &message->memory;
  if (table->count != memory->table.count || memcmp(table->region, memory->table.region, table->count * sizeof *table->region) != 0) return false;
  for (uint32_t i = 0; i < table->count; i++)
    if (!is_same_file(memory->fds[i], message->fds[i])) return false;
  return true;
}

int memory_take(struct memory *memory, struct message *message)
{
  memory_drop(memory);
  memory->table = message->memory;
  memcpy(memory->fds, message->fds, sizeof memory->fds);
  message->fd_count = 0;
  for (uint32_t i = 0; i < memory->table.count; i++) {
    int error = map(memory, i);
    if (error) {
      memory_drop(memory);
      return error;
    }
  }
  return 0;
}

void memory_drop(struct memory *memory)
{
  for (uint32_t i = 0; i < memory->table.count; i++) {
    const struct region *region = &memory->table.region[i];
    if (memory->mapped[i]) munmap(memory->mapped[i], region->file_offset + region->bytes);
    close(memory->fds[i]);
  }
  memset(memory, 0, sizeof *memory);
}

void *memory_at(const struct memory *memory, uint64_t user_address, uint64_t bytes)
{
  for (uint32_t i = 0; i < memory->table.count; i++) {
    const struct region *region = &memory->table.region[i];
    if (user_address < region->user_address || user_address - region->user_address > region->bytes) continue;
    uint64_t at = user_address - region->user_address;
    if (bytes <= region->bytes - at) return memory->mapped[i] + region->file_offset + at;
  }
  return NULL;
}
