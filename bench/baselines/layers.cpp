// Every distinct convolution of a network alone and warm, on one core: our kernel under its default
// schedule, and (--db) the best that tuning found, against what Halide's autoschedulers made of the
// same algorithm (autoschedule.cpp). Candidates of a layer take turns, round by round; each must
// give the reference's output first.
//
//   baseline_layers NETWORK --list                  their keys, and how often each occurs
//   baseline_layers NETWORK --from NAME=FOLDER...   times FOLDER/KEY.so where it is there
#include "base/error.h"
#include "base/json_reader.h"
#include "dsl/zoo.h"
#include "schedules/packing.h"
#include "schedules/schedule_space.h"
#include "search/kernels/host_plans.h"
#include "search/kernels/layer_bound.h"
#include "search/kernels/runner.h"
#include "tests/schedules/kernel_cases.h"

#include <CLI/CLI.hpp>
#include <HalideRuntime.h>

#include <chrono>
#include <cmath>
#include <dlfcn.h>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>

namespace edgefront {
namespace {

namespace fs = std::filesystem;

struct Options {
    std::string network;
    bool list = false;
    std::map<std::string, std::string> folders; ///< name of a peer, its libraries
    std::string db;                             ///< of tuned plans; empty: defaults only
    int rounds = 8;
    double slice = 2e-3; ///< seconds of a candidate in a round
};

std::size_t count(std::int64_t elements) {
    return static_cast<std::size_t>(elements);
}

struct DistinctLayer {
    Layer layer;
    std::string name; ///< of its first node
    int count = 0;
};

std::vector<DistinctLayer> convolutions(const Network &network) {
    std::vector<DistinctLayer> found;
    for (const Node &node : network.nodes) {
        if (node.layer.op != Op::conv2d && node.layer.op != Op::depthwise_conv2d) {
            continue;
        }
        const auto same = std::find_if(found.begin(), found.end(), [&](const DistinctLayer &d) {
            return d.layer == node.layer;
        });
        if (same == found.end()) {
            found.push_back({node.layer, node.name, 1});
        } else {
            same->count++;
        }
    }
    return found;
}

/// One way to compute the layer: `run` writes `out`.
struct Candidate {
    std::string peer;
    std::function<void()> run;
    std::vector<Seconds> medians; ///< by round
    Seconds least = Seconds(INFINITY);
};

/// The fastest plan of the layer alone that tuning found; nothing where it has not been tuned.
std::optional<Schedule> tuned_alone(const Layer &layer, const std::string &db) {
    const auto record = TuningDb(db).find(host_key({layer}, 1, EDGEFRONT_VERSION));
    if (!record || record->tried.empty() || !record->tried.front().measured) {
        return {};
    }
    const Schedule schedule = parse_schedule(record->tried.front().plan);
    const IsaInfo isa = isa_info(host_kernel_target().text);
    return is_legal({layer}, schedule, isa) ? std::optional(schedule) : std::nullopt;
}

/// Our kernel on packed weights.
Candidate ours(const std::string &name, const Schedule &schedule, KernelCase &c,
               GuardedFloats &out) {
    const KernelTarget target = host_kernel_target();
    struct Held {
        JitKernel kernel;
        GuardedFloats weights, bias;
    };
    const std::shared_ptr<Held> held(
        new Held{JitKernel({c.layer}, schedule, target),
                 GuardedFloats(pack_weights(c.layer, schedule, c.weights)),
                 GuardedFloats(pack_bias(c.layer, schedule, c.bias))});
    std::vector<const float *> operands = c.inputs();
    operands.insert(operands.end(), {held->weights.data(), held->bias.data()});
    held->kernel.bind(operands, out.data());
    return {name, [held] { held->kernel.run(); }, {}, Seconds(INFINITY)};
}

/// A dense tensor as Halide's C interface wants it.
class HalideBuffer {
public:
    HalideBuffer(float *data, std::vector<std::pair<int, int>> extents_and_strides) {
        for (const auto &[extent, stride] : extents_and_strides) {
            dimensions_.emplace_back(0, extent, stride);
        }
        buffer_.host = reinterpret_cast<std::uint8_t *>(data);
        buffer_.type = halide_type_of<float>();
        buffer_.dimensions = static_cast<std::int32_t>(dimensions_.size());
        buffer_.dim = dimensions_.data();
    }
    HalideBuffer(float *data, const Shape &s)
        : HalideBuffer(data,
                       {{s.channels, 1}, {s.width, s.channels}, {s.height, s.width * s.channels}}) {
    }
    HalideBuffer(HalideBuffer &&) = default;
    HalideBuffer(const HalideBuffer &) = delete;
    HalideBuffer &operator=(const HalideBuffer &) = delete;

