/* A small pool of threads per network instance, and what kernels call: a parallel loop, and memory
 * for the rows that a chain of layers keeps. Part of runtime.c. Between two layers a worker waits
 * actively for a moment before it sleeps, since the next loop comes within microseconds. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

typedef int (*task_function)(void *context, int index, uint8_t *closure);

/* What kernels get as `user_context`. Several packages in one program share the first one's
 * functions edgefront_..._2, so a change here needs another number in those names. */
typedef struct edgefront_context {
    int (*parallel_for)(struct edgefront_context *self, task_function task, int min, int size,
                        uint8_t *closure);
    void *(*take)(struct edgefront_context *self, size_t bytes);
    void (*give)(struct edgefront_context *self, void *memory);
} edgefront_context;

/* One thread's share: a kernel, or the turn of a loop, runs with it. */
typedef struct participant {
    edgefront_context context; /* first: a participant is a context */
    struct pool *pool;
    uint8_t *scratch;
    size_t used; /* of the scratch memory */
    int pieces;  /* that have been taken of it and not given back */
} participant;

typedef struct pool {
    participant *participants; /* the first one is the caller's */
    size_t scratch_bytes;      /* of each */
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
    atomic_int sleepers; /* workers that wait for `wake`, or are about to */
    _Atomic(task_function) task;
    _Atomic(uint8_t *) closure;
    atomic_int end;
} pool;

/* About 0.4 ms: longer than a kernel of one thread takes. */
enum { spins = 20000, border = 64 };

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

static void work(pool *p, participant *self) {
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
            const int result = task(&self->context, end - left, closure);
            if (result != 0) {
                atomic_store(&p->result, result);
            }
            atomic_fetch_add(&p->done, 1);
            claim = atomic_load(&p->claim);
        }
    }
}

static void *worker(void *argument) {
    participant *self = argument;
    pool *p = self->pool;
    uint32_t seen = 0;
    for (;;) {
        for (int turn = 0; turn < spins && round_of(atomic_load(&p->claim)) == seen; turn++) {
            pause_briefly(turn);
        }
        if (round_of(atomic_load(&p->claim)) == seen) {
            pthread_mutex_lock(&p->lock);
            atomic_fetch_add(&p->sleepers, 1);
            while (round_of(atomic_load(&p->claim)) == seen) {
                pthread_cond_wait(&p->wake, &p->lock);
            }
            atomic_fetch_sub(&p->sleepers, 1);
            pthread_mutex_unlock(&p->lock);
        }
        seen = round_of(atomic_load(&p->claim));
        if (atomic_load(&p->stop)) {
            return NULL;
        }
        work(p, self);
    }
}

/* Waking costs more than a small loop takes, so only those that sleep are woken: a worker says that
 * it will before it looks for the last time, and here it is asked after the loop can be seen. */
static void start_round(pool *p, int turns) {
    const uint_fast64_t next = round_of(atomic_load(&p->claim)) + 1u;
    atomic_store(&p->claim, next << 32 | (uint32_t)turns);
    if (atomic_load(&p->sleepers) > 0) {
        pthread_mutex_lock(&p->lock);
        pthread_cond_broadcast(&p->wake);
        pthread_mutex_unlock(&p->lock);
    }
}

static int parallel_for(edgefront_context *self, task_function task, int min, int size,
                        uint8_t *closure) {
    participant *caller = (participant *)self;
    pool *p = caller->pool;
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
    work(p, caller);
    for (int turn = 0; atomic_load(&p->done) != size; turn++) {
        pause_briefly(turn);
    }
    return atomic_load(&p->result);
}

/* Kernels ask for no more than was planned; should one, it gets more while the system has any. */
static void *take(edgefront_context *context, size_t bytes) {
    participant *self = (participant *)context;
    const size_t size = (bytes + border - 1) / border * border;
    if (size > self->pool->scratch_bytes - self->used) {
        return aligned_alloc(border, size);
    }
    void *memory = self->scratch + self->used;
    self->used += size;
    self->pieces++;
    return memory;
}

static void give(edgefront_context *context, void *memory) {
    participant *self = (participant *)context;
    const uintptr_t at = (uintptr_t)memory, first = (uintptr_t)self->scratch;
    if (at < first || at >= first + self->pool->scratch_bytes) {
        free(memory);
    } else if (--self->pieces == 0) {
        self->used = 0;
    }
}

/* Functions of Halide's runtime under names of our own, so that a program may also hold that; weak,
 * as every package brings them. */
int edgefront_parallel_for_2(void *context, task_function task, int min, int size,
                             uint8_t *closure);
__attribute__((weak)) int edgefront_parallel_for_2(void *context, task_function task, int min,
                                                   int size, uint8_t *closure) {
    edgefront_context *c = context;
    return c->parallel_for(c, task, min, size, closure);
}

void *edgefront_take_2(void *context, size_t bytes);
__attribute__((weak)) void *edgefront_take_2(void *context, size_t bytes) {
    edgefront_context *c = context;
    return c->take(c, bytes);
}

void edgefront_give_2(void *context, void *memory);
__attribute__((weak)) void edgefront_give_2(void *context, void *memory) {
    edgefront_context *c = context;
    c->give(c, memory);
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
    for (int i = 0; p->participants && i < p->threads; i++) {
        free(p->participants[i].scratch);
    }
    free(p->participants);
    p->participants = NULL;
}

/* 1 when every participant has its memory. */
static int invite(pool *p) {
    p->participants = calloc((size_t)p->threads, sizeof *p->participants);
    for (int i = 0; p->participants && i < p->threads; i++) {
        participant *one = &p->participants[i];
        one->context = (edgefront_context){parallel_for, take, give};
        one->pool = p;
        one->scratch = aligned_alloc(border, p->scratch_bytes + border);
        if (!one->scratch) {
            return 0;
        }
    }
    return p->participants != NULL;
}

/* 1 when `threads` threads, with the caller's, stand ready, each with `scratch` bytes (a
 * multiple of 64) for its kernels; 0 when the system refuses. */
static int pool_start(pool *p, int threads, size_t scratch) {
    p->threads = threads;
    p->scratch_bytes = scratch;
    p->workers = calloc((size_t)threads, sizeof *p->workers);
    if (!p->workers || !invite(p)) {
        pool_stop(p);
        return 0;
    }
    while (p->started < threads - 1) {
        participant *next = &p->participants[p->started + 1];
        if (pthread_create(&p->workers[p->started], NULL, worker, next) != 0) {
            pool_stop(p);
            return 0;
        }
        p->started++;
    }
    return 1;
}
