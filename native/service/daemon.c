#include "daemon.h"

#include "../ring/futex.h"
#include "../ring/process.h"
#include "log.h"
#include "server.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/** What a start has gathered before it leaves its caller. */
struct start {
  const struct start_options *options;
  struct image image;
  int run, pid_file, log;
};

/** The page that all may read and nobody else may write. Returns its descriptor or -errno. */
static int make_page(struct statistics_page **page)
{
  int fd = memfd_create("statistics", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0) return -errno;
  if (ftruncate(fd, sizeof **page) != 0) return -errno;
  void *memory = mmap(NULL, sizeof **page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) return -errno;
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif
  if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) != 0) return -errno;
  *page = memory;
  return fd;
}

/** Who we are, and the descriptors by which others of the same user find the statistics and the image: /proc/<pid>/fd/<descriptor>. */
static int write_pid_file(const struct start *start, int statistics_fd)
{
  char text[96];
  int length = snprintf(text, sizeof text, "%d %" PRIu64 " %d %d\n", (int)getpid(), process_start_time(getpid()), statistics_fd, start->image.fd);
  if (ftruncate(start->pid_file, 0) != 0) return -errno;
  return pwrite(start->pid_file, text, (size_t)length, 0) == length ? 0 : -errno;
}

static void leave_summary(const struct start *start, const struct statistics_page *page, const char *reason)
{
  char text[256];
  int length = statistics_summary(text, sizeof text, statistics_get(&page->hits), statistics_get(&page->misses));
  int fd = openat(start->run, RING_SUMMARY_FILE, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0 || write(fd, text, (size_t)length) != length) log_line("the summary cannot be written: %s", strerror(errno));
  if (fd >= 0) close(fd);
  log_line("ends, as %s; %u clients were served; %.*s", reason, statistics_get(&page->clients_ever), length - 1, text);
}

static void block_signals(void)
{
  sigset_t all;
  sigfillset(&all); // before the first thread, so that all have it; the keeper reads those that matter
  sigprocmask(SIG_SETMASK, &all, NULL);
}

/** Sets everything up. `ready` is called when clients can come. */
static enum outcome serve(const struct start *start, void (*ready)(const struct start *, int), int ready_fd)
{
  const struct start_options *options = start->options;
  struct server_options with = {.image = start->image, .spin_ns = options->spin_us * (uint64_t)1000};
  block_signals();
  int statistics_fd = make_page(&with.page);
  if (statistics_fd < 0) return fail(OUTCOME_FAILED, "The statistics page cannot be made: %s.", strerror(-statistics_fd));
  struct stat page;
  if (fstat(statistics_fd, &page) != 0) return fail(OUTCOME_FAILED, "The statistics page cannot be looked at: %s.", strerror(errno));
  with.cache = cache_make((size_t)((double)start->image.sectors * RING_SECTOR * options->cache_share));
  if (!with.cache) return fail(OUTCOME_FAILED, "There is no memory for the cache.");
  with.io = io_open(&start->image, options->way);
  if (!with.io) return fail(OUTCOME_FAILED, "The image cannot be read %s: %s.", options->way == IO_THREADS ? "by threads" : "with io_uring", strerror(errno));
  *with.page = (struct statistics_page){.magic = STATISTICS_MAGIC, .version = STATISTICS_VERSION, .clients = STATISTICS_CLIENTS, .buckets = STATISTICS_BUCKETS,
                                        .image_sectors = start->image.sectors, .cache_bytes = cache_bytes(with.cache), .cache_sectors = cache_capacity(with.cache),
                                        .uses_io_uring = io_is_uring(with.io)};
  with.keeper = keeper_start(&(struct keeper_options){.run = start->run, .idle_seconds = options->idle_seconds, .page = with.page, .memory_device = page.st_dev});
  if (!with.keeper) return fail(OUTCOME_FAILED, "The service's second thread cannot be started: %s.", strerror(errno));
  int written = write_pid_file(start, statistics_fd);
  if (written < 0) return fail(OUTCOME_FAILED, "%s/%s cannot be written: %s.", RING_RUN_FOLDER, RING_PID_FILE, strerror(-written));
  printf("The service runs (pid %d): %s, %" PRIu64 " sectors, %u of them in the cache at most, reading %s.\n", (int)getpid(), options->image, start->image.sectors,
         cache_capacity(with.cache), io_is_uring(with.io) ? "with io_uring" : "by threads");
  fflush(stdout);
  ready(start, ready_fd);
  log_line("serves %s: %" PRIu64 " sectors, cache of %zu bytes", options->image, start->image.sectors, cache_bytes(with.cache));
  const char *reason = server_run(&with);
  keeper_stop(with.keeper);
  leave_summary(start, with.page, reason);
  io_close(with.io);
  cache_free(with.cache);
  unlinkat(start->run, RING_CLIENTS_FILE, 0);
  unlinkat(start->run, RING_PID_FILE, 0); // with its lock still ours, so that it is not another's
  return OUTCOME_OK;
}

