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

    /* One loop at a time. `claim` is (number of the loop << 32 | turns nobody has taken yet): a
     * turn belongs to whoever decreases it. The caller waits for turns, not for workers: one that
     * the system lets wait holds nobody up. What a loop is, is written before its number is. */
    atomic_uint_fast64_t claim;
    atomic_int done, result, stop;
    _Atomic(task_function) task;
    _Atomic(uint8_t *) closure;
    atomic_int end;
} pool;

enum { spins = 2000 };

static void pause_briefly(int turn) {
    if (turn % 64 == 63) {
        sched_yield();
    }
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static uint32_t round_of(uint_fast64_t claim) {
    return (uint32_t)(claim >> 32);
}

static void work(pool *p) {
    uint_fast64_t claim = atomic_load(&p->claim);
    for (;;) {
        const int left = (int)(claim & 0xffffffffu);
        if (left == 0) {
            return;
        }
        /* Of this loop if the exchange succeeds: its last turn has not been done then. */
        const task_function task = atomic_load_explicit(&p->task, memory_order_relaxed);
        uint8_t *closure = atomic_load_explicit(&p->closure, memory_order_relaxed);
        const int end = atomic_load_explicit(&p->end, memory_order_relaxed);
        if (atomic_compare_exchange_weak(&p->claim, &claim, claim - 1)) {
            const int result = task(&p->context, end - left, closure);
            if (result != 0) {
                atomic_store(&p->result, result);
            }
            atomic_fetch_add(&p->done, 1);
            claim = atomic_load(&p->claim);
        }
    }
}

static void *worker(void *argument) {
    pool *p = argument;
    uint32_t seen = 0;
    for (;;) {
        for (int turn = 0; turn < spins && round_of(atomic_load(&p->claim)) == seen; turn++) {
            pause_briefly(turn);
        }
        if (round_of(atomic_load(&p->claim)) == seen) {
            pthread_mutex_lock(&p->lock);
            while (round_of(atomic_load(&p->claim)) == seen) {
                pthread_cond_wait(&p->wake, &p->lock);
            }
            pthread_mutex_unlock(&p->lock);
        }
        seen = round_of(atomic_load(&p->claim));
        if (atomic_load(&p->stop)) {
            return NULL;
        }
        work(p);
    }
}

static void start_round(pool *p, int turns) {
    pthread_mutex_lock(&p->lock);
    const uint_fast64_t next = round_of(atomic_load(&p->claim)) + 1u;
    atomic_store(&p->claim, next << 32 | (uint32_t)turns);
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
    atomic_store_explicit(&p->task, task, memory_order_relaxed);
    atomic_store_explicit(&p->closure, closure, memory_order_relaxed);
    atomic_store_explicit(&p->end, min + size, memory_order_relaxed);
    atomic_store(&p->result, 0);
    atomic_store(&p->done, 0);
    start_round(p, size);
    work(p);
    for (int turn = 0; atomic_load(&p->done) != size; turn++) {
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
    start_round(p, 0);
    for (int i = 0; i < p->started; i++) {
        pthread_join(p->workers[i], NULL);
    }
    atomic_store(&p->stop, 0);
    atomic_store(&p->claim, 0);
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
