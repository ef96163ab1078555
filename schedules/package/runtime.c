/* The runtime of a package: creates instances from packed weights and runs the kernels one after
 * another. It is compiled as part of the generated <name>.c, which brings the tables (struct step)
 * and the macro PUBLIC(x) = <name>_x; everything else here is private to the package. */
#include "schedules/package/threads.c"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#if defined(__linux__)
#include <sys/mman.h>
#endif

/* Halide's buffer (HalideRuntime.h, Halide 14), of which kernels read `host` only. */
typedef struct halide_buffer {
    uint64_t device;
    const void *device_interface;
    uint8_t *host;
    uint64_t flags;
    struct {
        uint8_t code, bits;
        uint16_t lanes;
    } type;
    int32_t dimensions;
    void *dim;
    void *padding;
} halide_buffer;

enum {
    cache_line = 64,
    most_inputs = edgefront_most_others + 2,           /* with the residual */
    most_buffers = most_inputs + 2 * most_members + 1, /* with weights, biases and output */
    most_threads = 256
};

/* The head of weights.bin; little-endian, followed by the packed floats. */
typedef struct weights_header {
    char magic[8];
    uint32_t version, header_bytes;
    uint64_t plan; /* hash of the layers and their packing */
    uint64_t payload_bytes;
    uint64_t payload_hash;
    uint64_t reserved[3];
} weights_header;

struct PUBLIC(network) {
    pool pool;
    float *weights;
    uint8_t *arena;
    float *input, *output; /* stand-ins for buffers of the caller that are not aligned */
};
typedef struct PUBLIC(network) network;

static _Thread_local char last_error[256];

__attribute__((format(printf, 1, 2))) static int fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(last_error, sizeof last_error, format, arguments);
    va_end(arguments);
    return 1;
}

const char *PUBLIC(last_error)(void) {
    return last_error;
}

static size_t elements(const edgefront_shape *s) {
    return (size_t)s->height * (size_t)s->width * (size_t)s->channels;
}

/* Much memory comes in huge pages where the system has them: a network walks over all of it, and
 * small pages would run out of translations and share sets of the second cache by chance. */
static void *allocate(size_t bytes) {
    size_t alignment = cache_line;
#if defined(MADV_HUGEPAGE)
    const size_t huge_page = (size_t)2 << 20;
    alignment = bytes >= huge_page / 2 ? huge_page : alignment;
#endif
    const size_t size = (bytes + alignment - 1) / alignment * alignment;
    void *memory = aligned_alloc(alignment, size);
#if defined(MADV_HUGEPAGE)
    if (memory && alignment == huge_page) {
        madvise(memory, size, MADV_HUGEPAGE); /* a wish: no harm when it is not granted */
    }
#endif
    return memory;
}

/* FNV-1a (Fowler, Noll, Vo) over 32-bit words. */
static uint64_t hash_words(const uint8_t *bytes, size_t size) {
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i + 4 <= size; i += 4) {
        uint32_t word;
        memcpy(&word, bytes + i, sizeof word);
        hash = (hash ^ word) * 0x100000001b3u;
    }
    return hash;
}

/* Checks size, origin and hash; returns the payload or null. */
static const uint8_t *check_weights(const void *weights, size_t size) {
    weights_header h;
    if (!weights || size < sizeof h) {
        fail("weights: expected at least %zu bytes, found %zu", sizeof h, size);
        return NULL;
    }
    memcpy(&h, weights, sizeof h);
    const uint8_t *payload = (const uint8_t *)weights + sizeof h;
    if (memcmp(h.magic, weights_magic, sizeof h.magic) != 0) {
        fail("weights: not a file of packed weights");
    } else if (h.version != weights_version || h.header_bytes != sizeof h) {
        fail("weights: version %u, this library reads version %u", (unsigned)h.version,
             (unsigned)weights_version);
    } else if (h.plan != plan_hash) {
        fail("weights: packed for another network or for other schedules");
    } else if (h.payload_bytes != weights_bytes || size - sizeof h != weights_bytes) {
        fail("weights: expected %zu bytes, found %zu", sizeof h + weights_bytes, size);
    } else if (hash_words(payload, weights_bytes) != h.payload_hash) {
        fail("weights: damaged, the hash of their bytes is not the one in their header");
    } else {
        return payload;
    }
    return NULL;
}

