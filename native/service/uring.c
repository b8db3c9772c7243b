/**
 * io_uring by its system calls: io_uring(7), and linux/io_uring.h for the names.
 *
 * The kernel finishes reads when we ask it to (DEFER_TASKRUN), not by interrupting us, and sets a flag in the ring when there
 * is something to finish; so a turn without news costs no system call. The image and the buffers are registered once, which
 * saves looking the file up and pinning the page for every read.
 *
 * Memory order, with the kernel as the other end: our store of the submission tail (release) pairs with its load; its store of
 * the completion tail (release) with our load (acquire); our store of the completion head (release) with its load.
 */
#include "bells.h"
#include "doorman.h"
#include "io-ways.h"

#include "../ring/futex.h"
#include "../ring/ring.h"

#include <linux/io_uring.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>

#define ENTRIES 256u
#define COMPLETIONS 4096u /* every read and every bell at once, and some */
#define OP_FUTEX_WAIT 51u /* Linux 6.7; older headers do not have it */
#define FINISH_TRIES 4u   /* the kernel finishes twenty a call: as many calls as all reads take */
#define LOOK_AGAIN_NS 10000000u /* with a doorman: no kernel promises that it looks at our wish before or after it says that it has news */
#define BELL_TAG ((uint64_t)1 << 32)
#define CANCEL_TAG ((uint64_t)1 << 33)

/* Linux 6.1; older headers do not have them. The kernel refuses what it does not know, and then the threads do the work. */
#ifndef IORING_SETUP_SINGLE_ISSUER
#define IORING_SETUP_SINGLE_ISSUER (1U << 12)
#endif
#ifndef IORING_SETUP_DEFER_TASKRUN
#define IORING_SETUP_DEFER_TASKRUN (1U << 13)
#endif
#ifndef FUTEX2_SIZE_U32
#define FUTEX2_SIZE_U32 0x02
#endif
/* Linux 5.19. */
#ifndef IORING_ASYNC_CANCEL_ANY
#define IORING_ASYNC_CANCEL_ANY (1U << 2)
#endif
#ifndef IORING_ASYNC_CANCEL_ALL
#define IORING_ASYNC_CANCEL_ALL (1U << 0)
#endif

struct uring {
  int fd;
  unsigned char *rings;
  size_t rings_bytes;
  struct io_uring_sqe *sqes;
  struct io_uring_cqe *cqes;
  _Atomic uint32_t *sq_tail, *sq_flags, *cq_head, *cq_tail, *cq_flags;
  uint32_t sq_mask, cq_mask;
  uint32_t tail; /* ours; published by enter() */
  uint32_t unsubmitted;
  uint32_t reads; /* in flight */
  bool armed[IO_BELLS];
  uint32_t armed_bells;
  bool cancelling;
  uint32_t wanted[IO_BELLS]; /* the numbers of the bells to sleep on, in the order of `bells` */
  struct bells bells;
  struct doorman *doorman; /* NULL: the ring waits for futexes itself */
  struct io_target target;
};

static int enter(struct uring *uring, uint32_t wait_for, uint32_t flags)
{
  atomic_store_explicit(uring->sq_tail, uring->tail, memory_order_release);
  long took = syscall(SYS_io_uring_enter, uring->fd, uring->unsubmitted, wait_for, flags, NULL, 0);
  if (took < 0) return -errno;
  uring->unsubmitted -= (uint32_t)took;
  return 0;
}

static struct io_uring_sqe *next_entry(struct uring *uring)
{
  // The kernel takes what it is given at once unless it lacks memory: then it is asked again.
  while (uring->unsubmitted == ENTRIES) enter(uring, 0, 0);
  struct io_uring_sqe *entry = &uring->sqes[uring->tail++ & uring->sq_mask];
  uring->unsubmitted++;
  memset(entry, 0, sizeof *entry);
  return entry;
}

static void uring_queue(void *way, uint32_t read, uint64_t offset)
{
  struct uring *uring = way;
  struct io_uring_sqe *entry = next_entry(uring);
  uring->reads++;
  entry->opcode = IORING_OP_READ_FIXED;
  entry->flags = IOSQE_FIXED_FILE;
  entry->off = offset;
  entry->addr = (uintptr_t)(uring->target.buffers + (size_t)read * uring->target.block);
  entry->len = uring->target.block;
  entry->user_data = read;
}

static void uring_flush(void *way)
{
  struct uring *uring = way;
  if (uring->unsubmitted > 0) enter(uring, 0, 0);
}

