#include "bench/fma_peak.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace edgefront {

namespace {

constexpr int sums = 16; ///< more than latency times throughput of any core so far
constexpr int steps = 20'000;

/// Runs sums * steps multiply-adds. Floating-point recurrences may not be reordered, so all of them
/// are done; the result keeps them alive.
template <typename Vector, std::size_t... I>
[[gnu::always_inline]] inline float multiply_adds(std::index_sequence<I...>) {
    const Vector factor = Vector{} + 0.999f;
    const Vector addend = Vector{} + 0.001f;
    Vector sum[sums] = {(Vector{} + static_cast<float>(I))...}; // distinct, or they are merged
    for (int step = 0; step < steps; step++) {
        ((sum[I] = sum[I] * factor + addend), ...);
    }
    return (sum[I] + ...)[0];
}

using Vector4 = float __attribute__((vector_size(16)));
float baseline() {
    return multiply_adds<Vector4>(std::make_index_sequence<sums>());
}

#if defined(__x86_64__)
using Vector8 = float __attribute__((vector_size(32)));
using Vector16 = float __attribute__((vector_size(64)));
[[gnu::target("avx2,fma")]] float avx2() {
    return multiply_adds<Vector8>(std::make_index_sequence<sums>());
}
[[gnu::target("avx512f")]] float avx512() {
    return multiply_adds<Vector16>(std::make_index_sequence<sums>());
}
#endif

struct Variant {
    float (*run)();
    int lanes;
};

Variant widest() {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) {
        return {avx512, 16};
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        return {avx2, 8};
    }
#endif
    return {baseline, 4};
}

} // namespace

double measure_fma_peak() {
    using Clock = std::chrono::steady_clock;
    const Variant variant = widest();
    volatile float sink = 0;
    double best = 0;
    for (int i = 0; i < 50; i++) {
        const Clock::time_point start = Clock::now();
        sink = sink + variant.run();
        const std::chrono::duration<double> seconds = Clock::now() - start;
        best = std::max(best, 2.0 * sums * steps * variant.lanes / seconds.count());
    }
    return best;
}

} // namespace edgefront
