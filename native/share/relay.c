/*
 * relay CLIENT EXPORT OBSERVER ACCOUNT: stands between a client's QEMU (device vhost-user-blk-pci) and the vhost-user-blk export of another, so that the one
 * that serves can end, be killed or give way to another at any time, and no request of the guest is lost.
 *
 *   client's QEMU ──CLIENT──> relay ──EXPORT──> whoever serves now
 *     guest memory, eventfds ────────────────────┘ handed on: data never passes through here
 *
 * It listens at CLIENT as soon as it has once met an export, tries to connect to EXPORT whenever there is no connection, and tells a new export all that the
 * client said so far. It keeps account of the requests that are under way (ring.h), also in the file ACCOUNT, and puts them where a new export begins. What a client says is
 * checked before it is passed on: some of what is no sense ends QEMU 7.2's export with its process.
 *
 * At OBSERVER it says how it is, in a line of JSON, at once and whenever that changes; "end" ends it. It ends by itself when it has had neither a client nor
 * an observer for a while. Exit code 2: wrong arguments, a socket that it cannot listen at, or no account.
 */
#include "relay.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { EXIT_USAGE = 2, ALONE_MS = 60000, LOOK_FAST_MS = 1, LOOK_SLOW_MS = 8, MOST_COMPLAINTS = 200 };
/* In the middle of a message nobody pauses. */
static const struct timeval CLIENT_TIMEOUT = {.tv_sec = 5};

struct relay relay = {.retry_ms = RETRY_FAST_MS, .client_listener = NONE, .observer_listener = NONE, .client = NONE, .link = NONE, .backend_requests = NONE};

int64_t now_ms(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void complain(const char *format, ...)
{
  static int complaints;
  if (complaints++ >= MOST_COMPLAINTS) return;
  va_list values;
  va_start(values, format);
  fputs("relay: ", stderr);
  vfprintf(stderr, format, values);
  fputc('\n', stderr);
  va_end(values);
}

void drop(int *fd)
{
  if (*fd >= 0) close(*fd);
  *fd = NONE;
}

static bool is_unsure(void)
{
  for (const struct queue *queue = relay.queues; queue < relay.queues + MOST_RINGS; queue++)
    if (queue->unsure) return true;
  return false;
}

static void tell(int *observer)
{
  char line[128];
  int length = snprintf(line, sizeof line, "{\"pid\":%d,\"client\":%s,\"exporter\":%s,\"moved\":%lu,\"unsure\":%s}\n", getpid(), relay.client >= 0 ? "true" : "false", relay.link >= 0 ? "true" : "false",
                        relay.moved, is_unsure() ? "true" : "false");
  if (send(*observer, line, (size_t)length, MSG_NOSIGNAL | MSG_DONTWAIT) != length) drop(observer);
}

void tell_observers(void)
{
  for (int i = 0; i < MOST_OBSERVERS; i++)
    if (relay.observers[i] >= 0) tell(&relay.observers[i]);
}

int listen_at(const char *path)
{
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) {
    fprintf(stderr, "relay: %s: %s\n", path, strerror(ENAMETOOLONG));
    exit(EXIT_USAGE);
  }
  memcpy(address.sun_path, path, strlen(path));
  unlink(path);
  int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener >= 0 && bind(listener, (struct sockaddr *)&address, sizeof address) == 0 && listen(listener, 4) == 0) return listener;
  fprintf(stderr, "relay: %s: %s\n", path, strerror(errno));
  exit(EXIT_USAGE);
}

static int take_caller(int listener)
{
  int caller = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
  if (caller < 0) return NONE;
  setsockopt(caller, SOL_SOCKET, SO_RCVTIMEO, &CLIENT_TIMEOUT, sizeof CLIENT_TIMEOUT);
  setsockopt(caller, SOL_SOCKET, SO_SNDTIMEO, &CLIENT_TIMEOUT, sizeof CLIENT_TIMEOUT);
  return caller;
}

static void hear_observer(int *observer)
{
  char words[8];
  ssize_t count = recv(*observer, words, sizeof words, MSG_DONTWAIT);
  if (count >= 3 && memcmp(words, "end", 3) == 0) {
    export_leave();
    exit(0);
  }
  drop(observer);
}

