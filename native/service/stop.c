#include "stop.h"

#include "../ring/process.h"
#include "../ring/statistics.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_MS 5000       /* then it is said that we wait ... */
#define LAST_PATIENCE_MS 15000 /* ... and after so long again it is killed: a disk that is busy can hold up whoever closes a file */

/** Prints the service's last words and takes them away. Returns whether there were any. */
static bool print_summary(int run)
{
  char text[512];
  int fd = openat(run, RING_SUMMARY_FILE, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  ssize_t got = read(fd, text, sizeof text);
  close(fd);
  unlinkat(run, RING_SUMMARY_FILE, 0);
  if (got > 0) fwrite(text, 1, (size_t)got, stdout);
  return got > 0;
}

static void remove_files(int run)
{
  unlinkat(run, RING_CLIENTS_FILE, 0);
  unlinkat(run, RING_PID_FILE, 0);
}

/** Nobody serves: takes away what one that did may have left. */
static enum outcome clean_up(int run)
{
  if (print_summary(run)) {
    puts("The service had ended by itself; see " RING_RUN_FOLDER "/" RING_LOG_FILE ".");
    return OUTCOME_OK;
  }
  int lock = service_claim(run);
  if (lock == -EWOULDBLOCK) return fail(OUTCOME_RUNNING, "A service is just being started here. Try again.");
  if (lock < 0) return fail(OUTCOME_FAILED, "%s/%s cannot be locked: %s.", RING_RUN_FOLDER, RING_PID_FILE, strerror(-lock));
  char byte;
  bool crashed = pread(lock, &byte, 1, 0) == 1;
  remove_files(run);
  close(lock);
  if (!crashed) return fail(OUTCOME_NOT_RUNNING, "No service runs in this folder.");
  puts("The service had ended without a word: it crashed or was killed. What it left is removed.");
  return OUTCOME_OK;
}

/** The hit ratio as the service's statistics have it: for one that does not come to saying it. */
static void print_ratio(const struct service_identity *service)
{
  char path[64], text[256];
  uint64_t counts[2]; /* hits, misses */
  snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)service->process.pid, service->statistics_fd);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  if (pread(fd, counts, sizeof counts, offsetof(struct statistics_page, hits)) == sizeof counts) {
    statistics_summary(text, sizeof text, counts[0], counts[1]);
    fputs(text, stdout);
  }
  close(fd);
}

static enum outcome end(int run, const struct service_identity *service, int pidfd)
{
  struct pollfd ended = {.fd = pidfd, .events = POLLIN};
  int sent = process_signal(pidfd, SIGTERM);
  if (sent < 0 && sent != -ESRCH) return fail(OUTCOME_FAILED, "The service cannot be told to stop: %s.", strerror(-sent));
  process_signal(pidfd, SIGCONT); // it may have been stopped by a terminal or a debugger
  bool gone = poll(&ended, 1, PATIENCE_MS) == 1;
  if (!gone) {
    fputs("The service is still ending; waiting for it.\n", stderr);
    gone = poll(&ended, 1, LAST_PATIENCE_MS) == 1;
  }
  if (gone) return print_summary(run) ? OUTCOME_OK : clean_up(run);
  print_ratio(service);
  process_signal(pidfd, SIGKILL);
  if (poll(&ended, 1, PATIENCE_MS) == 1) remove_files(run);
  return fail(OUTCOME_FAILED, "The service did not stop within %d seconds, and was killed.", (PATIENCE_MS + LAST_PATIENCE_MS) / 1000);
}

enum outcome service_stop(void)
{
  int run = run_folder_open(false);
  if (run == -ENOENT) return fail(OUTCOME_NOT_RUNNING, "No service runs in this folder.");
  if (run < 0) return fail(OUTCOME_FAILED, "The folder %s cannot be opened: %s.", RING_RUN_FOLDER, strerror(-run));
  struct service_identity service;
  int found = service_find(run, &service);
  for (int tries = 0; found == -ENODATA && tries < 500; tries++) { // it is just being started
    usleep(10000);
    found = service_find(run, &service);
  }
  if (found < 0) return fail(OUTCOME_FAILED, "%s/%s cannot be read: %s.", RING_RUN_FOLDER, RING_PID_FILE, strerror(-found));
  int pidfd = found == 0 ? -ESRCH : process_open(service.process);
  enum outcome outcome = pidfd < 0 ? clean_up(run) : end(run, &service, pidfd);
  if (pidfd >= 0) close(pidfd);
  close(run);
  return outcome;
}
