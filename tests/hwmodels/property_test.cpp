// What holds for every network, target and layer: no price below what the multipliers and the
// memories allow, and no better device that is slower.
#include "base/random.h"
#include "dsl/zoo.h"
#include "hwmodels/cost_model.h"
#include "tests/hwmodels/tiny_targets.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace edgefront {
namespace {

constexpr double rounding = 1 - 1e-12;

/// Multiply-adds per second of everything the target has, at full use.
double peak_macs(const Target &t, const Workload &w) {
    const double hertz = t.constant("clock_ghz") * 1e9;
    switch (t.kind) {
    case TargetKind::cpu: return hertz * t.constant("mac_per_cycle", w.precision) * w.threads;
    case TargetKind::dsp:
        return hertz * t.constant("mac_per_cycle", w.precision) * t.constant("vector_units");
    case TargetKind::edgetpu:
        return hertz * t.constant("array_rows") * t.constant("array_columns") *
               t.constant("arrays");
    case TargetKind::gpu:
    case TargetKind::npu: return hertz * t.constant("mac_per_cycle", w.precision);
    }
    return 0;
}

/// Bytes per second of the level a layer's tensors move through.
double layer_bandwidth(const Target &t, const Workload &w) {
    return t.kind == TargetKind::cpu ? t.constant("cache_gb_per_s") * 1e9 * w.threads
                                     : t.constant("memory_gb_per_s") * 1e9;
}

/// A reshape without an epilogue is the same bytes under another name.
bool moves_nothing(const Layer &l) {
    return l.op == Op::reshape && !l.residual && l.activation == Activation::none;
}

/// Rows or columns of the input that windows touch: strides may step over some.
int touched(int inputs, int outputs, const Layer &l, int pad) {
    std::vector<bool> seen(static_cast<std::size_t>(inputs));
    for (int o = 0; o < outputs; o++) {
        for (int k = 0; k < l.kernel; k++) {
            const int at = o * l.stride - pad + k * l.dilation;
            if (at >= 0 && at < inputs) {
                seen[static_cast<std::size_t>(at)] = true;
            }
        }
    }
    return static_cast<int>(std::count(seen.begin(), seen.end(), true));
}

/// What a layer cannot do without reading and writing.
Bytes unique_bytes(const Layer &l) {
    if (moves_nothing(l)) {
        return {};
    }
    Layer read = l;
    if (l.has_window()) {
        read.input.height = touched(l.input.height, l.output.height, l, l.pad_top);
        read.input.width = touched(l.input.width, l.output.width, l, l.pad_left);
    }
    if (l.op == Op::slice) {
        read.input = l.output;
    }
    return input_bytes(read) + weight_bytes(l) + output_bytes(l);
}

/// Every part of the latency has a name, and no layer beats its own lower bound.
void expect_explained(const Cost &cost, const std::string &what) {
    const double seconds = cost.latency.count();
    double parts = 0;
    for (const Share &share : shares(cost)) {
        EXPECT_GE(share.time, Seconds(0)) << what << " " << share.what;
        parts += share.time.count();
    }
    EXPECT_NEAR(parts, seconds, 1e-12 * seconds) << what;
    EXPECT_LE(cost.lower_bound.count() * rounding, seconds) << what;
    for (const LevelTraffic &t : cost.traffic) {
        EXPECT_GE(t.bytes, t.least) << what << " " << t.level;
    }
}

/// What a layer can never beat.
void expect_sound(const CostModel &model, const Workload &w, const Layer &layer,
                  const Verdict &verdict) {
    const Cost *cost = std::get_if<Cost>(&verdict);
    if (cost == nullptr) {
        ASSERT_TRUE(std::holds_alternative<Unsupported>(verdict)) << key(layer);
        EXPECT_FALSE(std::get<Unsupported>(verdict).reason.empty()) << key(layer);
        return;
    }
    const double seconds = cost->latency.count();
    const Target &t = model.target();
    ASSERT_TRUE(std::isfinite(seconds)) << key(layer);
    EXPECT_TRUE(seconds > 0 || moves_nothing(layer)) << key(layer);
    const double bound = cost->lower_bound.count();
    EXPECT_GE(bound, static_cast<double>(macs(layer).count()) / peak_macs(t, w) * rounding)
        << key(layer);
    EXPECT_GE(bound,
              static_cast<double>(unique_bytes(layer).count()) / layer_bandwidth(t, w) * rounding)
        << key(layer);
    expect_explained(*cost, key(layer));
    EXPECT_GE(cost->traffic.at(0).bytes, unique_bytes(layer)) << key(layer);
    EXPECT_GE(cost->utilisation, 0) << key(layer);
    EXPECT_LE(cost->utilisation, 1 / rounding) << key(layer);
    EXPECT_TRUE(cost->energy.count() > 0 || moves_nothing(layer)) << key(layer);
    EXPECT_EQ(cost->kind, CostKind::modelled);
}

/// A legal layer of any operator; its epilogue too may be anything.
Layer random_layer(Random &random) {
    const auto up_to = [&](int n) { return 1 + static_cast<int>(random.below(n)); };
    Layer l;
    l.op = static_cast<Op>(random.below(op_names().size()));
    l.activation = static_cast<Activation>(random.below(activation_names().size()));
    const int parts = up_to(6); // groups, heads
    const int each = up_to(40); // channels of a part
    const int columns = up_to(40);
    l.input = {up_to(40), columns, parts * each};
    l.output = l.input;
    switch (l.op) {
    case Op::conv2d:
        l.groups = parts;
        l.output.channels = parts * up_to(60);
        [[fallthrough]];
    case Op::depthwise_conv2d:
    case Op::max_pool:
    case Op::average_pool:
        l.kernel = up_to(7);
        l.stride = up_to(2);
        l.dilation = l.has_weights() ? up_to(3) : 1;
        l.count_padding = l.op == Op::average_pool && random.below(2) == 0;
        l.pad_top = l.pad_left = l.reach() / 2;
        l.output.height = (l.input.height + l.stride - 1) / l.stride;
        l.output.width = (l.input.width + l.stride - 1) / l.stride;
        break;
    case Op::fully_connected:
        l.input = {1, 1, parts * each};
        l.output = {1, 1, up_to(2000)};
        break;
    case Op::global_average_pool: l.output = {1, 1, l.input.channels}; break;
    case Op::channel_scale:
        l.others = {{random.below(2) == 0 ? 1 : l.input.height, 1, l.input.channels}};
        break;
    case Op::softmax:
    case Op::channel_shuffle: l.groups = parts; break;
    case Op::attention_scores: {
        const int keys = up_to(200);
        l.groups = parts;
        l.others = {{l.input.height, keys, random.below(2) == 0 ? each : parts * each}};
        l.output.channels = parts * keys;
        break;
    }
    case Op::attention_context: {
        const int values = up_to(200);
        l.groups = parts;
        l.others = {{l.input.height, values, random.below(2) == 0 ? each : parts * each}};
        l.input.channels = parts * values;
        break;
    }
    case Op::concat: {
        const bool rows = random.below(2) == 0;
        for (int i = up_to(4); i > 0; i--) {
            Shape other = l.input;
            (rows ? other.height : other.channels) = up_to(50);
            (rows ? l.output.height : l.output.channels) += rows ? other.height : other.channels;
            l.others.push_back(other);
        }
        break;
    }
    case Op::slice:
        l.output.channels = up_to(l.input.channels);
        l.first_channel = up_to(l.input.channels - l.output.channels + 1) - 1;
        break;
    case Op::reshape: l.output = {1, l.input.height * columns, parts * each}; break;
    case Op::unfold:
    case Op::fold: {
        l.kernel = up_to(4);
        const Shape image = {l.kernel * up_to(12), l.kernel * up_to(12), parts * each};
        const int patch = l.kernel * l.kernel;
        const Shape rows = {patch, image.height * image.width / patch, image.channels};
        l.input = l.op == Op::unfold ? image : rows;
        l.output = l.op == Op::unfold ? rows : image;
        break;
    }
    case Op::resize_bilinear:
        l.output.height = up_to(80);
        l.output.width = up_to(80);
        break;
    case Op::elementwise:
    case Op::affine:
    case Op::layer_norm:
    case Op::group_norm: break;
    }
    l.bias = l.has_weights() && random.below(2) == 0;
    l.residual = random.below(4) == 0;
    return l;
}

TEST(RandomLayers, AreLegalAndOfEveryOperator) {
    Random random(1);
    std::vector<int> seen(op_names().size());
    for (int i = 0; i < 4000; i++) {
        const Layer layer = random_layer(random);
        EXPECT_EQ(shape_problem(layer), "") << key(layer);
        seen[static_cast<std::size_t>(layer.op)]++;
    }
    EXPECT_GT(*std::min_element(seen.begin(), seen.end()), 100);
}

std::vector<Workload> workloads(const Target &target) {
    std::vector<Workload> all;
    for (const DataType precision : target.precisions) {
        for (int threads = 1; threads <= target.max_threads; threads++) {
            all.push_back({precision, threads});
        }
    }
    return all;
}

std::vector<Network> zoo_networks() {
    const Zoo zoo;
    std::vector<Network> networks;
    for (const auto &entry : zoo.families()) {
        networks.push_back(build(entry.second));
    }
    return networks;
}

TEST(Soundness, HoldsForEveryLayerOfTheZooOnEveryTarget) {
    const std::vector<Network> networks = zoo_networks();
    ASSERT_GE(networks.size(), 9u);
    for (const auto &[name, target] : read_targets()) {
        SCOPED_TRACE(name);
        const auto model = make_cost_model(target);
        for (const Workload &w : workloads(target)) {
            for (const Network &network : networks) {
                const Estimate e = estimate(*model, network, w);
                double sum = e.network.latency.count();
                for (const LayerEstimate &l : e.layers) {
                    expect_sound(*model, w, l.layer, l.verdict);
                    if (const Cost *cost = std::get_if<Cost>(&l.verdict)) {
                        sum += cost->latency.count();
                    }
                }
                EXPECT_NEAR(e.total.latency.count(), sum, 1e-12) << network.name;
                expect_explained(e.network, network.name + " (network)");
                expect_explained(e.total, network.name);
            }
        }
    }
}

TEST(Soundness, HoldsForRandomLayers) {
    Random random(20261121);
    for (const auto &[name, target] : read_targets()) {
        SCOPED_TRACE(name);
        const auto model = make_cost_model(target);
        const std::vector<Workload> all = workloads(target);
        for (int i = 0; i < 4000; i++) {
            Layer layer = random_layer(random);
            const Workload &w = all[random.below(all.size())];
            layer.type = w.precision;
            expect_sound(*model, w, layer, price_layer(*model, layer, w));
        }
    }
}

TEST(Soundness, MacsDoNotDependOnTheMapping) {
    Random random(7);
    const auto targets = read_targets();
    for (int i = 0; i < 200; i++) {
        const Layer layer = random_layer(random);
        const Macs exact = macs(layer);
        for (const auto &[name, target] : targets) {
            const auto model = make_cost_model(target);
            const LoopNest nest = analyse(layer, model->mapping(layer, workload_for(target)));
            ASSERT_EQ(nest.macs, exact) << name << " " << key(layer);
            ASSERT_GE(nest.issued, exact) << name << " " << key(layer);
        }
    }
}

double latency(const Target &target, const Network &network, const Workload &w) {
    return estimate(*make_cost_model(target), network, w).total.latency.count();
}

TEST(BetterDevices, AreNeverSlower) {
    const Zoo zoo;
    const std::vector<Network> networks = {zoo.network("mobilenet_v1@0.25,128"),
                                           zoo.network("mobilenet_v3_large_minimalistic"),
                                           zoo.network("mobilenet_v4_conv_large")};
    const std::vector<std::string> hardware = {
        "clock_ghz",          "cache_mib",         "dram_gb_per_s",
        "weight_memory_mib",  "memory_mib",        "vector_units",
        "mac_per_cycle_int8", "parallel_fraction", "mac_per_cycle_fp32"};
    int tried = 0;
    for (const auto &[name, target] : read_targets()) {
        const Workload w{target.default_precision(), target.max_threads};
        for (const ConstantSpec &spec : constant_specs(target)) {
            const bool more =
                spec.is(ConstantSpec::rate) ||
                std::find(hardware.begin(), hardware.end(), spec.key) != hardware.end();
            if (!target.has(spec.key) || (!more && !spec.is(ConstantSpec::time))) {
                continue;
            }
            for (const Network &network : networks) {
                const double before = latency(target, network, w);
                for (const double factor : {1.01, 1.5, 4.0}) {
                    const double value = target.constant(spec.key);
                    const double better =
                        more ? std::min(spec.most, value * factor) : value / factor;
                    const double after =
                        latency(with_constant(target, spec.key, better), network, w);
                    EXPECT_LE(after * rounding, before)
                        << name << " " << network.name << " " << spec.key << " " << better;
                    tried++;
                }
            }
        }
    }
    EXPECT_GT(tried, 300);
}

TEST(BetterDevices, AreFasterWhereItCounts) {
    // A constant that changes nothing would pass the test above.
    const Network network = Zoo().network("mobilenet_v4_conv_large");
    const std::vector<std::pair<std::string, std::string>> counts = {
        {"pixel6-cpu", "dense_efficiency_int8"},
        {"pixel6-cpu", "cache_gb_per_s"},
        {"pixel6-cpu", "cache_mib"},
        {"pixel6-cpu", "dram_gb_per_s"},
        {"hexagon690", "memory_gb_per_s"},
        {"hexagon690", "dram_gb_per_s"},
        {"pixel8-edgetpu", "clock_ghz"},
        {"pixel8-edgetpu", "weight_memory_mib"},
        {"coral-usb", "stream_gb_per_s"},
        {"coral-usb", "host_in_gb_per_s"},
        {"coral-usb", "host_out_gb_per_s"},
        {"host", "clock_ghz"}};
    for (const auto &[name, key] : counts) {
        const Target target = find_target(name);
        const Workload w = workload_for(target);
        const double better = target.constant(key) * 1.2;
        EXPECT_LT(latency(with_constant(target, key, better), network, w),
                  latency(target, network, w))
            << name << " " << key;
    }
}

TEST(Verdicts, NameTheLayerThatATargetCannotRun) {
    const auto model = make_cost_model(find_target("hexagon690"));
    const Estimate e =
        estimate(*model, Zoo().network("mobilenet_v3_small"), workload_for(model->target()));
    EXPECT_FALSE(e.supported());
    int gates = 0;
    for (const LayerEstimate &l : e.layers) {
        gates += l.layer.op == Op::channel_scale;
    }
    ASSERT_EQ(e.unsupported.size(), static_cast<std::size_t>(gates));
    for (const std::string &text : e.unsupported) {
        EXPECT_NE(text.find("channel_scale: "), std::string::npos) << text;
        EXPECT_NE(text.find("squeeze-excite"), std::string::npos) << text;
    }
    // The other layers still have their prices.
    EXPECT_GT(e.total.latency, Seconds(0));
}

TEST(Verdicts, SayWhereAttentionAndNormsCannotRun) {
    Random random(5);
    const std::vector<Op> refused = {Op::attention_scores, Op::attention_context, Op::layer_norm,
                                     Op::group_norm};
    for (const Op op : refused) {
        Layer layer = random_layer(random);
        while (layer.op != op || layer.activation != Activation::none) {
            layer = random_layer(random);
        }
        for (const auto &[name, runs] : std::vector<std::pair<std::string, bool>>{
                 {"hexagon690", false}, {"coral-usb", false}, {"pixel6-cpu", true}}) {
            const auto model = make_cost_model(find_target(name));
            const Verdict verdict = price_layer(*model, layer, workload_for(model->target()));
            EXPECT_EQ(std::holds_alternative<Cost>(verdict), runs) << name << " " << key(layer);
        }
    }
}

TEST(Verdicts, AcceptTheMinimalisticNetworksEverywhere) {
    for (const auto &[name, target] : read_targets()) {
        const auto model = make_cost_model(target);
        for (const char *network :
             {"mobilenet_v3_large_minimalistic", "mobilenet_v3_small_minimalistic"}) {
            EXPECT_TRUE(estimate(*model, Zoo().network(network), workload_for(target)).supported())
                << name << " " << network;
        }
    }
}

} // namespace
} // namespace edgefront
