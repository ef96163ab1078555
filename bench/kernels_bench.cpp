// Every distinct layer of a network as one kernel under its default schedule, hot, on one core:
// time, GFLOP/s, the share of the measured multiply-add peak, and bytes of all operands a second.
//
//   bench_kernels [--benchmark_filter=REGEX...] [NETWORK]      default: mobilenet_v2
//   bench_kernels [...] operators        typical layers of every operator that is no convolution
#include "base/error.h"
#include "base/random.h"
#include "dsl/zoo.h"
#include "schedules/emit.h"
#include "schedules/packing.h"
#include "schedules/schedule_space.h"
#include "search/kernels/peak.h"
#include "tests/schedules/kernel_cases.h"

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
    JitKernel kernel({layer}, schedule, target);

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
    if (layer.has_weights()) {
        inputs.insert(inputs.end(), {weights.data(), bias.data()});
    }
    kernel.bind(inputs, out.data());

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
    const Bytes bytes = input_bytes(layer) + weight_bytes(layer) + output_bytes(layer);
    state.counters["GBs"] = static_cast<double>(bytes.count()) *
                            static_cast<double>(state.iterations()) / seconds * 1e-9;
    state.SetLabel(to_string(schedule));
}

/// As they are in MobileNetV4 hybrid, MobileViT, ShuffleNet, NASNet and segmentation heads.
std::vector<Layer> operators() {
    std::vector<Layer> layers;
    for (const AttentionShape &s :
         {AttentionShape{1, 256, 64, 4, 64, true}, AttentionShape{1, 196, 49, 4, 64, true},
          AttentionShape{4, 256, 256, 4, 36}, AttentionShape{4, 64, 64, 4, 48},
          AttentionShape{4, 16, 16, 4, 60}}) {
        layers.push_back(scores_layer(s));
        layers.push_back(softmax_layer(layers.back().output, s.heads));
        layers.push_back(context_layer(s));
    }
    const Shape tokens{4, 256, 144}, map{28, 28, 116};
    layers.push_back(same_shape_layer(Op::layer_norm, tokens));
    layers.push_back(same_shape_layer(Op::group_norm, {32, 32, 128}));
    layers.push_back(unfold_layer({32, 32, 144}, 2));
    layers.push_back(fold_layer({32, 32, 144}, 2));
    layers.push_back(grouped(same_shape_layer(Op::channel_shuffle, map), 2));
    layers.push_back(grouped(same_shape_layer(Op::channel_shuffle, {28, 28, 240}), 3));
    layers.push_back(grouped(same_shape_layer(Op::channel_shuffle, {28, 28, 384}), 8));
    layers.push_back(concat_layer({{28, 28, 58}, {28, 28, 58}}));
    layers.push_back(slice_layer(map, 58, 58));
    layers.push_back(with(same_shape_layer(Op::elementwise, map), Activation::relu, true));
    layers.push_back(with(same_shape_layer(Op::elementwise, map), Activation::gelu));
    layers.push_back(with(same_shape_layer(Op::elementwise, map), Activation::swish));
    layers.push_back(same_shape_layer(Op::affine, map));
    layers.push_back(symmetric(average_pool_layer({28, 28, 88}, 3, 1)));
    layers.push_back(symmetric(average_pool_layer({56, 56, 240}, 3, 2)));
    layers.push_back(moving_layer(Op::resize_bilinear, {32, 32, 64}, {64, 64, 64}));
    layers.push_back(dilated(depthwise_layer({32, 32, 160}, 3, 1), 2));
    return layers;
}

} // namespace
} // namespace edgefront

int main(int argc, char **argv) {
    using namespace edgefront;
    benchmark::Initialize(&argc, argv);
    try {
        const std::string what = argc > 1 ? argv[1] : "mobilenet_v2";
        const double peak = measure_peak_flops(1);
        benchmark::AddCustomContext("layers_of", what);
        benchmark::AddCustomContext("fma_peak_gflops", std::to_string(peak * 1e-9));
        std::set<std::string> seen;
        const auto add = [&](const std::string &name, const Layer &layer) {
            if (seen.insert(key(layer)).second) {
                benchmark::RegisterBenchmark(
                    (name + key(layer)).c_str(),
                    [layer, peak](benchmark::State &state) { run_layer(state, layer, peak); })
                    ->Unit(benchmark::kMicrosecond);
            }
        };
        if (what == "operators") {
            for (const Layer &layer : operators()) {
                add("", layer);
            }
        } else {
            for (const Node &node : Zoo().network(what).nodes) {
                add(node.name + "/", node.layer);
            }
        }
        benchmark::RunSpecifiedBenchmarks();
    } catch (const UserError &e) {
        std::fprintf(stderr, "bench_kernels: %s\n", e.what());
        return 2;
    }
    return 0;
}
