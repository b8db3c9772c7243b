/** Becoming a daemon, serving, and leaving nothing behind. */
#ifndef SERVICE_DAEMON_H
#define SERVICE_DAEMON_H

#include "../ring/outcome.h"
#include "io.h"

struct start_options {
  const char *image;
  unsigned idle_seconds;
  unsigned spin_us;
  double cache_share; /* of the image's size, at most 0.01 */
  enum io_way way;
  bool foreground;
};

/** Starts the service in the current folder. Returns once it serves, in the process that called. */
enum outcome service_start(const struct start_options *options);

#endif
