// A loop over independent tasks on several threads. Results go to places that belong to the index,
// so they do not depend on the number of threads.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace edgefront {

/// Calls body(i) for every i in [0, count), in chunks of `chunk`; rethrows the first exception.
template <typename Body>
void parallel_for(std::size_t count, int threads, std::size_t chunk, const Body &body) {
    std::atomic<std::size_t> next{0};
    std::exception_ptr failure;
    std::mutex mutex;
    const auto work = [&] {
        try {
            for (std::size_t first; (first = next.fetch_add(chunk)) < count;) {
                for (std::size_t i = first; i < std::min(first + chunk, count); i++) {
                    body(i);
                }
            }
        } catch (...) {
            const std::lock_guard<std::mutex> lock(mutex);
            if (!failure) {
                failure = std::current_exception();
            }
            next = count;
        }
    };
    const std::size_t chunks = (count + chunk - 1) / chunk;
    const std::size_t helpers =
        std::min<std::size_t>(static_cast<std::size_t>(std::max(threads, 1)), chunks);
    std::vector<std::thread> pool;
    for (std::size_t t = 1; t < helpers; t++) {
        pool.emplace_back(work);
    }
    work();
    for (auto &thread : pool) {
        thread.join();
    }
    if (failure) {
        std::rethrow_exception(failure);
    }
}

} // namespace edgefront
