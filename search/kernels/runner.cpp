#include "search/kernels/runner.h"

#include "base/error.h"
#include "schedules/package/layer_check.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <stdexcept>

namespace edgefront {

namespace fs = std::filesystem;

fs::path cache_directory() {
    const auto variable = [](const char *name) {
        const char *value = std::getenv(name);
        return fs::path(value == nullptr ? "" : value);
    };
    if (const fs::path path = variable("EDGEFRONT_CACHE"); !path.empty()) {
        return path;
    }
    if (const fs::path path = variable("XDG_CACHE_HOME"); !path.empty()) {
        return path / "edgefront";
    }
    if (const fs::path path = variable("HOME"); !path.empty()) {
        return path / ".cache/edgefront";
    }
    throw UserError("no folder for compiled kernels: set EDGEFRONT_CACHE or HOME");
}

namespace {

/// Floats on a cache-line border, which the library takes in place.
class AlignedFloats {
public:
    explicit AlignedFloats(std::size_t count) : storage_(count + slack), count_(count) {
        void *start = storage_.data();
        std::size_t room = storage_.size() * sizeof(float);
        data_ = static_cast<float *>(std::align(border, count * sizeof(float), start, room));
    }
    AlignedFloats(const AlignedFloats &) = delete;
    AlignedFloats &operator=(const AlignedFloats &) = delete;

    float *data() { return data_; }
    std::size_t size() const { return count_; }

private:
    static constexpr std::size_t border = MemoryPlan::alignment;
    static constexpr std::size_t slack = border / sizeof(float);
    std::vector<float> storage_;
    std::size_t count_;
    float *data_ = nullptr;
};

struct CloseLibrary {
    void operator()(void *library) const { ::dlclose(library); }
};

std::size_t elements(const Shape &shape) {
    return static_cast<std::size_t>(shape.elements());
}

} // namespace

/// The functions of include/<name>.h.
struct Runner::Implementation {
    Network network;
    std::vector<std::string> kernel_names;
    std::unique_ptr<void, CloseLibrary> library;
    void *instance = nullptr;
    int threads = 1;
    AlignedFloats input, output;

    void *(*create)(const void *, std::size_t, int) = nullptr;
    void (*destroy)(void *) = nullptr;
    int (*run_traced)(void *, const float *, float *, edgefront_trace, void *) = nullptr;
    const char *(*last_error)() = nullptr;

    explicit Implementation(const Network &n)
        : network(n), input(elements(n.input)), output(elements(n.output())) {}
    ~Implementation() {
        if (instance != nullptr) {
            destroy(instance);
        }
    }
    Implementation(const Implementation &) = delete;
    Implementation &operator=(const Implementation &) = delete;

    template <typename Function>
    void find(Function &function, const std::string &name) {
        void *address = ::dlsym(library.get(), name.c_str());
        if (address == nullptr) {
            throw std::logic_error("the generated library has no " + name);
        }
        static_assert(sizeof function == sizeof address, "POSIX: dlsym finds functions too");
        std::memcpy(&function, &address, sizeof address);
    }

    void load(const fs::path &path, const std::string &name) {
        library.reset(::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL));
        if (!library) {
            throw UserError({path.string(), ""}, std::string("cannot load: ") + ::dlerror());
        }
        find(create, name + "_create");
        find(destroy, name + "_destroy");
        find(run_traced, name + "_run_traced");
        find(last_error, name + "_last_error");
    }

    void run(edgefront_trace trace, void *user) {
        if (run_traced(instance, input.data(), output.data(), trace, user) != 0) {
            throw std::runtime_error(last_error());
        }
    }

    void take(const std::vector<float> &values) {
        if (values.size() != input.size()) {
            throw std::logic_error("Runner: the input has another size than the network's");
        }
        std::copy(values.begin(), values.end(), input.data());
    }

    std::vector<float> result() { return {output.data(), output.data() + output.size()}; }
};

Runner::Runner(const PackagePlan &plan, const NetworkWeights &weights, const BuildContext &context,
               int threads)
    : implementation_(std::make_unique<Implementation>(plan.network)) {
    Implementation &i = *implementation_;
    for (const PackageStep &step : plan.steps) {
        i.kernel_names.push_back(name_of(plan, step));
    }
    i.load(shared_library(plan, context), plan.name);
    const std::string packed = pack_weights(plan, weights);
    i.threads = threads;
    i.instance = i.create(packed.data(), packed.size(), threads);
    if (i.instance == nullptr) {
        throw UserError(plan.network.name + ": " + i.last_error());
    }
}

