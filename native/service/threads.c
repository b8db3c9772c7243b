/**
 * A pool of threads with pread(2): for kernels whose io_uring is not there, switched off, or too old.
 * It sleeps on the clients' bells and the pool's own: bells.h.
 */
#include "bells.h"
#include "io-ways.h"

#include "../ring/futex.h"
#include "../ring/ring.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define THREADS 32u

struct job {
  uint32_t read;
  uint64_t offset;
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
  struct bells bells;
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
  bells_add(&pool->bells, word);
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
  bells_add(&pool->bells, &pool->bell);
  if (!news) bells_sleep(&pool->bells, 0);
  pool->bells.count = 0;
  atomic_store(&pool->bell, RING_AWAKE);
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