    halide_buffer_t *get() { return &buffer_; }

private:
    std::vector<halide_dimension_t> dimensions_;
    halide_buffer_t buffer_{};
};

/// What autoschedule.cpp wrote, on plain weights.
Candidate autoscheduled(const std::string &peer, const fs::path &library, KernelCase &c,
                        GuardedFloats &out) {
    void *handle = ::dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
    void *symbol = handle == nullptr ? nullptr : ::dlsym(handle, "layer_argv");
    if (symbol == nullptr) {
        throw UserError({library.string(), ""}, std::string("cannot load: ") + ::dlerror());
    }
    const auto function = reinterpret_cast<int (*)(void **)>(symbol);
    struct Held {
        GuardedFloats weights, bias;
        std::vector<HalideBuffer> buffers;
        std::vector<void *> arguments;
        Held(const std::vector<float> &w, const std::vector<float> &b) : weights(w), bias(b) {}
    };
    std::vector<float> bias = c.bias;
    bias.resize(count(c.layer.output.channels));
    const auto held = std::make_shared<Held>(c.weights, bias);
    const auto row = [](GuardedFloats &v) {
        return HalideBuffer(v.data(), {{static_cast<int>(v.size()), 1}});
    };
    held->buffers.emplace_back(c.input.data(), c.layer.input);
    if (c.layer.residual) {
        held->buffers.emplace_back(c.residual.data(), c.layer.output);
    }
    held->buffers.push_back(row(held->weights));
    held->buffers.push_back(row(held->bias));
    held->buffers.emplace_back(out.data(), c.layer.output);
    for (HalideBuffer &buffer : held->buffers) {
        held->arguments.push_back(buffer.get());
    }
    return {peer, [held, function] { function(held->arguments.data()); }, {}, Seconds(INFINITY)};
}

/// Runs for about `slice` seconds; the clock is read once per run, which takes some 20 ns.
void time_round(Candidate &candidate, double slice) {
    using Clock = std::chrono::steady_clock;
    const auto since = [](Clock::time_point start) {
        return std::chrono::duration<double>(Clock::now() - start).count();
    };
    candidate.run();
    std::vector<Seconds> times;
    const Clock::time_point start = Clock::now();
    do {
        const Clock::time_point before = Clock::now();
        candidate.run();
        times.push_back(Seconds(since(before)));
    } while (since(start) < slice);
    const Timing t = summarise(std::move(times));
    candidate.medians.push_back(t.median);
    candidate.least = std::min(candidate.least, t.least);
}

double microseconds(Seconds t) {
    return 1e3 * milliseconds(t);
}

/// Times of every candidate, or what is wrong with it, by its peer's name.
Json time_layer(const Layer &layer, const Options &options) {
    KernelCase c(layer, Random(1));
    GuardedFloats out(count(layer.output.elements()));
    std::vector<Candidate> candidates;
    const Schedule usual = default_schedule(layer, isa_info(host_kernel_target().text));
    candidates.push_back(ours("edgefront", usual, c, out));
    if (!options.db.empty()) {
        if (const std::optional<Schedule> tuned = tuned_alone(layer, options.db)) {
            candidates.push_back(ours("edgefront tuned", *tuned, c, out));
        }
    }
    for (const auto &[peer, folder] : options.folders) {
        const fs::path library = fs::path(folder) / (key(layer) + ".so");
        if (fs::exists(library)) {
            candidates.push_back(autoscheduled(peer, library, c, out));
        }
    }
    Json peers = Json::object();
    const auto is_wrong = [&](Candidate &candidate) {
        std::fill_n(out.data(), out.size(), NAN);
        candidate.run();
        const double error = c.error(out.values());
        if (!(error <= 1e-4)) {
            peers[candidate.peer] = {{"failure", "differs from the reference"}, {"error", error}};
        }
        return !(error <= 1e-4);
    };
    candidates.erase(std::remove_if(candidates.begin(), candidates.end(), is_wrong),
                     candidates.end());
    for (int round = 0; round < options.rounds; round++) {
        for (std::size_t i = 0; i < candidates.size(); i++) {
            time_round(candidates[(i + static_cast<std::size_t>(round)) % candidates.size()],
                       options.slice);
        }
    }
    for (const Candidate &candidate : candidates) {
        Json &result = peers[candidate.peer];
        for (const Seconds median : candidate.medians) {
            result["medians_us"].push_back(microseconds(median));
        }
        result["least_us"] = microseconds(candidate.least);
    }
    return peers;
}

Json report(const Options &options) {
    Json json = {{"network", options.network}};
    MachinePeak peak;
    if (!options.list) {
        peak = measure_peak(1);
        json["peak_gflops"] = peak.flops * 1e-9;
    }
    for (const DistinctLayer &d : convolutions(Zoo().network(options.network))) {
        Json layer = {{"key", key(d.layer)},
                      {"name", d.name},
                      {"op", to_string(d.layer.op)},
                      {"count", d.count},
                      {"macs", macs(d.layer).count()}};
        if (!options.list) {
            layer["bound_us"] = microseconds(layer_bound(d.layer, peak).time);
            layer["peers"] = time_layer(d.layer, options);
        }
        json["layers"].push_back(layer);
    }
    return json;
}

} // namespace
} // namespace edgefront

int main(int argc, char **argv) {
    using namespace edgefront;
    ::setenv("HL_NUM_THREADS", "1", 1); // the threads that Halide's own runtime makes
    Options options;
    std::vector<std::string> folders;
    CLI::App app("Convolutions of a network: Edgefront and Halide's autoschedulers");
    app.add_option("network", options.network)->required();
    app.add_flag("--list", options.list);
    app.add_option("--from", folders, "NAME=FOLDER");
    app.add_option("--db", options.db)->check(CLI::ExistingFile);
    app.add_option("--rounds", options.rounds)->check(CLI::PositiveNumber);
    app.add_option("--slice", options.slice, "Seconds")->check(CLI::PositiveNumber);
    CLI11_PARSE(app, argc, argv);
    try {
        for (const std::string &pair : folders) {
            const std::size_t at = pair.find('=');
            options.folders[pair.substr(0, at)] = pair.substr(std::min(at, pair.size() - 1) + 1);
        }
        std::cout << report(options).dump() << '\n';
    } catch (const UserError &e) {
        std::cerr << "baseline_layers: " << e.what() << '\n';
        return 2;
    }
    return 0;
}
