#include "search/peak.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <thread>
#include <utility>
#include <vector>

namespace edgefront {

namespace {

using Clock = std::chrono::steady_clock;

constexpr int chains = 12; // independent sums: more than latency times multipliers
constexpr int steps = 20'000;

/// chains * steps multiply-adds on every element. Floating-point recurrences may not be reordered,
/// so all of them are done; `v`, zero at run time, keeps the compiler from knowing the result.
template <typename Vector, std::size_t... I>
[[gnu::always_inline]] inline float multiply_adds(float v, std::index_sequence<I...>) {
    const Vector factor = Vector{} + (1.0f + v), term = Vector{} + v;
    Vector sum[chains] = {(Vector{} + v * static_cast<float>(I))...};
    for (int step = 0; step < steps; step++) {
        ((sum[I] = sum[I] * factor + term), ...);
    }
    return (sum[I] + ...)[0];
}

using Chains = std::make_index_sequence<chains>;

using Vector4 = float __attribute__((vector_size(16)));
float chains_128(float v) {
    return multiply_adds<Vector4>(v, Chains());
}

#if defined(__x86_64__)
using Vector8 = float __attribute__((vector_size(32)));
using Vector16 = float __attribute__((vector_size(64)));
[[gnu::target("avx2,fma")]] float chains_256(float v) {
    return multiply_adds<Vector8>(v, Chains());
}
[[gnu::target("avx512f")]] float chains_512(float v) {
    return multiply_adds<Vector16>(v, Chains());
}
#endif

struct Kernel {
    float (*run)(float);
    int lanes;
};

Kernel widest() {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) {
        return {chains_512, 16};
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        return {chains_256, 8};
    }
#endif
    return {chains_128, 4};
}

double slice(const Kernel &kernel) {
    volatile float zero = 0;
    const Clock::time_point start = Clock::now();
    volatile float result = kernel.run(zero);
    static_cast<void>(result);
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    return 2.0 * chains * steps * kernel.lanes / seconds;
}

} // namespace

double measure_peak_flops(int threads) {
    const Kernel kernel = widest();
    std::atomic<int> ready{0};
    std::vector<double> best(static_cast<std::size_t>(threads));
    const auto work = [&](std::size_t i) {
        ready++;
        while (ready < threads) {
            std::this_thread::yield();
        }
        const Clock::time_point start = Clock::now();
        while (Clock::now() - start < std::chrono::milliseconds(250)) {
            best[i] = std::max(best[i], slice(kernel));
        }
    };
    std::vector<std::thread> workers;
    for (std::size_t i = 1; i < best.size(); i++) {
        workers.emplace_back(work, i);
    }
    work(0);
    double total = best[0];
    for (std::size_t i = 1; i < best.size(); i++) {
        workers[i - 1].join();
        total += best[i];
    }
    return total;
}

} // namespace edgefront
