// Every distinct layer of a network as one kernel under its default schedule, hot, on one core:
// time, GFLOP/s and the share of the measured multiply-add peak.
//
//   bench_kernels [--benchmark_filter=REGEX...] [NETWORK]      default: mobilenet_v2
#include "base/error.h"
#include "base/random.h"
#include "dsl/zoo.h"
#include "schedules/emit.h"
#include "schedules/packing.h"
#include "schedules/schedule_space.h"
#include "search/peak.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <memory>
#include <new>
#include <set>

namespace edgefront {
namespace {

/// Floats on a cache line.
class Floats {
public:
    explicit Floats(std::size_t count, Random &random)
        : data_(static_cast<float *>(
              ::operator new(std::max<std::size_t>(count, 1) * sizeof(float), alignment))) {
        for (std::size_t i = 0; i < count; i++) {
            data_[i] = static_cast<float>(random.normal());
        }
    }
    ~Floats() { ::operator delete(data_, alignment); }
    Floats(const Floats &) = delete;
    Floats &operator=(const Floats &) = delete;
    float *data() { return data_; }

private:
    static constexpr std::align_val_t alignment{64};
    float *data_;
};

std::size_t count(std::int64_t elements) {
    return static_cast<std::size_t>(elements);
}

void run_layer(benchmark::State &state, const Layer &layer, double peak) {
    const KernelTarget target = host_kernel_target();
    const Schedule schedule = default_schedule(layer, isa_info(target.text));
    JitKernel kernel(layer, schedule, target);

    Random random(1);
    Floats input(count(layer.input.elements()), random);
    Floats residual(count(layer.output.elements()), random);
    Floats weights(count(packed_weight_count(layer, schedule)), random);
    Floats bias(count(packed_bias_count(layer, schedule)), random);
    Floats out(count(layer.output.elements()), random);
    std::vector<const float *> inputs = {input.data()};
    std::vector<std::unique_ptr<Floats>> others;
    for (const Shape &other : layer.others) {
        others.push_back(std::make_unique<Floats>(count(other.elements()), random));
        inputs.push_back(others.back()->data());
    }
    if (layer.residual) {
        inputs.push_back(residual.data());
    }
    kernel.bind(inputs, layer.has_weights() ? weights.data() : nullptr, bias.data(), out.data());

    const std::clock_t start = std::clock();
    for (auto _ : state) {
        kernel.run();
        benchmark::ClobberMemory();
    }
    const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    const double flops =
        2.0 * static_cast<double>(macs(layer).count()) * static_cast<double>(state.iterations());
    state.counters["GFLOPs"] = flops / seconds * 1e-9;
    state.counters["of_peak"] = flops / seconds / peak;
    state.SetLabel(to_string(schedule));
}

} // namespace
} // namespace edgefront

int main(int argc, char **argv) {
    using namespace edgefront;
    benchmark::Initialize(&argc, argv);
    try {
        const Network network = Zoo().network(argc > 1 ? argv[1] : "mobilenet_v2");
        const double peak = measure_peak_flops(1);
        benchmark::AddCustomContext("network", network.name);
        benchmark::AddCustomContext("fma_peak_gflops", std::to_string(peak * 1e-9));
        std::set<std::string> seen;
        for (const Node &node : network.nodes) {
            const Layer layer = node.layer;
            if (seen.insert(key(layer)).second) {
                benchmark::RegisterBenchmark(
                    (node.name + "/" + key(layer)).c_str(),
                    [layer, peak](benchmark::State &state) { run_layer(state, layer, peak); })
                    ->Unit(benchmark::kMicrosecond);
            }
        }
        benchmark::RunSpecifiedBenchmarks();
    } catch (const UserError &e) {
        std::fprintf(stderr, "bench_kernels: %s\n", e.what());
        return 2;
    }
    return 0;
}
