/* What a relay knows of its rings, kept in a file: the next relay goes on from it, when this one is killed. */
#ifndef STRATA_ACCOUNT_H
#define STRATA_ACCOUNT_H
#include "ring.h"

enum { MOST_RINGS = 8 };

/* Two copies: one is whole at any moment. */
struct kept_ring {
  _Atomic uint32_t current;
  struct ring copies[2];
};
struct account {
  struct kept_ring rings[MOST_RINGS];
};

/* Maps the account in this file, which is made if there is none. @returns NULL, with errno set */
struct account *account_open(const char *path);

/* As of an earlier relay, when there was one. */
const struct ring *account_of(const struct account *account, uint32_t index);

void account_keep(struct account *account, uint32_t index, const struct ring *ring);
#endif