/** Lets go of the caller: its terminal, its folder, and itself, who waits for a byte. */
static void detach(const struct start *start, int fd)
{
  dup2(start->log, STDERR_FILENO);
  int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (nothing >= 0) {
    dup2(nothing, STDIN_FILENO);
    dup2(nothing, STDOUT_FILENO);
    close(nothing);
  }
  unsigned char byte = 1;
  if (write(fd, &byte, 1) != 1) log_line("who started the service has gone");
  close(fd);
}

static void stay(const struct start *start, int fd)
{
  (void)start, (void)fd;
}

/** The daemon's whole life. Its outcome reaches the caller only if it comes before detach(). */
static _Noreturn void live(const struct start *start, int report)
{
  enum outcome outcome = serve(start, detach, report);
  fflush(NULL);
  _exit(outcome);
}

/** Forks twice, so that the daemon can never get a terminal again; waits until it serves or has failed. */
static enum outcome become_daemon(const struct start *start)
{
  int ends[2], status = 0;
  if (pipe2(ends, O_CLOEXEC) != 0) return fail(OUTCOME_FAILED, "The service cannot be started: %s.", strerror(errno));
  fflush(NULL);
  pid_t child = fork();
  if (child < 0) return fail(OUTCOME_FAILED, "The service cannot be started: %s.", strerror(errno));
  if (child == 0) {
    setsid();
    pid_t daemon = fork();
    if (daemon != 0) {
      // Stays until the daemon is settled: only so can its exit code be told.
      unsigned char byte;
      close(ends[1]);
      if (daemon < 0 || read(ends[0], &byte, 1) == 1) _exit(daemon < 0 ? OUTCOME_FAILED : OUTCOME_OK);
      _exit(waitpid(daemon, &status, 0) == daemon && WIFEXITED(status) ? WEXITSTATUS(status) : OUTCOME_FAILED);
    }
    close(ends[0]);
    if (chdir("/") != 0) _exit(OUTCOME_FAILED);
    live(start, ends[1]);
  }
  close(ends[0]);
  close(ends[1]);
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  return WIFEXITED(status) ? (enum outcome)WEXITSTATUS(status) : OUTCOME_FAILED;
}

static enum outcome say_running(int run)
{
  struct service_identity other;
  if (service_find(run, &other) != 1) return fail(OUTCOME_RUNNING, "A service runs in this folder already.");
  return fail(OUTCOME_RUNNING, "A service runs in this folder already (pid %d). Stop it first: ./bin/service stop", (int)other.process.pid);
}

/** Whoever starts us may have left descriptors open that it did not mean us to keep for life. */
static void close_inherited(void)
{
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
  // Linux 5.9; on older ones they stay open, which harms nobody but the one who waits for them to close.
  syscall(SYS_close_range, STDERR_FILENO + 1, ~0u, 0);
}

enum outcome service_start(const struct start_options *options)
{
  if (!options->foreground) close_inherited();
  struct start start = {.options = options};
  enum outcome outcome = image_open(options->image, &start.image);
  if (outcome != OUTCOME_OK) return outcome;
  start.run = run_folder_open(true);
  if (start.run < 0) return fail(OUTCOME_FAILED, "The folder %s cannot be made: %s.", RING_RUN_FOLDER, strerror(-start.run));
  start.pid_file = service_claim(start.run);
  if (start.pid_file == -EWOULDBLOCK) return say_running(start.run);
  if (start.pid_file < 0) return fail(OUTCOME_FAILED, "%s/%s cannot be locked: %s.", RING_RUN_FOLDER, RING_PID_FILE, strerror(-start.pid_file));
  unlinkat(start.run, RING_SUMMARY_FILE, 0);
  if (options->foreground) return serve(&start, stay, -1);
  start.log = openat(start.run, RING_LOG_FILE, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (start.log < 0) return fail(OUTCOME_FAILED, "%s/%s cannot be opened: %s.", RING_RUN_FOLDER, RING_LOG_FILE, strerror(errno));
  return become_daemon(&start);
}
