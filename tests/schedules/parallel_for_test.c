/* The package's thread pool: every turn of every loop is taken exactly once, whatever the number of
 * threads and however late workers come, and an error reaches the caller. Turns that take memory of
 * the scratch get it, each its own, and beyond it, too. */
#include "schedules/package/threads.c"

#include <stdio.h>
#include <string.h>

enum { most_turns = 100, loops = 2000, scratch = 4096 };

static atomic_int taken[most_turns];

struct loop {
    int work;    /* per turn */
    int failing; /* the turn that reports an error, or -1 */
};

static atomic_int spoilt;

/* Two pieces at a time, the second one beyond the scratch memory in every third turn. */
static void use_memory(void *context, int index) {
    const size_t sizes[2] = {1000, index % 3 == 0 ? 5000 : 2000};
    uint8_t *pieces[2];
    for (int i = 0; i < 2; i++) {
        pieces[i] = edgefront_take_2(context, sizes[i]);
        memset(pieces[i], index, sizes[i]);
    }
    for (int i = 1; i >= 0; i--) {
        const int right = (uintptr_t)pieces[i] % 64 == 0 && pieces[i][0] == index &&
                          pieces[i][sizes[i] - 1] == index;
        atomic_fetch_add(&spoilt, !right);
        edgefront_give_2(context, pieces[i]);
    }
}

static int turn(void *context, int index, uint8_t *closure) {
    use_memory(context, index);
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
    const int result = parallel_for(&p->participants->context, turn, min, size, (uint8_t *)&loop);
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
            if (!pool_start(&p, threads, scratch)) {
                return 1;
            }
            for (int i = 0; i < loops; i++) {
                wrong += check_loop(&p, i);
            }
            wrong += p.participants->used != 0;
            pool_stop(&p);
        }
        pthread_cond_destroy(&p.wake);
        pthread_mutex_destroy(&p.lock);
    }
    printf("%d turns or results wrong, %d pieces of memory\n", wrong, atomic_load(&spoilt));
    return wrong == 0 && atomic_load(&spoilt) == 0 ? 0 : 1;
}
