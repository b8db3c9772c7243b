/** Exit codes of the three programs, and how they speak of failure: one sentence on stderr. */
#ifndef RING_OUTCOME_H
#define RING_OUTCOME_H

#include <stdio.h>

enum outcome {
  OUTCOME_OK = 0,
  OUTCOME_FAILED = 1,        /* something else went wrong: the sentence says what */
  OUTCOME_USAGE = 2,         /* the command line */
  OUTCOME_NOT_RUNNING = 3,   /* there is no service in this folder */
  OUTCOME_RUNNING = 4,       /* there is one already */
  OUTCOME_NO_IMAGE = 10,     /* the image is not there */
  OUTCOME_NO_PERMISSION = 11,
  OUTCOME_EMPTY_IMAGE = 12,
  OUTCOME_ODD_SIZE = 13,     /* not a multiple of 512 bytes */
  OUTCOME_NO_DIRECT = 14,    /* its file system has no O_DIRECT */
  OUTCOME_NOT_A_FILE = 15,   /* neither a regular file nor a block device */
  OUTCOME_DIFFERS = 20,      /* integrity: a sector that was read is not the image's */
  OUTCOME_MALFORMED = 21     /* integrity: the files do not fit together */
};

/** Says it, and is the outcome: `return fail(OUTCOME_USAGE, "...")`. */
#define fail(outcome, ...) (fprintf(stderr, __VA_ARGS__), fputc('\n', stderr), (outcome))

#endif
