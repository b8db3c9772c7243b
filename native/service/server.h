/** The server: takes requests from all rings in turn, answers them from the cache or the image. */
#ifndef SERVICE_SERVER_H
#define SERVICE_SERVER_H

#include "cache.h"
#include "image.h"
#include "io.h"
#include "keeper.h"

struct server_options {
  struct image image;
  struct io *io;
  struct cache *cache;
  struct keeper *keeper;
  struct statistics_page *page;
  uint64_t spin_ns; /* looks around for so long before it sleeps */
};

/** Serves until the keeper says that it is enough. Returns the keeper's reason. */
const char *server_run(const struct server_options *options);

#endif
