#include "image.h"

#include "../ring/ring.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static enum outcome say_why(const char *path, int error)
{
  switch (error) {
  case ENOENT:
  case ENOTDIR:
    return fail(OUTCOME_NO_IMAGE, "There is no image %s. Make one: dd if=/dev/urandom of=%s bs=1M count=100", path, path);
  case EACCES:
  case EPERM:
    return fail(OUTCOME_NO_PERMISSION, "The image %s may not be read by this user.", path);
  case EINVAL:
    return fail(OUTCOME_NO_DIRECT, "The image %s is on a file system without direct I/O (O_DIRECT). Put it on a disk's file system, such as ext4 or xfs.", path);
  default:
    return fail(OUTCOME_FAILED, "The image %s cannot be read: %s.", path, strerror(error));
  }
}

/** Smallest direct read: what the kernel says, or the smallest that works. 0: none does. */
static uint32_t direct_block(int fd)
{
  _Alignas(4096) unsigned char probe[4096];
#ifdef STATX_DIOALIGN
  struct statx info;
  if (statx(fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &info) == 0 && (info.stx_mask & STATX_DIOALIGN) != 0 && info.stx_dio_offset_align > RING_SECTOR &&
      info.stx_dio_offset_align <= sizeof probe)
    return pread(fd, probe, info.stx_dio_offset_align, 0) > 0 ? info.stx_dio_offset_align : 0;
#endif
  for (uint32_t block = RING_SECTOR; block <= sizeof probe; block *= 2)
    if (pread(fd, probe, block, 0) > 0) return block;
  return 0;
}

static int size_of(int fd, const struct stat *info, uint64_t *bytes)
{
  *bytes = (uint64_t)info->st_size;
  return S_ISBLK(info->st_mode) && ioctl(fd, BLKGETSIZE64, bytes) != 0 ? -errno : 0;
}

static enum outcome examine(const char *path, struct image *image)
{
  struct stat info;
  uint64_t bytes = 0;
  if (fstat(image->fd, &info) != 0 || size_of(image->fd, &info, &bytes) != 0) return say_why(path, errno);
  if (!S_ISREG(info.st_mode) && !S_ISBLK(info.st_mode)) return fail(OUTCOME_NOT_A_FILE, "%s is neither a file nor a block device.", path);
  if (bytes == 0) return fail(OUTCOME_EMPTY_IMAGE, "The image %s is empty: it has no sector to serve.", path);
  if (bytes % RING_SECTOR != 0)
    return fail(OUTCOME_ODD_SIZE, "The image %s has %llu bytes, which is not a multiple of %u: its last sector is not whole.", path, (unsigned long long)bytes, RING_SECTOR);
  if (fcntl(image->fd, F_SETFL, O_DIRECT) != 0) return say_why(path, errno);
  image->sectors = bytes / RING_SECTOR;
  image->block = direct_block(image->fd);
  return image->block == 0 ? say_why(path, EINVAL) : OUTCOME_OK;
}

enum outcome image_open(const char *path, struct image *image)
{
  // Without O_DIRECT first, so that an empty file on a file system without it is called empty; without blocking, as it may be a FIFO.
  image->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (image->fd < 0) return say_why(path, errno);
  enum outcome outcome = examine(path, image);
  if (outcome != OUTCOME_OK) close(image->fd);
  return outcome;
}