/* The instruction sets the kernels were compiled for. */
static int check_cpu(void) {
#define NEEDS(feature)                                                                             \
    if (!__builtin_cpu_supports(feature)) {                                                        \
        return fail("this CPU lacks " feature ", which the kernels were compiled for");            \
    }
    FOR_EACH_CPU_FEATURE(NEEDS)
#undef NEEDS
    return 0;
}

static int check_threads(int threads) {
    return threads < 1 || threads > most_threads
               ? fail("threads: expected 1 to %d, found %d", most_threads, threads)
               : 0;
}

void PUBLIC(destroy)(network *n) {
    if (n) {
        pool_stop(&n->pool);
        pthread_cond_destroy(&n->pool.wake);
        pthread_mutex_destroy(&n->pool.lock);
        free(n->weights);
        free(n->arena);
        free(n->input);
        free(n->output);
        free(n);
    }
}

/* An instance with memory and threads but without weights. */
static network *create_empty(int threads) {
    if (check_cpu() != 0 || check_threads(threads) != 0) {
        return NULL;
    }
    network *n = calloc(1, sizeof *n);
    if (!n) {
        fail("out of memory");
        return NULL;
    }
    pthread_mutex_init(&n->pool.lock, NULL);
    pthread_cond_init(&n->pool.wake, NULL);
    n->weights = allocate(weights_bytes);
    n->arena = allocate(arena_bytes);
    n->input = allocate(elements(&members[0].layer.input) * sizeof(float));
    n->output = allocate(elements(&members[member_count - 1].layer.output) * sizeof(float));
    if (!n->weights || !n->arena || !n->input || !n->output) {
        fail("out of memory");
    } else if (!pool_start(&n->pool, threads, scratch_bytes)) {
        fail("cannot start %d threads", threads);
    } else {
        return n;
    }
    PUBLIC(destroy)(n);
    return NULL;
}

network *PUBLIC(create)(const void *weights, size_t size, int threads) {
    const uint8_t *payload = check_weights(weights, size);
    network *n = payload ? create_empty(threads) : NULL;
    if (n) {
        memcpy(n->weights, payload, weights_bytes);
    }
    return n;
}

network *PUBLIC(create_from_file)(const char *path, int threads) {
    const size_t size = sizeof(weights_header) + weights_bytes;
    FILE *file = path ? fopen(path, "rb") : NULL;
    if (!file) {
        fail("%s: %s", path ? path : "(null)", path ? strerror(errno) : "no path");
        return NULL;
    }
    network *n = NULL;
    uint8_t *bytes = malloc(size + 1); /* one more shows a file that is too long */
    if (bytes) {
        n = PUBLIC(create)(bytes, fread(bytes, 1, size + 1, file), threads);
    } else {
        fail("out of memory");
    }
    free(bytes);
    fclose(file);
    return n;
}

int PUBLIC(threads)(const network *n) {
    return n->pool.threads;
}

int PUBLIC(set_threads)(network *n, int threads) {
    if (check_threads(threads) != 0) {
        return 1;
    }
    const int before = n->pool.threads;
    pool_stop(&n->pool);
    if (pool_start(&n->pool, threads, scratch_bytes)) {
        return 0;
    }
    if (!pool_start(&n->pool, 1, scratch_bytes)) { /* needs no system thread, but memory */
        return fail("out of memory: the instance cannot run any more");
    }
    return fail("cannot start %d threads (there were %d, now 1)", threads, before);
}

static const member *last_of(const step *s) {
    return &members[s->first + s->members - 1];
}