Runner::~Runner() = default;
Runner::Runner(Runner &&) noexcept = default;
Runner &Runner::operator=(Runner &&) noexcept = default;

const Network &Runner::network() const {
    return implementation_->network;
}

const std::vector<std::string> &Runner::kernel_names() const {
    return implementation_->kernel_names;
}

int Runner::threads() const {
    return implementation_->threads;
}

std::vector<float> Runner::run(const std::vector<float> &input) {
    implementation_->take(input);
    rerun();
    return implementation_->result();
}

std::vector<float> Runner::run(const std::vector<float> &input, const Trace &trace) {
    implementation_->take(input);
    rerun(trace);
    return implementation_->result();
}

void Runner::rerun() {
    implementation_->run(nullptr, nullptr);
}

void Runner::rerun(const Trace &trace) {
    const auto forward = [](void *user, const edgefront_layer_run *run) {
        (*static_cast<const Trace *>(user))(*run);
    };
    implementation_->run(forward, const_cast<Trace *>(&trace));
}

double LayerCheck::relative_error() const {
    return difference.range > 0 ? difference.error / difference.range : difference.error;
}

std::vector<LayerCheck> check_layers(Runner &runner, const std::vector<float> &input,
                                     const std::function<void(int)> &progress) {
    std::vector<LayerCheck> checks;
    runner.run(input, [&](const edgefront_layer_run &run) {
        const edgefront_layer_check check = edgefront_check_layer(&run);
        checks.push_back(
            {runner.kernel_names().at(checks.size()), check.difference, check.passed != 0});
        if (progress) {
            progress(static_cast<int>(checks.size()));
        }
    });
    return checks;
}

Json write_timing(const Timing &t) {
    return {{"median", t.median.count()},
            {"least", t.least.count()},
            {"p90", t.p90.count()},
            {"runs", t.runs}};
}

Timing read_timing(const Json &json) {
    return {Seconds(json.at("median").get<double>()), Seconds(json.at("least").get<double>()),
            Seconds(json.at("p90").get<double>()), json.at("runs").get<int>()};
}

Timing summarise(std::vector<Seconds> times) {
    std::sort(times.begin(), times.end());
    const auto rank = [&](double share) {
        const double n = std::ceil(share * static_cast<double>(times.size()));
        return times[static_cast<std::size_t>(std::max(n, 1.0)) - 1];
    };
    return {rank(0.5), times.front(), rank(0.9), static_cast<int>(times.size())};
}

namespace {

using Clock = std::chrono::steady_clock;

Seconds since(Clock::time_point start) {
    return Seconds(std::chrono::duration<double>(Clock::now() - start).count());
}

/// Calls `body` as often as the options say; returns the time of each call.
std::vector<Seconds> repeat(const BenchOptions &options, const std::function<void()> &body,
                            const std::function<void(double)> &progress) {
    const Clock::time_point start = Clock::now();
    std::vector<Seconds> times;
    const auto share = [&] {
        return options.repeats > 0 ? static_cast<double>(times.size()) / options.repeats
                                   : since(start) / options.duration;
    };
    do {
        const Clock::time_point before = Clock::now();
        body();
        times.push_back(since(before));
        if (progress) {
            progress(std::min(share(), 1.0));
        }
    } while (share() < 1);
    return times;
}

} // namespace

Timing time_runs(Runner &runner, const std::vector<float> &input, const BenchOptions &options,
                 const std::function<void(double)> &progress) {
    runner.run(input); // wakes threads, fills caches
    return summarise(repeat(
        options, [&] { runner.rerun(); }, progress));
}

BenchResult bench(Runner &runner, const std::vector<float> &input, const BenchOptions &options,
                  const std::function<void(double)> &progress) {
    const auto part = [&](double offset) {
        return [=](double share) {
            if (progress) {
                progress(offset + share / 2);
            }
        };
    };
    const Timing plain = time_runs(runner, input, options, part(0));

    std::vector<std::vector<Seconds>> kernels(runner.kernel_names().size());
    const auto traced = [&] {
        std::size_t i = 0;
        runner.rerun([&](const edgefront_layer_run &run) {
            kernels.at(i++).push_back(Seconds(run.seconds));
        });
    };
    repeat(options, traced, part(0.5));
    BenchResult result{plain, {}};
    for (const auto &times : kernels) {
        result.kernels.push_back(summarise(times));
    }
    return result;
}

} // namespace edgefront
