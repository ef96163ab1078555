/* The package's thread pool: every turn of every loop is taken exactly once, whatever the number of
 * threads and however late workers come, and an error reaches the caller. */
#include "schedules/package/threads.c"

#include <stdio.h>

enum { most_turns = 100, loops = 2000 };

static atomic_int taken[most_turns];

struct loop {
    int work;    /* per turn */
    int failing; /* the turn that reports an error, or -1 */
};

static int turn(void *context, int index, uint8_t *closure) {
    (void)context;
    const struct loop *loop = (const struct loop *)closure;
    for (volatile int i = 0; i < loop->work; i++) {
    }
    atomic_fetch_add(&taken[index], 1);
    return index == loop->failing ? 5 : 0;
}

static int check_loop(pool *p, int number) {
    const int min = number % 3;
    const int size = 1 + number * 7919 % (most_turns - min);
    struct loop loop = {number % 5 == 0 ? 2000 : number % 50, -1};
    if (number % 7 == 0) {
        loop.failing = min + size - 1; /* the last one, since one thread stops there */
    }
    for (int i = 0; i < most_turns; i++) {
        atomic_store(&taken[i], 0);
    }
    const int result = p->context.parallel_for(&p->context, turn, min, size, (uint8_t *)&loop);
    int wrong = result != (loop.failing >= 0 ? 5 : 0);
    for (int i = 0; i < most_turns; i++) {
        wrong += atomic_load(&taken[i]) != (i >= min && i < min + size);
    }
    return wrong;
}

int main(void) {
    int wrong = 0;
    for (int threads = 1; threads <= 5; threads++) {
        pool p = {0};
        pthread_mutex_init(&p.lock, NULL);
        pthread_cond_init(&p.wake, NULL);
        for (int restart = 0; restart < 2; restart++) {
            if (!pool_start(&p, threads)) {
                return 1;
            }
            for (int i = 0; i < loops; i++) {
                wrong += check_loop(&p, i);
            }
            pool_stop(&p);
        }
        pthread_cond_destroy(&p.wake);
        pthread_mutex_destroy(&p.lock);
    }
    printf("%d turns or results wrong\n", wrong);
    return wrong == 0 ? 0 : 1;
}
