/*
 * What the parts of a relay have in common: what it knows, and what they ask of one another.
 *
 *   client.c   what the client says: checked, answered, passed on
 *   export.c   who serves: found, told, left
 *   relay.c    the sockets, the observers, and whose turn it is
 */
#ifndef STRATA_RELAY_H
#define STRATA_RELAY_H
#include "account.h"
#include "link.h"
#include "memory.h"
#include "ring.h"

enum { MOST_OBSERVERS = 4, NONE = -1, RETRY_FAST_MS = 5 };

/* A ring, as the client has described it. */
struct queue {
  uint32_t size;
  struct ring_address address;
  uint16_t base;
  bool enabled, started;
  int kick, call;
  struct ring ring;
  /* Where the export stopped, as it said when it was last asked to; and whether that is still so. */
  uint16_t stopped_at;
  bool has_stopped, stopped_here;
  /* Some of its requests may have been lost since its driver began it. */
  bool unsure;
};

extern struct relay {
  const char *client_path, *export_path;
  int client_listener, observer_listener;
  int client, link, observers[MOST_OBSERVERS];
  struct offer offer;
  /* What the client has chosen. */
  uint64_t features;
  bool has_features;
  /* Whether the export has had a ring since it was connected to: requests may be under way of which the rings do not tell. */
  bool rings_ran;
  int backend_requests;
  struct memory memory;
  struct queue queues[MOST_RINGS];
  struct account *account;
  /* The last answer about the device, for when nobody serves. */
  struct message config;
  /* Requests that were put where the next export finds them, in all. */
  unsigned long moved;
  /* Since when there is this connection to an export, and when another is tried. */
  int64_t linked_ms, retry_at_ms;
  int retry_ms;
} relay;

/* Of the clock that no one sets. */
int64_t now_ms(void);

/* To the log, as in printf. A client that talks nonsense for ever is not to fill the disk. */
__attribute__((format(printf, 1, 2))) void complain(const char *format, ...);

/* Closes a descriptor, if there is one. */
void drop(int *fd);

/* Tells all observers how it is. */
void tell_observers(void);

/* Listens at a path; what lay there goes. Ends the process where that cannot be. */
int listen_at(const char *path);

/* Reads what the client says, and does it; loses the client where that makes no sense. */
void client_hear(void);

/* Looks for who serves, and tells it all that the client said so far. It listens for the client from then on, who is answered at once: for as long as its
 * device waits, its QEMU does nothing else. */
void export_find(void);

/* What the client has chosen, and its memory, as an export is told. */
struct message features_message(void);
struct message memory_message(void);

/* Tells all of these to the export, or loses it. @returns whether it has taken them */
bool export_tell(struct message *messages, int count);

/* Starts a ring of the client at the export, or loses it. @returns whether it has begun */
bool export_start(uint32_t index);

/* @returns where the export stopped, or -errno */
int export_stop(uint32_t index);

/*
 * Hangs up on an export that goes on. Its rings are stopped first: QEMU 7.2's ends with its process (vhost_user_server_ref, assertion !wait_idle) when
 * it is kicked while it waits for the last requests of somebody who has hung up. It hears the next one when those are done, and has let go of the memory.
 */
void export_leave(void);

/* It is gone: another is looked for. */
void export_lose(int error);
#endif
