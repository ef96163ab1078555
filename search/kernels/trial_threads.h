/* The threads of a kernel package (schedules/package/threads.c) for kernels on trial: one pool per
 * process, so that parallel loops cost in a trial what they cost where they ship. */
#ifndef EDGEFRONT_TRIAL_THREADS_H
#define EDGEFRONT_TRIAL_THREADS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Starts the pool, once; 1, or 0 when the system refuses. */
int edgefront_trial_threads(int threads);

/* Runs task(context of the pool, i, closure) for `size` values of i from `min` up on the pool. */
int edgefront_trial_parallel_for(int (*task)(void *context, int index, uint8_t *closure), int min,
                                 int size, uint8_t *closure);

#ifdef __cplusplus
}
#endif

#endif
