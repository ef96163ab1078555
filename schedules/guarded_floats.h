// Memory for the operands of kernels that nobody trusts yet: leaving it faults, or shows.
#pragma once

#include "base/random.h"

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

namespace edgefront {

/// Floats that start on a cache line and end less than one before an inaccessible page. The rest of
/// that line, and up to a page before the first one, hold marks, to see writes that stay within.
class GuardedFloats {
public:
    explicit GuardedFloats(std::size_t count) : count_(count) {
        // Larger ones in huge pages where the system has them, as networks have them: of small
        // pages it is chance which share sets of the second cache, and times would vary.
        constexpr std::size_t huge_page = std::size_t{2} << 20;
        const std::size_t lines = (std::max<std::size_t>(count, 1) * sizeof(float) + 63) / 64 * 64;
        const bool huge = lines >= huge_page / 16;
        const std::size_t page = huge ? huge_page : static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
        const std::size_t body = (lines + page - 1) / page * page;
        size_ = body + 2 * page;
        base_ = static_cast<char *>(
            mmap(nullptr, size_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        if (base_ == MAP_FAILED) {
            throw std::runtime_error("no memory for a guarded buffer");
        }
        const std::size_t before = page - reinterpret_cast<std::uintptr_t>(base_) % page;
        if (mprotect(base_ + before, body, PROT_READ | PROT_WRITE) != 0) {
            munmap(base_, size_);
            throw std::runtime_error("no memory for a guarded buffer");
        }
        if (huge) {
            madvise(base_ + before, body, MADV_HUGEPAGE); // a wish
        }
        begin_ = reinterpret_cast<float *>(base_ + before + body - lines);
        end_ = reinterpret_cast<float *>(base_ + before + body);
        const std::ptrdiff_t room = begin_ - reinterpret_cast<float *>(base_ + before);
        marks_ = begin_ - std::min(room, most_marks);
        std::fill(marks_, end_, mark);
    }
    GuardedFloats(std::size_t count, Random &random, double scale = 1) : GuardedFloats(count) {
        for (std::size_t i = 0; i < count; i++) {
            begin_[i] = static_cast<float>(random.normal() * scale);
        }
    }
    explicit GuardedFloats(const std::vector<float> &values) : GuardedFloats(values.size()) {
        std::copy(values.begin(), values.end(), begin_);
    }
    ~GuardedFloats() { munmap(base_, size_); }
    GuardedFloats(const GuardedFloats &) = delete;
    GuardedFloats &operator=(const GuardedFloats &) = delete;

    float *data() { return begin_; }
    std::size_t size() const { return count_; }
    std::vector<float> values() const { return {begin_, begin_ + count_}; }
    bool mark_is_intact() const {
        const auto is_mark = [](float v) { return v == mark; };
        return std::all_of(marks_, begin_, is_mark) && std::all_of(begin_ + count_, end_, is_mark);
    }

private:
    static constexpr float mark = 12345.0f;
    static constexpr std::ptrdiff_t most_marks = 1024;
    char *base_ = nullptr;
    std::size_t size_ = 0;
    std::size_t count_;
    float *marks_ = nullptr; ///< before the first
    float *begin_ = nullptr;
    float *end_ = nullptr;
};

} // namespace edgefront
