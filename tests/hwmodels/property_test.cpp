// What holds for every network, target and layer: no price below what the multipliers and the
// memories allow, and no better device that is slower.
#include "dsl/zoo.h"
#include "hwmodels/cost_model.h"
#include "tests/hwmodels/soundness.h"
#include "tests/hwmodels/tiny_targets.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace edgefront {
namespace {

/// The parts of a sum have names too, and it stays above its lower bound.
void expect_explained(const Cost &cost, const std::string &what) {
    const double seconds = cost.latency.count();
    double parts = 0;
    for (const Share &share : shares(cost)) {
        EXPECT_GE(share.time, Seconds(0)) << what << " " << share.what;
        parts += share.time.count();
    }
    EXPECT_NEAR(parts, seconds, 1e-12 * seconds) << what;
    EXPECT_LE(cost.lower_bound.count() * rounding, seconds) << what;
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
    EXPECT_EQ(impossible(model.target(), w, layer, *cost), "") << key(layer);
    EXPECT_TRUE(cost->energy.count() > 0 || moves_nothing(layer)) << key(layer);
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
    const std::vector<std::string> hardware = {"clock_ghz",
                                               "cache_mib",
                                               "kept_mib",
                                               "dram_gb_per_s",
                                               "weight_memory_mib",
                                               "activation_memory_kib",
                                               "memory_mib",
                                               "vector_units",
                                               "mac_per_cycle_int8",
                                               "parallel_fraction",
                                               "mac_per_cycle_fp32",
                                               "mac_per_cycle_fp16",
                                               "load_ports",
                                               "issue_width",
                                               "vector_bytes",
                                               "l1_kib",
                                               "l2_kib",
                                               "l2_bytes_per_cycle",
                                               "thread_clock_ghz",
                                               "load_slots",
                                               "vector_registers"};
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
        {"pixel6-cpu", "outputs_per_cycle_int8"},
        {"pixel6-cpu", "depthwise_efficiency_int8"},
        {"pixel6-cpu", "load_ports"},
        {"host", "cache_gb_per_s"},
        {"sd855-cpu", "dram_gb_per_s"},
        {"hexagon690", "outputs_per_cycle_int8"},
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
