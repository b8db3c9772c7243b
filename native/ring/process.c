#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

uint64_t process_start_time(pid_t pid)
{
  char path[64], text[1024];
  snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  ssize_t got = read(fd, text, sizeof text - 1);
  close(fd);
  if (got <= 0) return 0;
  text[got] = 0;
  // The name in brackets may hold anything, brackets and spaces too: fields are counted from its last bracket.
  char *at = strrchr(text, ')');
  for (int field = 2; at && field < 22; field++) at = strchr(at + 1, ' ');
  uint64_t start = 0;
  return at && sscanf(at, " %" SCNu64, &start) == 1 ? start : 0;
}

int process_open(struct process process)
{
  int fd = (int)syscall(SYS_pidfd_open, process.pid, 0);
  if (fd < 0) return -errno;
  // In this order: the descriptor is of one process for ever, so a start time that fits now is that process's.
  if (process_is(process)) return fd;
  close(fd);
  return -ESRCH;
}

int process_signal(int pidfd, int signal)
{
  return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) == 0 ? 0 : -errno;
}

int run_folder_open(bool make)
{
  if (make && mkdir(RING_RUN_FOLDER, 0700) != 0 && errno != EEXIST) return -errno;
  int fd = open(RING_RUN_FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return fd < 0 ? -errno : fd;
}

int run_folder_of(const char *folder)
{
  int there = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int fd = there < 0 ? -1 : openat(there, RING_RUN_FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int error = fd < 0 ? -errno : 0;
  if (there >= 0) close(there);
  return fd < 0 ? error : fd;
}

int service_find(int run, struct service_identity *identity)
{
  int fd = openat(run, RING_PID_FILE, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno == ENOENT ? 0 : -errno;
  int found = 0;
  if (flock(fd, LOCK_SH | LOCK_NB) != 0) {
    char text[128] = {0};
    int pid = 0;
    found = errno != EWOULDBLOCK ? -errno : read(fd, text, sizeof text - 1) < 0 ? -errno : 1;
    if (found == 1 && sscanf(text, "%d %" SCNu64 " %d", &pid, &identity->process.start_time, &identity->statistics_fd) != 3) found = -ENODATA;
    identity->process.pid = pid;
  }
  close(fd);
  return found;
}

int service_claim(int run)
{
  for (;;) {
    int fd = openat(run, RING_PID_FILE, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return -errno;
    // Another who just looks (service_find) holds the lock for a moment, shared: try for a while.
    int tries = 0;
    while (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK && tries++ < 20) usleep(5000);
    struct stat ours, there;
    if (tries > 20) {
      close(fd);
      return -EWOULDBLOCK;
    }
    // The file may have been removed by the one who had it before us.
    if (fstat(fd, &ours) == 0 && fstatat(run, RING_PID_FILE, &there, 0) == 0 && ours.st_ino == there.st_ino) return fd;
    close(fd);
  }
}
