/* One traced layer against the naive reference; used by the tool and by a package's self-check. */
#ifndef EDGEFRONT_LAYER_CHECK_H
#define EDGEFRONT_LAYER_CHECK_H

#include "dsl/naive.h"
#include "schedules/package/edgefront_trace.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Largest error a layer may have, as a part of its output's range. */
#define EDGEFRONT_TOLERANCE 1e-4

typedef struct edgefront_layer_check {
    naive_difference difference;
    int passed;
} edgefront_layer_check;

/* Recomputes the layer, or the chain, from the operands it had. `passed` is 0 also when memory runs
 * out. */
edgefront_layer_check edgefront_check_layer(const edgefront_layer_run *run);

#ifdef __cplusplus
}
#endif

#endif