/** Whether the kernel has something that it finishes when it is asked to. */
static bool has_unfinished(const struct uring *uring)
{
  return (atomic_load_explicit(uring->sq_flags, memory_order_relaxed) & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0;
}

/** Whether there is something to reap. */
static bool has_news(const struct uring *uring)
{
  return has_unfinished(uring) || atomic_load_explicit(uring->cq_tail, memory_order_acquire) != atomic_load_explicit(uring->cq_head, memory_order_relaxed);
}

static void unarm(struct uring *uring, uint32_t bell)
{
  uring->armed[bell] = false;
  uring->armed_bells--;
}

static unsigned uring_reap(void *way, struct io_done *done, unsigned most)
{
  struct uring *uring = way;
  uint32_t head = atomic_load_explicit(uring->cq_head, memory_order_relaxed);
  for (unsigned tries = 0; tries < FINISH_TRIES && has_unfinished(uring); tries++) enter(uring, 0, IORING_ENTER_GETEVENTS);
  uint32_t tail = atomic_load_explicit(uring->cq_tail, memory_order_acquire);
  unsigned count = 0;
  for (; head != tail && count < most; head++) {
    const struct io_uring_cqe *completion = &uring->cqes[head & uring->cq_mask];
    if (completion->user_data == CANCEL_TAG) uring->cancelling = false;
    else if (completion->user_data >= BELL_TAG) unarm(uring, (uint32_t)(completion->user_data - BELL_TAG));
    else done[count++] = (struct io_done){(uint32_t)completion->user_data, completion->res};
  }
  atomic_store_explicit(uring->cq_head, head, memory_order_release);
  uring->reads -= count;
  return count;
}

static void uring_arm(void *way, uint32_t bell, _Atomic uint32_t *word)
{
  struct uring *uring = way;
  uring->wanted[uring->bells.count] = bell;
  bells_add(&uring->bells, word);
}

static void wait_for_bell(struct uring *uring, uint32_t bell, uint64_t word)
{
  if (uring->armed[bell]) return;
  uring->armed[bell] = true;
  uring->armed_bells++;
  struct io_uring_sqe *entry = next_entry(uring);
  entry->opcode = OP_FUTEX_WAIT;
  entry->fd = FUTEX2_SIZE_U32;
  entry->addr = word;
  entry->addr2 = RING_ASLEEP;
  entry->addr3 = FUTEX_BITSET_MATCH_ANY;
  entry->user_data = BELL_TAG + bell;
}

static bool uring_is_armed(const void *way, uint32_t bell)
{
  return ((const struct uring *)way)->armed[bell];
}

static void uring_sleep(void *way)
{
  struct uring *uring = way;
  if (uring->doorman && uring->reads > 0) {
    bells_add(&uring->bells, doorman_watch(uring->doorman));
    if (!has_news(uring)) bells_sleep(&uring->bells, LOOK_AGAIN_NS);
    doorman_rest(uring->doorman);
  } else if (uring->doorman || (uring->reads == 0 && uring->unsubmitted == 0 && uring->bells.count <= BELLS_MOST)) {
    // Nothing can come from the ring but bells that have rung, and they are words that have changed: the shorter way.
    if (!has_news(uring)) bells_sleep(&uring->bells, 0);
  } else {
    for (unsigned i = 0; i < uring->bells.count; i++) wait_for_bell(uring, uring->wanted[i], uring->bells.words[i].address);
    enter(uring, 1, IORING_ENTER_GETEVENTS);
  }
  uring->bells.count = 0;
}

/**
 * Waits until nothing is under way any more, bells included: else the kernel takes the ring apart while the process ends. That is the
 * likeliest cause found of a service that once did not end before it was killed; it was not shown to be the cause.
 */
static void drain(struct uring *uring)
{
  struct io_done done[IO_DEPTH];
  struct io_uring_sqe *entry = next_entry(uring);
  entry->opcode = IORING_OP_ASYNC_CANCEL;
  entry->fd = -1;
  entry->cancel_flags = IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL;
  entry->user_data = CANCEL_TAG;
  uring->cancelling = true;
  while (uring->cancelling || uring->reads > 0 || uring->armed_bells > 0) {
    if (!has_news(uring) && enter(uring, 1, IORING_ENTER_GETEVENTS) != 0) return;
    uring_reap(uring, done, IO_DEPTH);
  }
}

static void uring_close(void *way)
{
  struct uring *uring = way;
  if (uring->sq_tail) drain(uring);
  // Now, not when the kernel comes to it: who stops the service may want to unmount the image's file system next.
  syscall(SYS_io_uring_register, uring->fd, IORING_UNREGISTER_FILES, NULL, 0);
  syscall(SYS_io_uring_register, uring->fd, IORING_UNREGISTER_BUFFERS, NULL, 0);
  if (uring->doorman) doorman_close(uring->doorman);
  if (uring->sqes) munmap(uring->sqes, ENTRIES * sizeof *uring->sqes);
  if (uring->rings) munmap(uring->rings, uring->rings_bytes);
  close(uring->fd);
  free(uring);
}

static bool map_rings(struct uring *uring, const struct io_uring_params *setup)
{
  size_t submissions = setup->sq_off.array + setup->sq_entries * sizeof(uint32_t);
  size_t completions = setup->cq_off.cqes + setup->cq_entries * sizeof(struct io_uring_cqe);
  uring->rings_bytes = submissions > completions ? submissions : completions;
  void *rings = mmap(NULL, uring->rings_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, uring->fd, IORING_OFF_SQ_RING);
  void *sqes = mmap(NULL, ENTRIES * sizeof *uring->sqes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, uring->fd, IORING_OFF_SQES);
  uring->rings = rings == MAP_FAILED ? NULL : rings;
  uring->sqes = sqes == MAP_FAILED ? NULL : sqes;
  if (!uring->rings || !uring->sqes) return false;
  uring->sq_tail = (_Atomic uint32_t *)(void *)(uring->rings + setup->sq_off.tail);
  uring->sq_flags = (_Atomic uint32_t *)(void *)(uring->rings + setup->sq_off.flags);
  uring->cq_head = (_Atomic uint32_t *)(void *)(uring->rings + setup->cq_off.head);
  uring->cq_tail = (_Atomic uint32_t *)(void *)(uring->rings + setup->cq_off.tail);
  uring->cq_flags = (_Atomic uint32_t *)(void *)(uring->rings + setup->cq_off.flags);
  uring->cqes = (struct io_uring_cqe *)(void *)(uring->rings + setup->cq_off.cqes);
  uring->sq_mask = setup->sq_entries - 1;
  uring->cq_mask = setup->cq_entries - 1;
  uint32_t *array = (uint32_t *)(void *)(uring->rings + setup->sq_off.array);
  for (uint32_t i = 0; i < setup->sq_entries; i++) array[i] = i;
  return true;
}

static bool knows_futexes(int fd)
{
  struct {
    struct io_uring_probe probe;
    struct io_uring_probe_op operations[OP_FUTEX_WAIT + 1];
  } asked = {0};
  if (syscall(SYS_io_uring_register, fd, IORING_REGISTER_PROBE, &asked, OP_FUTEX_WAIT + 1) != 0) return false;
  return asked.probe.last_op >= OP_FUTEX_WAIT && (asked.operations[OP_FUTEX_WAIT].flags & IO_URING_OP_SUPPORTED) != 0;
}

static bool register_all(struct uring *uring)
{
  struct iovec buffers = {uring->target.buffers, (size_t)IO_DEPTH * uring->target.block};
  return syscall(SYS_io_uring_register, uring->fd, IORING_REGISTER_FILES, &uring->target.fd, 1) == 0 &&
         syscall(SYS_io_uring_register, uring->fd, IORING_REGISTER_BUFFERS, &buffers, 1) == 0;
}

/** Opens a ring; whether it waits for futexes itself is the caller's choice. */
static void *open_ring(const struct io_target *target, bool futexes)
{
  struct io_uring_params setup = {
      .flags = IORING_SETUP_CQSIZE | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG, .cq_entries = COMPLETIONS};
  struct uring *uring = calloc(1, sizeof *uring);
  if (!uring) return NULL;
  uring->target = *target;
  uring->fd = (int)syscall(SYS_io_uring_setup, ENTRIES, &setup);
  if (uring->fd < 0) {
    free(uring);
    return NULL;
  }
  if ((!futexes || knows_futexes(uring->fd)) && (setup.features & IORING_FEAT_SINGLE_MMAP) != 0 && map_rings(uring, &setup) && register_all(uring) &&
      (futexes || (uring->doorman = doorman_open(uring->fd, uring->cq_flags))))
    return uring;
  uring_close(uring);
  errno = ENOSYS;
  return NULL;
}

void *io_uring_open(const struct io_target *target)
{
  return open_ring(target, true);
}

void *io_events_open(const struct io_target *target)
{
  return open_ring(target, false);
}

const struct io_way_calls io_uring_calls = {uring_close, uring_queue, uring_flush, uring_reap, uring_arm, uring_is_armed, uring_sleep};
