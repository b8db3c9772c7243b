/**
 * A pool of threads with pread(2): for kernels whose io_uring is not there, switched off, or too old to wait for futexes.
 * Sleeping is futex_waitv(2) on the clients' bells and the pool's own; that takes at most 128 words, and exists since Linux 5.16:
 * where it does not do, the service looks around every millisecond.
 */
#include "io-ways.h"

#include "../ring/futex.h"
#include "../ring/ring.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define THREADS 32u
#define MOST_WORDS 128u
#define NR_FUTEX_WAITV 449 /* the same on all architectures */
#define WORD_U32 2u        /* FUTEX_32: shared between processes */

struct job {
  uint32_t read;
  uint64_t offset;
};

/** As the kernel wants it: struct futex_waitv, which older headers do not have. */
struct wait_word {
  uint64_t value, address;
  uint32_t flags, reserved;
};

struct pool {
  struct io_target target;
  pthread_t threads[THREADS];
  unsigned running;
  pthread_mutex_t lock;
  pthread_cond_t work;
  bool ending;
  struct job jobs[IO_DEPTH];
  struct io_done done[IO_DEPTH];
  unsigned first_job, job_count, first_done, done_count;
  _Atomic uint32_t bell;
  struct wait_word words[IO_BELLS + 1];
  unsigned word_count;
};

static int32_t read_block(const struct io_target *target, const struct job *job)
{
  ssize_t got;
  do got = pread(target->fd, target->buffers + (size_t)job->read * target->block, target->block, (off_t)job->offset);
  while (got < 0 && errno == EINTR);
  return got < 0 ? -errno : (int32_t)got;
}

static void *run_jobs(void *context)
{
  struct pool *pool = context;
  pthread_mutex_lock(&pool->lock);
  for (;;) {
    while (pool->job_count == 0 && !pool->ending) pthread_cond_wait(&pool->work, &pool->lock);
    if (pool->ending) break;
    struct job job = pool->jobs[pool->first_job];
    pool->first_job = (pool->first_job + 1) % IO_DEPTH;
    pool->job_count--;
    pthread_mutex_unlock(&pool->lock);
    int32_t result = read_block(&pool->target, &job);
    pthread_mutex_lock(&pool->lock);
    pool->done[(pool->first_done + pool->done_count++) % IO_DEPTH] = (struct io_done){job.read, result};
    // The same handshake as R3: the sleeper looks at done_count after it said that it sleeps.
    if (atomic_exchange(&pool->bell, RING_AWAKE) == RING_ASLEEP) futex_wake(&pool->bell);
  }
  pthread_mutex_unlock(&pool->lock);
  return NULL;
}

static void pool_queue(void *way, uint32_t read, uint64_t offset)
{
  struct pool *pool = way;
  pthread_mutex_lock(&pool->lock);
  pool->jobs[(pool->first_job + pool->job_count++) % IO_DEPTH] = (struct job){read, offset};
  pthread_cond_signal(&pool->work);
  pthread_mutex_unlock(&pool->lock);
}

static void pool_flush(void *way)
{
  (void)way; /* each job has started when it was queued */
}

static unsigned pool_reap(void *way, struct io_done *done, unsigned most)
{
  struct pool *pool = way;
  unsigned count = 0;
  pthread_mutex_lock(&pool->lock);
  for (; pool->done_count > 0 && count < most; count++) {
    done[count] = pool->done[pool->first_done];
    pool->first_done = (pool->first_done + 1) % IO_DEPTH;
    pool->done_count--;
  }
  pthread_mutex_unlock(&pool->lock);
  return count;
}

static void pool_arm(void *way, uint32_t bell, _Atomic uint32_t *word)
{
  struct pool *pool = way;
  (void)bell;
  pool->words[pool->word_count++] = (struct wait_word){.value = RING_ASLEEP, .address = (uintptr_t)word, .flags = WORD_U32};
}

static bool pool_is_armed(const void *way, uint32_t bell)
{
  (void)way, (void)bell; /* words are only in use during pool_sleep() */
  return false;
}

static void pool_sleep(void *way)
{
  struct pool *pool = way;
  atomic_store(&pool->bell, RING_ASLEEP);
  pthread_mutex_lock(&pool->lock);
  bool news = pool->done_count > 0;
  pthread_mutex_unlock(&pool->lock);
  if (!news) {
    pool_arm(pool, 0, &pool->bell);
    unsigned words = pool->word_count;
    long woken = words > MOST_WORDS ? -1 : syscall(NR_FUTEX_WAITV, pool->words, words, 0, NULL, CLOCK_MONOTONIC);
    if (words > MOST_WORDS || (woken < 0 && errno == ENOSYS)) futex_wait(&pool->bell, RING_ASLEEP, &(struct timespec){.tv_nsec = 1000000});
  }
  atomic_store(&pool->bell, RING_AWAKE);
  pool->word_count = 0;
}

static void pool_close(void *way)
{
  struct pool *pool = way;
  pthread_mutex_lock(&pool->lock);
  pool->ending = true;
  pthread_cond_broadcast(&pool->work);
  pthread_mutex_unlock(&pool->lock);
  for (unsigned i = 0; i < pool->running; i++) pthread_join(pool->threads[i], NULL);
  pthread_cond_destroy(&pool->work);
  pthread_mutex_destroy(&pool->lock);
  free(pool);
}

void *io_threads_open(const struct io_target *target)
{
  struct pool *pool = calloc(1, sizeof *pool);
  if (!pool) return NULL;
  pool->target = *target;
  pthread_mutex_init(&pool->lock, NULL);
  pthread_cond_init(&pool->work, NULL);
  while (pool->running < THREADS && pthread_create(&pool->threads[pool->running], NULL, run_jobs, pool) == 0) pool->running++;
  if (pool->running > 0) return pool;
  pool_close(pool);
  errno = EAGAIN;
  return NULL;
}

const struct io_way_calls io_threads_calls = {pool_close, pool_queue, pool_flush, pool_reap, pool_arm, pool_is_armed, pool_sleep};
