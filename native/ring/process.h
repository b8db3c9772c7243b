/** Processes by pid and start time (a pid alone may be another's by now), and the files by which service and clients find each other. */
#ifndef RING_PROCESS_H
#define RING_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/** Everything that the service and its clients keep lies in this folder, in the folder that they were started in. */
#define RING_RUN_FOLDER "run"
#define RING_PID_FILE "service.pid"         /* "<pid> <start time> <descriptor of the statistics page>"; locked while the service lives */
#define RING_LOG_FILE "service.log"
#define RING_CLIENTS_FILE "clients"         /* a line a client: see announce.h */
#define RING_SUMMARY_FILE "service.summary" /* the service's last words, for `service stop` */

struct process {
  pid_t pid;
  uint64_t start_time; /* field 22 of /proc/<pid>/stat: clock ticks since boot */
};

/** Start time of a process, or 0 if there is none. */
uint64_t process_start_time(pid_t pid);

static inline bool process_is(struct process process)
{
  return process.start_time != 0 && process_start_time(process.pid) == process.start_time;
}

/** A pidfd for exactly this process, or -errno (-ESRCH: it has ended). */
int process_open(struct process process);

/** Opens a pidfd's process: sends it a signal. Returns 0 or -errno. */
int process_signal(int pidfd, int signal);

/** Opens the run folder in the current folder, and makes it first if `make`. Returns a descriptor or -errno. */
int run_folder_open(bool make);

/** The same of another folder. */
int run_folder_of(const char *folder);

struct service_identity {
  struct process process;
  int statistics_fd; /* in the service: /proc/<pid>/fd/<this> */
};

/**
 * Who serves. The lock on the pid file tells, not what is written in it: the kernel gives it back however a service ends.
 * @returns 1 and the identity if a service runs, 0 if none does, -ENODATA if one holds the lock but has not written yet, or -errno
 */
int service_find(int run, struct service_identity *identity);

/** Takes the pid file's lock for life. Returns the descriptor that holds it, -EWOULDBLOCK if another service has it, or -errno. */
int service_claim(int run);

#endif
