/* A small pool of threads per network instance, and the one function kernels call: a parallel loop.
 * Part of runtime.c. Between two layers a worker waits actively for a moment before
 * it sleeps, since the next loop comes within microseconds. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

typedef int (*task_function)(void *context, int index, uint8_t *closure);

/* What kernels get as `user_context`. Several packages in one program share the first one's
 * edgefront_parallel_for_1, so a change here needs another number in that name. */
typedef struct edgefront_context {
    int (*parallel_for)(struct edgefront_context *self, task_function task, int min, int size,
                        uint8_t *closure);
} edgefront_context;

typedef struct pool {
    edgefront_context context; /* first: a pool is a context */
    int threads;               /* with the caller */
    int started;               /* workers that run */
    pthread_t *workers;
    pthread_mutex_t lock;
    pthread_cond_t wake;

    /* One loop at a time. `round` counts loops; a worker that has seen it change takes part. */
    atomic_uint round;
    atomic_int next, busy, result;
    atomic_int stop;
    task_function task;
    uint8_t *closure;
    int end;
} pool;

enum { spins = 2000 };

static void pause_briefly(int turn) {
    if (turn % 64 == 63) {
        sched_yield();
    }
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

static void work(pool *p) {
    for (int i; (i = atomic_fetch_add(&p->next, 1)) < p->end;) {
        const int result = p->task(&p->context, i, p->closure);
        if (result != 0) {
            atomic_store(&p->result, result);
        }
    }
}

static void *worker(void *argument) {
    pool *p = argument;
    unsigned seen = 0;
    for (;;) {
        for (int turn = 0; turn < spins && atomic_load(&p->round) == seen; turn++) {
            pause_briefly(turn);
        }
        if (atomic_load(&p->round) == seen) {
            pthread_mutex_lock(&p->lock);
            while (atomic_load(&p->round) == seen) {
                pthread_cond_wait(&p->wake, &p->lock);
            }
            pthread_mutex_unlock(&p->lock);
        }
        seen++;
        if (atomic_load(&p->stop)) {
            return NULL;
        }
        work(p);
        atomic_fetch_sub(&p->busy, 1);
    }
}

static void start_round(pool *p) {
    pthread_mutex_lock(&p->lock);
    atomic_fetch_add(&p->round, 1);
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->lock);
}

static int parallel_for(edgefront_context *self, task_function task, int min, int size,
                        uint8_t *closure) {
    pool *p = (pool *)self;
    if (p->started == 0 || size < 2) {
        int result = 0;
        for (int i = min; i < min + size && result == 0; i++) {
            result = task(self, i, closure);
        }
        return result;
    }
    p->task = task;
    p->closure = closure;
    p->end = min + size;
    atomic_store(&p->next, min);
    atomic_store(&p->result, 0);
    atomic_store(&p->busy, p->started);
    start_round(p);
    work(p);
    for (int turn = 0; atomic_load(&p->busy) != 0; turn++) {
        pause_briefly(turn);
    }
    return atomic_load(&p->result);
}

/* Halide's halide_do_par_for under a name of our own, so that a program may also hold Halide's
 * runtime; weak, as every package brings one. */
int edgefront_parallel_for_1(void *context, task_function task, int min, int size,
                             uint8_t *closure);
__attribute__((weak)) int edgefront_parallel_for_1(void *context, task_function task, int min,
                                                   int size, uint8_t *closure) {
    edgefront_context *c = context;
    return c->parallel_for(c, task, min, size, closure);
}

static void pool_stop(pool *p) {
    atomic_store(&p->stop, 1);
    start_round(p);
    for (int i = 0; i < p->started; i++) {
        pthread_join(p->workers[i], NULL);
    }
    atomic_store(&p->stop, 0);
    atomic_store(&p->round, 0);
    p->started = 0;
    free(p->workers);
    p->workers = NULL;
}

/* 1 when `threads` threads, with the caller's, stand ready; 0 when the system refuses. */
static int pool_start(pool *p, int threads) {
    p->context.parallel_for = parallel_for;
    p->threads = threads;
    p->workers = calloc((size_t)threads, sizeof *p->workers);
    if (!p->workers) {
        return 0;
    }
    while (p->started < threads - 1) {
        if (pthread_create(&p->workers[p->started], NULL, worker, p) != 0) {
            pool_stop(p);
            return 0;
        }
        p->started++;
    }
    return 1;
}
