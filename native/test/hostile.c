/**
 * A client that means harm: hostile WHAT SECONDS [SEED], in a folder where a service runs. It ends by itself, or is killed.
 *   scribble  writes nonsense all over its ring, again and again
 *   overrun   claims more requests than its ring holds
 *   nonsense  asks for operations, slots, sectors and lengths that there are not
 *   silent    asks and asks, and reads no answer
 *   leave     comes and goes without a word
 *   lock      sits on the lock of the clients file, or on a lease of it
 *   lines     writes nonsense into the clients file
 *   memory    announces descriptors that are not rings
 */
#include "../ring/announce.h"
#include "../ring/futex.h"
#include "../ring/ring.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

static uint64_t state;
static uint64_t until;
static int run;

static uint64_t any(void)
{
  state ^= state << 13;
  state ^= state >> 7;
  return state ^= state << 17;
}

static bool time_left(void)
{
  return now_ns() < until;
}

static uint64_t inode_of(int fd)
{
  struct stat info;
  return fstat(fd, &info) == 0 ? info.st_ino : 0;
}

/** A ring as it should be, announced; `fd` is where it is. */
static struct ring_view join(uint32_t slots, int *fd)
{
  *fd = memfd_create("hostile", MFD_ALLOW_SEALING);
  if (*fd < 0 || ftruncate(*fd, (off_t)ring_bytes(slots)) != 0 || fcntl(*fd, F_ADD_SEALS, F_SEAL_SHRINK) != 0) exit(1);
  void *memory = mmap(NULL, ring_bytes(slots), PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
  if (memory == MAP_FAILED) exit(1);
  struct ring_view view = ring_view(memory, slots);
  view.shared->magic = RING_MAGIC;
  view.shared->version = RING_VERSION;
  struct announcement line = {{getpid(), process_start_time(getpid())}, *fd, slots, inode_of(*fd)};
  announce_add(run, &line, 1000);
  const struct timespec patience = {.tv_sec = 1};
  if (atomic_load(&view.shared->state) == RING_OFFERED) futex_wait(&view.shared->state, RING_OFFERED, &patience);
  return view;
}

static void leave(struct ring_view *view, int fd)
{
  munmap(view->shared, view->bytes);
  close(fd);
}

static void push(struct ring_view *view, uint32_t prod)
{
  if (ring_push_requests(view->shared, prod)) futex_wake(&view->shared->req_bell);
}

static void scribble(void)
{
  int fd;
  struct ring_view view = join(64, &fd);
  unsigned char *bytes = (unsigned char *)view.shared;
  for (unsigned n = 0; n < 20000 && time_left(); n++) {
    size_t at = any() % (any() % 2 ? view.bytes : 512);
    ((volatile unsigned char *)bytes)[at] = (unsigned char)any();
    if (n % 4 == 0) push(&view, atomic_load(&view.shared->req_prod) + (uint32_t)(any() % 8));
    if (n % 64 == 0) *ring_request_at(&view, (uint32_t)any()) = (struct ring_request){(uint32_t)any() % 64, RING_READ, 1, any() % 1000};
  }
  leave(&view, fd);
}

static void overrun(void)
{
  int fd;
  struct ring_view view = join(16, &fd);
  push(&view, (uint32_t)any() | 0x100);
  usleep(1000);
  push(&view, 0xffffffffu);
  usleep(1000);
  leave(&view, fd);
}

static void ask_and_ask(bool sensible)
{
  int fd;
  struct ring_view view = join(64, &fd);
  uint32_t prod = 0;
  for (unsigned n = 0; n < 20000 && time_left() && atomic_load(&view.shared->state) == RING_SERVED; n++) {
    if (prod - atomic_load(&view.shared->rsp_prod) >= 64) {
      usleep(50);
      continue;
    }
    struct ring_request request = {prod % 64, RING_READ, 1, any() % 2000};
    if (!sensible) request = (struct ring_request){(uint32_t)any(), (uint16_t)(any() % 4), (uint16_t)(any() % 3), any() >> (any() % 64)};
    *ring_request_at(&view, prod++) = request;
    push(&view, prod);
  }
  leave(&view, fd);
}

static void come_and_go(void)
{
  int fd;
  struct ring_view view = join(16, &fd);
  for (uint32_t i = 0; i < 16; i++) *ring_request_at(&view, i) = (struct ring_request){i, RING_READ, 1, any() % 2000};
  push(&view, 16);
  // Half of them say that they leave, with requests under way.
  if (any() % 2) atomic_store(&view.shared->closing, 1);
  leave(&view, fd);
}

static void sit_on_lock(void)
{
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  bool lease = any() % 2;
  int fd = openat(run, RING_CLIENTS_FILE, lease ? O_RDONLY : O_RDWR | O_CREAT, 0600);
  if (lease) fcntl(fd, F_SETLEASE, F_RDLCK);
  else fcntl(fd, F_OFD_SETLKW, &lock);
  usleep(300000);
  close(fd);
  usleep(100000);
}

static void write_lines(void)
{
  char text[200];
  int fd = openat(run, RING_CLIENTS_FILE, O_WRONLY | O_APPEND);
  for (unsigned i = 0; i < sizeof text; i++) text[i] = "0123456789 \n-x"[any() % 14];
  if (fd < 0 || write(fd, text, sizeof text) < 0) usleep(1000);
  if (fd >= 0) close(fd);
  usleep(2000);
}

static void announce_other_things(void)
{
  int fds[2], plain = memfd_create("plain", 0), small = memfd_create("small", MFD_ALLOW_SEALING);
  if (plain < 0 || small < 0 || pipe(fds) != 0) exit(1);
  if (ftruncate(plain, (off_t)ring_bytes(16)) != 0 || fcntl(small, F_ADD_SEALS, F_SEAL_SHRINK) != 0) exit(1);
  const int all[] = {plain, small, fds[0], run, 0, 999};
  for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
    uint32_t slots = any() % 2 ? 16 : (uint32_t)any();
    announce_add(run, &(struct announcement){{getpid(), process_start_time(getpid())}, all[i], slots, any() % 4 ? inode_of(all[i]) : any()}, 100);
  }
  usleep(10000);
  close(plain), close(small), close(fds[0]), close(fds[1]);
}

int main(int count, char **words)
{
  if (count < 3) return fputs("usage: hostile WHAT SECONDS [SEED]\n", stderr), 2;
  const char *what = words[1];
  until = now_ns() + strtoull(words[2], NULL, 10) * 1000000000u;
  state = count > 3 ? strtoull(words[3], NULL, 10) * 2 + 1 : now_ns() | 1;
  signal(SIGIO, SIG_IGN); // how the kernel asks for a lease
  run = run_folder_open(false);
  if (run < 0) return fputs("No service was ever started here.\n", stderr), 3;
  while (time_left()) {
    if (strcmp(what, "scribble") == 0) scribble();
    else if (strcmp(what, "overrun") == 0) overrun();
    else if (strcmp(what, "nonsense") == 0) ask_and_ask(false);
    else if (strcmp(what, "silent") == 0) ask_and_ask(true);
    else if (strcmp(what, "leave") == 0) come_and_go();
    else if (strcmp(what, "lock") == 0) sit_on_lock();
    else if (strcmp(what, "lines") == 0) write_lines();
    else if (strcmp(what, "memory") == 0) announce_other_things();
    else return fprintf(stderr, "There is no way to be hostile called %s.\n", what), 2;
  }
  return 0;
}
