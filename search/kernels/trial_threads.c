#include "search/kernels/trial_threads.h"

#include "schedules/package/threads.c"

static pool threads_of_trials;

int edgefront_trial_threads(int threads) {
    pthread_mutex_init(&threads_of_trials.lock, NULL);
    pthread_cond_init(&threads_of_trials.wake, NULL);
    return pool_start(&threads_of_trials, threads, 0);
}

int edgefront_trial_parallel_for(int (*task)(void *context, int index, uint8_t *closure), int min,
                                 int size, uint8_t *closure) {
    return parallel_for(&threads_of_trials.participants[0].context, task, min, size, closure);
}
