#include "search/kernels/peak.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <new>
#include <thread>
#include <unistd.h>
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

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

double slice(const Kernel &kernel) {
    volatile float zero = 0;
    const Clock::time_point start = Clock::now();
    volatile float result = kernel.run(zero);
    static_cast<void>(result);
    return 2.0 * chains * steps * kernel.lanes / seconds_since(start);
}

/// Every thread makes a worker of its own, then all begin: the sum of the best rates that each
/// one's calls return within `duration`.
template <typename MakeWorker>
double best_together(int threads, std::chrono::milliseconds duration, const MakeWorker &make) {
    std::atomic<int> ready{0};
    std::vector<double> best(static_cast<std::size_t>(threads));
    const auto work = [&](std::size_t i) {
        const auto worker = make();
        ready++;
        while (ready < threads) {
            std::this_thread::yield();
        }
        const Clock::time_point start = Clock::now();
        do {
            best[i] = std::max(best[i], worker());
        } while (Clock::now() - start < duration);
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

// Bandwidth. A stream is a number of vectors; all arrays hold a multiple of `unroll` of them.

constexpr std::size_t unroll = 8; // loads in flight, and sums that do not wait for each other

template <typename Vector, std::size_t... I>
[[gnu::always_inline]] inline float sum_up(const float *data, std::size_t bytes, int passes,
                                           std::index_sequence<I...>) {
    const std::size_t vectors = bytes / sizeof(Vector);
    Vector sum[unroll] = {};
    for (int pass = 0; pass < passes; pass++) {
        const Vector *at = reinterpret_cast<const Vector *>(data), *end = at + vectors;
        for (; at < end; at += unroll) {
            ((sum[I] += at[I]), ...);
        }
    }
    return (sum[I] + ...)[0];
}

template <typename Vector, std::size_t... I>
[[gnu::always_inline]] inline void add_scaled(float *to, const float *b, const float *c,
                                              std::size_t bytes, int passes,
                                              std::index_sequence<I...>) {
    const std::size_t vectors = bytes / sizeof(Vector);
    const Vector factor = Vector{} + 3.0f;
    for (int pass = 0; pass < passes; pass++) {
        const Vector *x = reinterpret_cast<const Vector *>(b);
        const Vector *y = reinterpret_cast<const Vector *>(c);
        Vector *at = reinterpret_cast<Vector *>(to), *end = at + vectors;
        for (; at < end; at += unroll, x += unroll, y += unroll) {
            ((at[I] = x[I] + factor * y[I]), ...);
        }
        asm volatile("" ::: "memory"); // the next pass is no repetition that may be left out
    }
}

using Unrolled = std::make_index_sequence<unroll>;

struct Streams {
    float (*read)(const float *, std::size_t, int);
    void (*triad)(float *, const float *, const float *, std::size_t, int);
};

float read_128(const float *data, std::size_t bytes, int passes) {
    return sum_up<Vector4>(data, bytes, passes, Unrolled());
}
void triad_128(float *to, const float *b, const float *c, std::size_t bytes, int passes) {
    add_scaled<Vector4>(to, b, c, bytes, passes, Unrolled());
}

#if defined(__x86_64__)
[[gnu::target("avx2,fma")]] float read_256(const float *data, std::size_t bytes, int passes) {
    return sum_up<Vector8>(data, bytes, passes, Unrolled());
}
[[gnu::target("avx2,fma")]] void triad_256(float *to, const float *b, const float *c,
                                           std::size_t bytes, int passes) {
    add_scaled<Vector8>(to, b, c, bytes, passes, Unrolled());
}
[[gnu::target("avx512f")]] float read_512(const float *data, std::size_t bytes, int passes) {
    return sum_up<Vector16>(data, bytes, passes, Unrolled());
}
[[gnu::target("avx512f")]] void triad_512(float *to, const float *b, const float *c,
                                          std::size_t bytes, int passes) {
    add_scaled<Vector16>(to, b, c, bytes, passes, Unrolled());
}
#endif

Streams widest_streams() {
#if defined(__x86_64__)
    switch (widest().lanes) {
    case 16: return {read_512, triad_512};
    case 8: return {read_256, triad_256};
    }
#endif
    return {read_128, triad_128};
}

/// Zeros on a page border.
class Pages {
public:
    explicit Pages(std::size_t bytes)
        : data_(static_cast<float *>(::operator new(bytes, std::align_val_t(4096)))) {
        std::fill_n(data_.get(), bytes / sizeof(float), 0.0f);
    }
    float *data() const { return data_.get(); }

private:
    struct Delete {
        void operator()(float *data) const { ::operator delete(data, std::align_val_t(4096)); }
    };
    std::unique_ptr<float, Delete> data_;
};

constexpr auto slices = std::chrono::milliseconds(60);

/// Passes over `bytes` so that reading the clock does not count.
int passes_over(std::size_t bytes) {
    constexpr std::size_t least = std::size_t{4} << 20;
    return static_cast<int>(std::max<std::size_t>(1, least / bytes));
}

/// Three arrays within `bytes`, each a whole number of steps of the unrolled loops.
std::size_t third_of(std::size_t bytes) {
    const std::size_t step = unroll * sizeof(float) * 16;
    return std::max(bytes / 3 / step, std::size_t{1}) * step;
}

double read_rate(int threads, std::size_t bytes_each) {
    const std::size_t bytes = 3 * third_of(bytes_each);
    return best_together(threads, slices, [=] {
        return [=, run = widest_streams().read, memory = std::make_shared<Pages>(bytes)] {
            const int passes = passes_over(bytes);
            const Clock::time_point start = Clock::now();
            volatile float result = run(memory->data(), bytes, passes);
            static_cast<void>(result);
            return static_cast<double>(bytes) * passes / seconds_since(start);
        };
    });
}

double triad_rate(int threads, std::size_t bytes_each) {
    const std::size_t third = third_of(bytes_each), floats = third / sizeof(float);
    return best_together(threads, slices, [=] {
        return [=, run = widest_streams().triad, memory = std::make_shared<Pages>(3 * third)] {
            const int passes = passes_over(3 * third);
            float *data = memory->data();
            const Clock::time_point start = Clock::now();
            run(data, data + floats, data + 2 * floats, third, passes);
            return 3.0 * static_cast<double>(third) * passes / seconds_since(start);
        };
    });
}

LevelBandwidth measure_level(const std::string &level, int threads, Bytes size, Bytes total) {
    const std::size_t each = static_cast<std::size_t>(total.count() / threads);
    return {level, size, total, read_rate(threads, each), triad_rate(threads, each)};
}

/// The size of cpu0's cache of a level in /sys, 0 when it is not told there.
Bytes sys_cache(int level) {
    std::error_code unreadable;
    const std::filesystem::path caches = "/sys/devices/system/cpu/cpu0/cache";
    for (const auto &entry : std::filesystem::directory_iterator(caches, unreadable)) {
        int its_level = 0;
        std::string type;
        std::int64_t kib = 0;
        std::ifstream(entry.path() / "level") >> its_level;
        std::ifstream(entry.path() / "type") >> type;
        std::ifstream(entry.path() / "size") >> kib; // "48K"
        if (its_level == level && type != "Instruction") {
            return Bytes(kib << 10);
        }
    }
    return Bytes(0);
}

Bytes cache_size(int level, int name) {
    if (const Bytes told = sys_cache(level); told.count() > 0) {
        return told;
    }
    return Bytes(std::max<std::int64_t>(0, ::sysconf(name)));
}

} // namespace

double measure_peak_flops(int threads) {
    const Kernel kernel = widest();
    return best_together(threads, std::chrono::milliseconds(250),
                         [&] { return [&] { return slice(kernel); }; });
}

CacheSizes cache_sizes() {
    return {cache_size(1, _SC_LEVEL1_DCACHE_SIZE), cache_size(2, _SC_LEVEL2_CACHE_SIZE),
            cache_size(3, _SC_LEVEL3_CACHE_SIZE)};
}

double LevelBandwidth::best() const {
    return std::max(read_bytes_per_second, triad_bytes_per_second);
}

std::vector<LevelBandwidth> measure_bandwidth(int threads) {
    const auto [l1, l2, l3] = cache_sizes();
    const auto part = [](Bytes size, int eighths) { return Bytes(size.count() * eighths / 8); };
    std::vector<LevelBandwidth> levels;
    if (l1.count() > 0) {
        levels.push_back(measure_level("L1", threads, l1 * threads, part(l1, 5) * threads));
    }
    if (l2.count() > 0) {
        levels.push_back(measure_level("L2", threads, l2 * threads, part(l2, 5) * threads));
    }
    if (l3.count() > 0) { // a quarter where that is no L2's: unseen neighbours use it too
        const Bytes beyond_l2 = std::max(part(l3, 2), 2 * threads * l2);
        levels.push_back(measure_level("L3", threads, l3, std::min(part(l3, 5), beyond_l2)));
    }
    constexpr std::int64_t mib = std::int64_t{1} << 20;
    const Bytes beyond_l3(std::clamp(4 * l3.count(), 64 * mib, 512 * mib));
    levels.push_back(measure_level("DRAM", threads, Bytes(0), beyond_l3));
    return levels;
}

} // namespace edgefront
