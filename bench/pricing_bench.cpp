// How fast layers are priced, one core: on an Edge-TPU-like target nests counted and priced with
// traffic and energy; there and on a DSP the provably best mappings of whole networks.
#include "base/random.h"
#include "dsl/zoo.h"
#include "hwmodels/edgetpu_model.h"
#include "schedules/mapping_space.h"

#include <benchmark/benchmark.h>

#include <set>

namespace edgefront {
namespace {

std::vector<Layer> different_layers(const std::string &network) {
    std::vector<Layer> layers;
    std::set<std::string> seen;
    for (const Node &node : Zoo().network(network).nodes) {
        Layer layer = node.layer;
        layer.type = DataType::int8;
        if (seen.insert(key(layer)).second) {
            layers.push_back(layer);
        }
    }
    return layers;
}

/// A random member of the layer's space.
Mapping draw(const MappingSpace &space, Random &random) {
    const auto any = [&](const auto &list) { return list[random.below(list.size())]; };
    Mapping m;
    m.dataflow = static_cast<Dataflow>(random.below(3));
    std::tie(m.pixel_arrays, m.channel_arrays) = any(space.sharing());
    m.groups_at_once = any(space.groups_at_once(m.channel_arrays));
    m.array_columns = any(space.array_columns(m));
    m.array_rows = any(space.array_rows(m));
    m.preload = space.limits().preload;
    m.tile = {any(space.group_tiles(m)), any(space.row_tiles()), any(space.column_tiles()),
              any(space.channel_tiles(m)), any(space.reduction_tiles(m))};
    m.order = any(loop_orders());
    m.double_buffered = random.below(2) == 0;
    return m;
}

void price_pairs(benchmark::State &state) {
    const EdgeTpuModel model(find_target("pixel8-edgetpu"));
    const Workload workload{DataType::int8, 1};
    Random random(1);
    std::vector<std::pair<Layer, Mapping>> pairs;
    for (const Layer &layer : different_layers("mobilenet_v2")) {
        if (runs_on_array(layer)) {
            const MappingSpace space(layer, model.limits());
            while (pairs.size() % 100 != 0 || pairs.empty() || pairs.back().first != layer) {
                const Mapping m = draw(space, random);
                if (mapping_problem(layer, m, model.limits()).empty()) {
                    pairs.emplace_back(layer, m);
                }
            }
        }
    }
    std::size_t i = 0;
    for (auto _ : state) {
        const auto &[layer, mapping] = pairs[i++ % pairs.size()];
        benchmark::DoNotOptimize(model.price(layer, analyse(layer, mapping), workload));
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(price_pairs)->UseRealTime();

void prove_best_mappings(benchmark::State &state, const std::string &network,
                         const std::string &target) {
    const auto model = make_cost_model(find_target(target));
    const std::vector<Layer> layers = different_layers(network);
    std::int64_t proven = 0, priced = 0;
    for (auto _ : state) {
        proven = priced = 0;
        for (const Layer &layer : layers) {
            const auto choice = model->search(layer, {DataType::int8, 1}, default_most_priced);
            proven += choice->proven ? 1 : 0;
            priced += choice->priced;
        }
    }
    state.counters["layers"] = static_cast<double>(layers.size());
    state.counters["proven"] = static_cast<double>(proven);
    state.counters["priced"] = static_cast<double>(priced);
}
BENCHMARK_CAPTURE(prove_best_mappings, v2_pixel8, "mobilenet_v2", "pixel8-edgetpu")
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(prove_best_mappings, v2_coral, "mobilenet_v2", "coral-usb")
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(prove_best_mappings, v4_large_pixel8, "mobilenet_v4_conv_large", "pixel8-edgetpu")
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(prove_best_mappings, v2_hexagon690, "mobilenet_v2", "hexagon690")
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(prove_best_mappings, v4_large_hexagon690, "mobilenet_v4_conv_large", "hexagon690")
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

} // namespace
} // namespace edgefront

BENCHMARK_MAIN();
