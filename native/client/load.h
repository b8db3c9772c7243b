/** Many threads that read random sectors, one after the other. */
#ifndef CLIENT_LOAD_H
#define CLIENT_LOAD_H

#include "front.h"

#include <stddef.h>

struct load_options {
  uint32_t threads;
  uint64_t requests;     /* of all threads together */
  struct ring_info info; /* which sectors there are */
  uint64_t seed;
  int sectors_file, reads_file; /* a number a line; the sectors' bytes in the same order */
};

/** Times in nanoseconds. */
struct load_result {
  uint64_t count;
  double max, min, mean, squares; /* squares: sum of the squared distances from the mean */
  double elapsed;                 /* from the first request to the last answer */
};

/** Runs the load and writes both files. Returns 0 or -errno: of the ring, a file, or a thread that cannot be started. */
int load_run(struct front *front, const struct load_options *options, struct load_result *result);

/** Adds the times of one set to another's (Chan, Golub and LeVeque's way: no precision is lost as the sum grows). */
void load_merge(struct load_result *into, const struct load_result *more);
void load_add(struct load_result *into, double ns);

#endif
