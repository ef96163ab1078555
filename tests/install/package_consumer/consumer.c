/* Uses two packages in one program: loads, runs, changes threads, and hands over wrong weights. */
#include <math.h>
#include <mobilenet_v2_w0p35_r64.h>
#include <mobilenet_v3_small_w0p35_r64.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define first(function) mobilenet_v2_w0p35_r64_##function
#define second(function) mobilenet_v3_small_w0p35_r64_##function

int shapes_agree(void);

static int failures = 0;

#define EXPECT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            printf("line %d: %s\n", __LINE__, #condition);                                         \
            failures++;                                                                            \
        }                                                                                          \
    } while (0)

enum { inputs = first(input_count), outputs = first(output_count) };

static float input[inputs + 1], output[outputs + 1], again[outputs + 1];

static int same(const float *a, const float *b) {
    return memcmp(a, b, outputs * sizeof *a) == 0;
}

static void run_both(void) {
    first(network) *a = first(create_from_file)(FIRST_WEIGHTS, 1);
    first(network) *twin = first(create_from_file)(FIRST_WEIGHTS, 3);
    second(network) *b = second(create_from_file)(SECOND_WEIGHTS, 2);
    EXPECT(a && twin && b);
    if (!a || !twin || !b) {
        printf("%s %s\n", first(last_error)(), second(last_error)());
        return;
    }
    EXPECT(first(run)(a, input, output) == 0);
    float least = INFINITY, most = -INFINITY;
    for (int i = 0; i < outputs; i++) {
        EXPECT(isfinite(output[i]));
        least = fminf(least, output[i]);
        most = fmaxf(most, output[i]);
    }
    EXPECT(most - least > 0.1f);

    EXPECT(second(run)(b, input, again) == 0);
    EXPECT(!same(output, again));
    EXPECT(first(run)(twin, input, again) == 0);
    EXPECT(same(output, again));

    /* Buffers that are not aligned are copied. */
    memmove(input + 1, input, inputs * sizeof *input);
    EXPECT(first(run)(a, input + 1, again + 1) == 0);
    EXPECT(same(output, again + 1));
    memmove(input, input + 1, inputs * sizeof *input);

    EXPECT(first(threads)(a) == 1);
    EXPECT(first(set_threads)(a, 4) == 0 && first(threads)(a) == 4);
    EXPECT(first(run)(a, input, again) == 0 && same(output, again));
    EXPECT(first(set_threads)(a, 0) != 0 && strstr(first(last_error)(), "threads"));
    EXPECT(first(threads)(a) == 4);
    EXPECT(first(run)(a, NULL, again) != 0);
    first(destroy)(a);
    EXPECT(first(run)(twin, input, again) == 0 && same(output, again));
    first(destroy)(twin);
    second(destroy)(b);
    first(destroy)(NULL);
}

static char *read_weights(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    char *bytes = malloc(1 << 24);
    *size = file && bytes ? fread(bytes, 1, 1 << 24, file) : 0;
    if (file) {
        fclose(file);
    }
    return bytes;
}

static void refuse(const char *bytes, size_t size, const char *reason) {
    first(network) *network = first(create)(bytes, size, 1);
    if (network || !strstr(first(last_error)(), reason)) {
        printf("expected '%s', found '%s'\n", reason, network ? "" : first(last_error)());
        failures++;
        first(destroy)(network);
    }
}

static void refuse_wrong_weights(void) {
    size_t size, other_size;
    char *bytes = read_weights(FIRST_WEIGHTS, &size);
    char *other = read_weights(SECOND_WEIGHTS, &other_size);
    first(network) *network = first(create)(bytes, size, 1);
    EXPECT(network);
    first(destroy)(network);
    refuse(NULL, 0, "expected at least");
    refuse(bytes, 10, "expected at least");
    refuse(bytes, size - 4, "expected ");
    refuse(other, other_size, "another network");
    bytes[size / 2] ^= 1;
    refuse(bytes, size, "damaged");
    bytes[size / 2] ^= 1;
    bytes[8] ^= 1;
    refuse(bytes, size, "version");
    bytes[0] ^= 1;
    refuse(bytes, size, "not a file of packed weights");
    EXPECT(!first(create_from_file)("nowhere/weights.bin", 1));
    EXPECT(strstr(first(last_error)(), "nowhere/weights.bin"));
    free(bytes);
    free(other);
}

int main(void) {
    unsigned state = 1;
    for (int i = 0; i < inputs; i++) {
        state = state * 1664525u + 1013904223u;
        input[i] = (float)(state >> 8) / (1 << 23) - 1.0f;
    }
    EXPECT(shapes_agree());
    run_both();
    refuse_wrong_weights();
    printf("%d failures\n", failures);
    return failures != 0;
}
