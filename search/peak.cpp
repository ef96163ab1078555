#include "search/peak.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

namespace edgefront {

namespace {

using Clock = std::chrono::steady_clock;

constexpr int chains = 12; // independent sums: more than latency times multipliers
constexpr int steps = 20'000;

// Vectors as wide as the registers; `v` keeps the compiler from knowing the result.
#define EDGEFRONT_FMA_CHAINS(name, bytes)                                                          \
    float name(float v) {                                                                          \
        typedef float Vector __attribute__((vector_size(bytes)));                                  \
        const Vector factor = Vector{} + (1.0f + v), term = Vector{} + v;                          \
        Vector sum[chains];                                                                        \
        for (int c = 0; c < chains; c++) {                                                         \
            sum[c] = Vector{} + v * static_cast<float>(c);                                         \
        }                                                                                          \
        for (int i = 0; i < steps; i++) {                                                          \
            for (int c = 0; c < chains; c++) {                                                     \
                sum[c] = sum[c] * factor + term;                                                   \
            }                                                                                      \
        }                                                                                          \
        for (int c = 1; c < chains; c++) {                                                         \
            sum[0] += sum[c];                                                                      \
        }                                                                                          \
        return sum[0][0];                                                                          \
    }

#if defined(__x86_64__)
__attribute__((target("avx512f"))) EDGEFRONT_FMA_CHAINS(chains_512, 64)
    __attribute__((target("avx2,fma"))) EDGEFRONT_FMA_CHAINS(chains_256, 32)
#endif
        EDGEFRONT_FMA_CHAINS(chains_128, 16)

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
