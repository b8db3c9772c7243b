#include "io-ways.h"

#include <errno.h>
#include <stdlib.h>

struct io {
  const struct io_way_calls *calls;
  void *way;
  struct io_target target;
};

static bool try_way(struct io *io, const struct io_way_calls *calls, void *(*open_way)(const struct io_target *))
{
  io->calls = calls;
  io->way = open_way(&io->target);
  return io->way != NULL;
}

struct io *io_open(const struct image *image, enum io_way way)
{
  struct io *io = calloc(1, sizeof *io);
  if (!io) return NULL;
  io->target = (struct io_target){.fd = image->fd, .block = image->block, .buffers = aligned_alloc(4096, (size_t)IO_DEPTH * 4096)};
  if (io->target.buffers) {
    if ((way == IO_ANY || way == IO_URING) && try_way(io, &io_uring_calls, io_uring_open)) return io;
    if (way != IO_THREADS && try_way(io, &io_uring_calls, io_events_open)) return io;
    if ((way == IO_ANY || way == IO_THREADS) && try_way(io, &io_threads_calls, io_threads_open)) return io;
  }
  int error = errno;
  free(io->target.buffers);
  free(io);
  errno = error;
  return NULL;
}

void io_close(struct io *io)
{
  io->calls->close(io->way);
  free(io->target.buffers);
  free(io);
}

bool io_is_uring(const struct io *io)
{
  return io->calls == &io_uring_calls;
}

unsigned char *io_buffer(const struct io *io, uint32_t read)
{
  return io->target.buffers + (size_t)read * io->target.block;
}

void io_queue(struct io *io, uint32_t read, uint64_t offset)
{
  io->calls->queue(io->way, read, offset);
}

void io_flush(struct io *io)
{
  io->calls->flush(io->way);
}

unsigned io_reap(struct io *io, struct io_done *done, unsigned most)
{
  return io->calls->reap(io->way, done, most);
}

void io_arm(struct io *io, uint32_t bell, _Atomic uint32_t *word)
{
  io->calls->arm(io->way, bell, word);
}

bool io_is_armed(const struct io *io, uint32_t bell)
{
  return io->calls->is_armed(io->way, bell);
}

void io_sleep(struct io *io)
{
  io->calls->sleep(io->way);
}