static void take_observer(void)
{
  int caller = take_caller(relay.observer_listener);
  for (int i = 0; i < MOST_OBSERVERS && caller >= 0; i++) {
    if (relay.observers[i] >= 0) continue;
    relay.observers[i] = caller;
    return tell(&relay.observers[i]);
  }
  drop(&caller);
}

static bool is_observed(void)
{
  for (int i = 0; i < MOST_OBSERVERS; i++)
    if (relay.observers[i] >= 0) return true;
  return false;
}

/* Looks at the rings. @returns how long until the next look: soon enough that little is written over between two, seldom where little happens */
static int look_at_rings(void)
{
  static int wait_ms = LOOK_SLOW_MS;
  bool any = false;
  unsigned most = 0;
  if (relay.link < 0) return relay.retry_ms;
  for (struct queue *queue = relay.queues; queue < relay.queues + MOST_RINGS; queue++) {
    if (!queue->started) continue;
    any = true;
    unsigned changes = ring_look(&queue->ring);
    if (changes > 0) account_keep(relay.account, (uint32_t)(queue - relay.queues), &queue->ring);
    unsigned eighths = 8 * changes / queue->size;
    if (eighths > most) most = eighths;
  }
  if (most >= 2) wait_ms = LOOK_FAST_MS;
  else if (most == 0 && wait_ms < LOOK_SLOW_MS) wait_ms *= 2;
  return any ? wait_ms : ALONE_MS;
}

static void wait_and_serve(void)
{
  if (relay.link < 0 && now_ms() >= relay.retry_at_ms) export_find();
  enum { CLIENT_CALLS, OBSERVER_CALLS, CLIENT, EXPORT, OBSERVERS, COUNT = OBSERVERS + MOST_OBSERVERS };
  struct pollfd polled[COUNT] = {
    [CLIENT_CALLS] = {relay.client < 0 ? relay.client_listener : NONE, POLLIN, 0},
    [OBSERVER_CALLS] = {relay.observer_listener, POLLIN, 0},
    [CLIENT] = {relay.client, POLLIN, 0},
    [EXPORT] = {relay.link, POLLIN, 0},
  };
  for (int i = 0; i < MOST_OBSERVERS; i++)
    polled[OBSERVERS + i] = (struct pollfd){relay.observers[i], POLLIN, 0};
  if (poll(polled, COUNT, look_at_rings()) <= 0) return;
  for (int i = 0; i < MOST_OBSERVERS; i++)
    if (polled[OBSERVERS + i].revents) hear_observer(&relay.observers[i]);
  if (polled[OBSERVER_CALLS].revents) take_observer();
  /* It says nothing unasked: so it has hung up. */
  if (polled[EXPORT].revents) export_lose(-EPIPE);
  if (polled[CLIENT].revents) client_hear();
  if (polled[CLIENT_CALLS].revents) {
    relay.client = take_caller(relay.client_listener);
    tell_observers();
  }
}

int main(int argc, char **argv)
{
  if (argc != 5) {
    fputs("relay CLIENT EXPORT OBSERVER ACCOUNT: between a client's vhost-user-blk-pci and the export of whoever serves\n", stderr);
    return EXIT_USAGE;
  }
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  signal(SIGPIPE, SIG_IGN);
  umask(0177);
  relay.client_path = argv[1];
  relay.export_path = argv[2];
  for (struct queue *queue = relay.queues; queue < relay.queues + MOST_RINGS; queue++)
    queue->kick = queue->call = NONE;
  for (int i = 0; i < MOST_OBSERVERS; i++)
    relay.observers[i] = NONE;
  relay.account = account_open(argv[4]);
  if (!relay.account) {
    fprintf(stderr, "relay: %s: %s\n", argv[4], strerror(errno));
    return EXIT_USAGE;
  }
  relay.observer_listener = listen_at(argv[3]);
  for (int64_t alone_since_ms = now_ms(); now_ms() - alone_since_ms < ALONE_MS;) {
    wait_and_serve();
    if (relay.client >= 0 || is_observed()) alone_since_ms = now_ms();
  }
  export_leave();
  return 0;
}
