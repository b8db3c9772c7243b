/** The disk image that is served. */
#ifndef SERVICE_IMAGE_H
#define SERVICE_IMAGE_H

#include "../ring/outcome.h"

#include <stdint.h>

struct image {
  int fd;
  uint64_t sectors;
  uint32_t block; /* direct reads are so many bytes, at a multiple of it: the sector size of the file system's device */
};

/** Opens it with O_DIRECT. Whatever speaks against it is said on stderr. */
enum outcome image_open(const char *path, struct image *image);

#endif