/* Fills `runs` with the operands of a step's layers, each behind the one before; its inputs are the
 * caller's or stand in the arena. */
static void find_operands(const network *n, const step *s, const float *input, float *output,
                          edgefront_layer_run *runs) {
    const float *inputs[most_inputs] = {NULL};
    for (int i = 0; i < s->input_count; i++) {
        const int from = s->inputs[i];
        inputs[i] = from < 0 ? input : (const float *)(n->arena + steps[from].output_at);
    }
    for (int k = 0; k < s->members; k++) {
        const member *m = &members[s->first + k];
        edgefront_layer_run *run = &runs[k];
        *run = (edgefront_layer_run){.name = m->name, .kernel = s->symbol, .layer = m->layer};
        run->weights = m->weights_count ? n->weights + m->weights_at : NULL;
        run->bias = m->weights_count ? n->weights + m->bias_at : NULL;
        run->tile = m->tile;
        run->before = k > 0 ? &runs[k - 1] : NULL;
    }
    runs[0].input = inputs[0];
    for (int i = 0; i < runs[0].layer.other_count; i++) {
        runs[0].others[i] = inputs[i + 1];
    }
    edgefront_layer_run *last = &runs[s->members - 1];
    last->residual = s->residual ? inputs[s->input_count - 1] : NULL;
    last->output = s == &steps[step_count - 1] ? output : (float *)(n->arena + s->output_at);
}

/* The kernel with its arguments in their order: context, inputs, weights and biases, output. */
static int call(network *n, const step *s, const edgefront_layer_run *runs) {
    const edgefront_layer_run *last = &runs[s->members - 1];
    const float *hosts[most_buffers];
    int count = 0;
    hosts[count++] = runs[0].input;
    for (int i = 0; i < runs[0].layer.other_count; i++) {
        hosts[count++] = runs[0].others[i];
    }
    if (last->residual) {
        hosts[count++] = last->residual;
    }
    for (int k = 0; k < s->members; k++) {
        if (runs[k].weights) {
            hosts[count++] = runs[k].weights;
            hosts[count++] = runs[k].bias;
        }
    }
    hosts[count++] = last->output;
    halide_buffer buffers[most_buffers];
    void *context = &n->pool.participants->context, *arguments[1 + most_buffers] = {&context};
    for (int i = 0; i < count; i++) {
        buffers[i] = (halide_buffer){.host = (uint8_t *)hosts[i]};
        arguments[1 + i] = &buffers[i];
    }
    return s->call(arguments);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int is_aligned(const void *pointer) {
    return (uintptr_t)pointer % cache_line == 0;
}

int PUBLIC(run_traced)(network *n, const float *input, float *output, edgefront_trace trace,
                       void *user) {
    if (!n || !input || !output) {
        return fail("run: a null pointer");
    }
    if (!n->pool.participants) {
        return fail("run: no memory was left for the instance's threads");
    }
    if (!is_aligned(input)) {
        memcpy(n->input, input, elements(&members[0].layer.input) * sizeof(float));
        input = n->input;
    }
    float *destination = is_aligned(output) ? output : n->output;
    for (int i = 0; i < step_count; i++) {
        edgefront_layer_run runs[most_members];
        find_operands(n, &steps[i], input, destination, runs);
        const double start = trace ? now() : 0;
        const int result = call(n, &steps[i], runs);
        if (result != 0) {
            return fail("layer %s: the kernel returned %d", last_of(&steps[i])->name, result);
        }
        if (trace) {
            edgefront_layer_run *last = &runs[steps[i].members - 1];
            last->seconds = now() - start;
            trace(user, last);
        }
    }
    if (destination != output) {
        memcpy(output, destination,
               elements(&members[member_count - 1].layer.output) * sizeof(float));
    }
    return 0;
}

int PUBLIC(run)(network *n, const float *input, float *output) {
    return PUBLIC(run_traced)(n, input, output, NULL, NULL);
}
