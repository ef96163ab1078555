// Seeded numbers and stable hashes: the same on every machine, compiler and thread count
// (std::hash and the distributions of <random> are not).
#pragma once

#include <xxhash.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

namespace edgefront {

/// 64-bit xxHash of the bytes of `text`.
inline std::uint64_t stable_hash(std::string_view text, std::uint64_t seed = 0) {
    return XXH64(text.data(), text.size(), seed);
}

/// `stable_hash` as 16 lower-case hexadecimal digits.
inline std::string stable_hash_hex(std::string_view text) {
    static constexpr char digits[] = "0123456789abcdef";
    std::uint64_t h = stable_hash(text);
    std::string hex(16, '0');
    for (int i = 15; i >= 0; i--, h >>= 4) {
        hex[static_cast<std::size_t>(i)] = digits[h & 15];
    }
    return hex;
}

/// The seed of one task of a run: depends on both, so results never depend on the order of tasks.
inline std::uint64_t derive_seed(std::uint64_t run_seed, std::string_view task) {
    return stable_hash(task, run_seed);
}

/// SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): one 64-bit state, good enough for test data.
class Random {
public:
    explicit Random(std::uint64_t seed) : state_(seed) {}

    std::uint64_t next() {
        std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return z ^ (z >> 31);
    }

    /// Uniform in [0, 1).
    double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

    /// Uniform integer in [0, n), n > 0; the bias is below n / 2^64.
    std::uint64_t below(std::uint64_t n) { return next() % n; }

    /// Standard normal (Box and Muller 1958, the cosine half).
    double normal() {
        const double u = 1.0 - uniform();
        return std::sqrt(-2.0 * std::log(u)) * std::cos(6.283185307179586 * uniform());
    }

private:
    std::uint64_t state_;
};

} // namespace edgefront
