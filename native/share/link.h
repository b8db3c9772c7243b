/* The relay's connection to the export of a QEMU: what is asked of it waits for its answer. */
#ifndef STRATA_LINK_H
#define STRATA_LINK_H
#include "message.h"

/* What an export can do, less what the relay has no use for. */
struct offer {
  uint64_t features, protocol_features, rings;
};

/*
 * Connects to an export, and asks what it can do.
 * @returns the connection, or -errno: nobody is there, or it did not answer in time
 */
int link_open(const char *path, struct offer *offer);

/* Tells an export something. @returns 0, or -errno: it has refused, or is gone */
int link_tell(int link, struct message *message);

/* Asks an export; the answer takes the place of the question. @returns 0 or -errno */
int link_ask(int link, struct message *message);
#endif
