#include "keeper.h"

#include "../ring/futex.h"
#include "log.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>

#define RINGS_A_PROCESS 16u /* one that makes ring after ring cannot take all places */
#define RETRY_MS 20 /* when somebody has the clients file locked */

/** What an epoll event is about: a place in the table, or one of these. */
enum source { FROM_FOLDER = STATISTICS_CLIENTS, FROM_SIGNAL, FROM_SERVER };

struct keeper {
  struct keeper_options options;
  pthread_t thread;
  int epoll, folder, signals, nudge;
  bool sweep_due, ending;
  struct backend *places[STATISTICS_CLIENTS];
  pthread_mutex_t lock; /* of the two lists */
  struct backend *arrivals, *released;
  _Atomic uint32_t bell;
  _Atomic(const char *) verdict;
  _Atomic uint64_t last_request;
};

static void ring_server(struct keeper *keeper)
{
  if (atomic_exchange(&keeper->bell, RING_AWAKE) == RING_ASLEEP) futex_wake(&keeper->bell);
}

static bool watch(struct keeper *keeper, int fd, uint32_t source)
{
  struct epoll_event event = {.events = EPOLLIN, .data.u32 = source};
  return fd >= 0 && epoll_ctl(keeper->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static void show_arrival(struct keeper *keeper, struct backend *backend)
{
  struct statistics_client *shown = &keeper->options.page->client[backend->place];
  uint32_t joined = statistics_get(&shown->joined) + 1;
  memset(shown, 0, sizeof *shown);
  statistics_set(&shown->joined, joined);
  statistics_set(&shown->slots, backend->view.slots);
  statistics_set(&shown->since_ns, now_ns());
  statistics_set(&shown->pid, (uint32_t)backend->line.process.pid);
  statistics_add(&keeper->options.page->clients_now, 1);
  statistics_add(&keeper->options.page->clients_ever, 1);
  backend->statistics = shown;
}

static void note_end(struct keeper *keeper, struct backend *backend)
{
  epoll_ctl(keeper->epoll, EPOLL_CTL_DEL, backend->pidfd, NULL);
  atomic_store(&backend->gone, true);
  keeper->sweep_due = true;
  ring_server(keeper);
}

static bool is_same_process(struct process one, struct process other)
{
  return one.pid == other.pid && one.start_time == other.start_time;
}

/** How many rings a process has that are not on their way out. */
static uint32_t rings_of(struct keeper *keeper, struct process process)
{
  uint32_t count = 0;
  for (uint32_t place = 0; place < STATISTICS_CLIENTS; place++) {
    const struct backend *known = keeper->places[place];
    if (known && is_same_process(known->line.process, process) && !atomic_load(&known->gone)) count++;
  }
  return count;
}

/** The descriptor now holds another ring, as we have seen ourselves: the one that it held before was closed without a word. */
static void retire_former(struct keeper *keeper, const struct backend *latest)
{
  for (uint32_t place = 0; place < STATISTICS_CLIENTS; place++) {
    struct backend *known = keeper->places[place];
    if (!known || known == latest || known->line.ring_fd != latest->line.ring_fd || !is_same_process(known->line.process, latest->line.process)) continue;
    if (!atomic_load(&known->gone)) note_end(keeper, known);
  }
}

/** Takes a ring in. Returns whether its line stays: also if there is no place just now. */
static bool admit(struct keeper *keeper, const struct announcement *line)
{
  uint32_t place = 0;
  while (place < STATISTICS_CLIENTS && keeper->places[place]) place++;
  if (place == STATISTICS_CLIENTS) return process_is(line->process);
  const char *why = "its process has many rings already";
  struct backend *backend = rings_of(keeper, line->process) < RINGS_A_PROCESS ? backend_attach(line, keeper->options.memory_device, &why) : NULL;
  if (backend && !watch(keeper, backend->pidfd, place)) {
    why = "it cannot be watched";
    backend_free(backend);
    backend = NULL;
  }
  if (!backend) {
    log_of_client("client %d is not served: %s", (int)line->process.pid, why);
    return false;
  }
  backend->place = place;
  keeper->places[place] = backend;
  retire_former(keeper, backend);
  show_arrival(keeper, backend);
  pthread_mutex_lock(&keeper->lock);
  backend->next = keeper->arrivals;
  keeper->arrivals = backend;
  pthread_mutex_unlock(&keeper->lock);
  return true;
}

/** A descriptor's number is used again as soon as a ring is closed; its memory is another. */
static bool is_same_ring(const struct announcement *one, const struct announcement *other)
{
  return is_same_process(one->process, other->process) && one->ring_fd == other->ring_fd && one->inode == other->inode;
}

static bool keep_line(void *context, const struct announcement *line)
{
  struct keeper *keeper = context;
  for (uint32_t place = 0; place < STATISTICS_CLIENTS; place++) {
    const struct backend *known = keeper->places[place];
    if (known && is_same_ring(&known->line, line)) return !atomic_load(&known->gone);
  }
  return admit(keeper, line);
}

/** Frees the rings that the server is done with and whose lines are gone. */
static void free_swept(struct keeper *keeper)
{
  for (uint32_t place = 0; place < STATISTICS_CLIENTS; place++) {
    struct backend *backend = keeper->places[place];
    if (!backend || !backend->released) continue;
    statistics_set(&keeper->options.page->client[backend->place].pid, 0);
    statistics_add(&keeper->options.page->clients_now, UINT32_MAX);
    keeper->places[place] = NULL;
    backend_free(backend);
  }
}

static void sweep(struct keeper *keeper)
{
  int result = announce_sweep(keeper->options.run, keep_line, keeper);
  keeper->sweep_due = result == -EWOULDBLOCK;
  if (result < 0 && result != -EWOULDBLOCK) log_line("the list of clients cannot be read: %s", strerror(-result));
  if (result == 0) free_swept(keeper);
  if (result == 0) ring_server(keeper);
}

static void take_released(struct keeper *keeper)
{
  uint64_t count;
  if (read(keeper->nudge, &count, sizeof count) < 0 && errno != EAGAIN) log_line("the server's word was lost: %s", strerror(errno));
  pthread_mutex_lock(&keeper->lock);
  struct backend *list = keeper->released;
  keeper->released = NULL;
  pthread_mutex_unlock(&keeper->lock);
  for (; list; list = list->next) {
    // Its line goes first, while the ring is still known: else it would look like that of a new client.
    atomic_store(&list->gone, true);
    list->released = true;
    keeper->sweep_due = true;
  }
}

/** Whether the folder's news are about the clients file: the log is in there too. */
static bool is_about_clients(struct keeper *keeper)
{
  _Alignas(struct inotify_event) char news[4096];
  bool about = false;
  ssize_t got;
  while ((got = read(keeper->folder, news, sizeof news)) > 0)
    for (char *at = news; at < news + got;) {
      const struct inotify_event *event = (const struct inotify_event *)(void *)at;
      about = about || (event->mask & IN_Q_OVERFLOW) != 0 || (event->len > 0 && strcmp(event->name, RING_CLIENTS_FILE) == 0);
      at += sizeof *event + event->len;
    }
  return about;
}

/** Milliseconds until something is due without an event; ends the service if it is idle. -1: nothing is. */
static int next_due(struct keeper *keeper)
{
  if (keeper->sweep_due) return RETRY_MS;
  if (keeper->options.idle_seconds == 0) return -1;
  uint64_t idle_at = atomic_load(&keeper->last_request) + keeper->options.idle_seconds * (uint64_t)1000000000;
  uint64_t now = now_ns();
  if (now < idle_at) return (int)((idle_at - now) / 1000000 > 60000 ? 60000 : (idle_at - now) / 1000000 + 1);
  atomic_store(&keeper->verdict, "nobody asked for anything");
  ring_server(keeper);
  return -1;
}

static void handle(struct keeper *keeper, uint32_t source)
{
  if (source < STATISTICS_CLIENTS) {
    if (keeper->places[source]) note_end(keeper, keeper->places[source]);
  } else if (source == FROM_FOLDER) {
    keeper->sweep_due = is_about_clients(keeper) || keeper->sweep_due;
  } else if (source == FROM_SERVER) {
    take_released(keeper);
  } else {
    atomic_store(&keeper->verdict, "it was told to");
    ring_server(keeper);
  }
}

static void *keep(void *context)
{
  struct keeper *keeper = context;
  struct epoll_event events[64];
  sweep(keeper); // clients of a service that crashed, or that were quicker than us
  for (;;) {
    int count = epoll_wait(keeper->epoll, events, 64, next_due(keeper));
    pthread_mutex_lock(&keeper->lock);
    bool ending = keeper->ending;
    pthread_mutex_unlock(&keeper->lock);
    if (ending) break;
    for (int i = 0; i < count; i++) handle(keeper, events[i].data.u32);
    if (keeper->sweep_due) sweep(keeper);
    if (atomic_load(&keeper->verdict)) epoll_ctl(keeper->epoll, EPOLL_CTL_DEL, keeper->signals, NULL);
  }
  return NULL;
}

struct keeper *keeper_start(const struct keeper_options *options)
{
  struct keeper *keeper = calloc(1, sizeof *keeper);
  if (!keeper) return NULL;
  keeper->options = *options;
  atomic_store(&keeper->last_request, now_ns());
  pthread_mutex_init(&keeper->lock, NULL);
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGHUP);
  char folder[32];
  snprintf(folder, sizeof folder, "/proc/self/fd/%d", options->run);
  keeper->epoll = epoll_create1(EPOLL_CLOEXEC);
  keeper->signals = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
  keeper->nudge = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  keeper->folder = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  bool good = inotify_add_watch(keeper->folder, folder, IN_MODIFY | IN_MOVED_TO | IN_CREATE) >= 0 && watch(keeper, keeper->folder, FROM_FOLDER) &&
              watch(keeper, keeper->signals, FROM_SIGNAL) && watch(keeper, keeper->nudge, FROM_SERVER);
  int error = good ? pthread_create(&keeper->thread, NULL, keep, keeper) : errno;
  if (error == 0) return keeper;
  free(keeper); // its descriptors go with the process, which ends now
  errno = error;
  return NULL;
}

_Atomic uint32_t *keeper_bell(struct keeper *keeper)
{
  return &keeper->bell;
}

struct backend *keeper_arrival(struct keeper *keeper)
{
  pthread_mutex_lock(&keeper->lock);
  struct backend *backend = keeper->arrivals;
  if (backend) keeper->arrivals = backend->next;
  pthread_mutex_unlock(&keeper->lock);
  return backend;
}

static void nudge(struct keeper *keeper)
{
  uint64_t one = 1;
  if (write(keeper->nudge, &one, sizeof one) < 0 && errno != EAGAIN) log_line("the keeper cannot be told: %s", strerror(errno));
}

void keeper_release(struct keeper *keeper, struct backend *backend)
{
  pthread_mutex_lock(&keeper->lock);
  backend->next = keeper->released;
  keeper->released = backend;
  pthread_mutex_unlock(&keeper->lock);
  nudge(keeper);
}

const char *keeper_verdict(const struct keeper *keeper)
{
  // As in R3: the server says that it sleeps, then looks here; the keeper stores, then looks at the bell.
  return atomic_load_explicit(&keeper->verdict, memory_order_seq_cst);
}

void keeper_saw_request(struct keeper *keeper, uint64_t when)
{
  atomic_store_explicit(&keeper->last_request, when, memory_order_relaxed);
}

void keeper_stop(struct keeper *keeper)
{
  pthread_mutex_lock(&keeper->lock);
  keeper->ending = true;
  pthread_mutex_unlock(&keeper->lock);
  nudge(keeper);
  pthread_join(keeper->thread, NULL);
  for (uint32_t place = 0; place < STATISTICS_CLIENTS; place++) {
    if (!keeper->places[place]) continue;
    backend_tell(keeper->places[place], RING_CLOSED);
    backend_free(keeper->places[place]);
  }
  close(keeper->epoll);
  close(keeper->signals);
  close(keeper->nudge);
  close(keeper->folder);
  pthread_mutex_destroy(&keeper->lock);
  free(keeper);
}
