#include "base/error.h"
#include "dsl/zoo.h"
#include "hwmodels/cost_model.h"
#include "search/explore.h"

#include <gtest/gtest.h>

#include <atomic>

namespace edgefront {
namespace {

/// Twelve versions of a phone's core; a clock beyond 4 GHz buys nothing without bandwidth.
Json space_json() {
    return {{"schema", "edgefront/hardware_space/1"},
            {"name", "cores"},
            {"target", "pixel6-cpu"},
            {"axes",
             {{{"constant", "clock_ghz"}, {"values", {{"from", 1}, {"to", 4}, {"factor", 2}}}},
              {{"constant", "cache_gb_per_s"}, {"values", {4, 9}}},
              {{"constant", {"register_pixels", "register_vectors"}}, {"values", {1, 2}}}}},
            {"area",
             {{"unit", "none"},
              {"terms",
               {{{"product", {"clock_ghz", "cache_gb_per_s"}},
                 {"weight", 2},
                 {"source", "made up"},
                 {"confidence", "assumed"}},
                {{"product", "register_pixels"},
                 {"weight", 0.5},
                 {"source", "made up"},
                 {"confidence", "assumed"}}}}}},
            {"objectives", {{{"metric", "latency_ms"}, {"over", "sum"}}, {{"metric", "area"}}}}};
}

HardwareSpace space_from(const Json &json) {
    return read_hardware_space(JsonReader::parse(json.dump(), "h.json"));
}

std::vector<Network> two_networks() {
    const Zoo zoo;
    return {zoo.network("mobilenet_v1@0.25,128"), zoo.network("mobilenet_v2@0.35,96")};
}

TEST(HardwareSpace, NumbersItsPoints) {
    const HardwareSpace space = space_from(space_json());
    ASSERT_EQ(space.size(), 12u);
    EXPECT_EQ(space.axes[0].values, (std::vector<double>{1, 2, 4}));
    for (std::size_t i = 0; i < space.size(); i++) {
        EXPECT_EQ(space.index(space.at(i)), i);
    }
    EXPECT_EQ(space.at(1), (std::vector<int>{0, 0, 1}));
    const Target target = space.target({2, 1, 0});
    EXPECT_EQ(target.constant("clock_ghz"), 4);
    EXPECT_EQ(target.constant("cache_gb_per_s"), 9);
    EXPECT_EQ(target.constant("register_pixels"), 1);
    EXPECT_EQ(target.constant("register_vectors"), 1);
    EXPECT_EQ(space.area(target), 2 * 4 * 9 + 0.5 * 1);
}

TEST(HardwareSpace, TakesEquallySpacedValues) {
    Json json = space_json();
    json["axes"][0]["values"] = {{"from", 1}, {"to", 3}, {"steps", 5}};
    EXPECT_EQ(space_from(json).axes[0].values, (std::vector<double>{1, 1.5, 2, 2.5, 3}));
}

TEST(HardwareSpace, SaysWhatIsWrongAndWhere) {
    struct Case {
        std::string pointer; ///< where the value goes
        Json value;
        std::string place; ///< where the complaint is
        std::string text;
    };
    const std::vector<Case> cases = {
        {"/schema", "edgefront/space/1", "/schema", "expected \"edgefront/hardware_space/1\""},
        {"/target", "pixel6-cpus", "/target", "did you mean 'pixel6-cpu'"},
        {"/target", {{"name", "pixel6-cpu"}, {"threads", 99}}, "/target", "not 99"},
        {"/targets", 1, "", "targets"},
        {"/axes", Json::array(), "/axes", "at least one axis"},
        {"/axes/0/constant", "clock_gz", "/axes/0/constant", "did you mean 'clock_ghz'"},
        {"/axes/1/constant", "clock_ghz", "/axes/1/constant", "on another axis already"},
        {"/axes/2/constant", {"lanes_int8", "lanes_int8"}, "/axes/2/constant/1", "stands twice"},
        {"/axes/1/values", {4, -9}, "/axes/1/values/1", "from 0.01 to 100000"},
        {"/axes/1/values", {4, 4}, "/axes/1/values/1", "stands twice"},
        {"/axes/1/values", Json::array(), "/axes/1/values", "at least one value"},
        {"/axes/2/values", {1, 1.5}, "/axes/2/values/1", "whole number"},
        {"/axes/0/values/to", 0.5, "/axes/0/values/to", "more than \"from\""},
        {"/axes/0/values/factor", 1, "/axes/0/values/factor", "1.001"},
        {"/axes/0/values/steps", 3, "/axes/0/values", "either \"factor\" or \"steps\""},
        {"/axes/0/values/step", 3, "/axes/0/values", "step"},
        {"/axes/0/values",
         {{"from", 1}, {"to", 1.2}, {"steps", 9999999}},
         "/axes/0/values/steps",
         "10000"},
        {"/area/terms", Json::array(), "/area/terms", "at least one term"},
        {"/area/terms/0/product", "clocks", "/area/terms/0/product", "expected one of"},
        {"/area/terms/0/product", "parallel_fraction", "/area/terms/0/product", "has no parallel"},
        {"/area/terms/0/weight", -1, "/area/terms/0/weight", "0"},
        {"/area/terms/0/confidence", "sure", "/area/terms/0/confidence", "expected one of"},
        {"/objectives", Json::array(), "/objectives", "at least one objective"},
        {"/objectives/0/metric", "latency", "/objectives/0/metric", "did you mean 'latency_ms'"},
        {"/objectives/0/over", "all", "/objectives/0/over", "expected one of"},
        {"/objectives/1/over", "sum", "/objectives/1/over", "does not depend on networks"},
        {"/objectives/1", {{"metric", "latency_ms"}}, "/objectives/1", "stands twice"},
        {"/constraints", {{{"metric", "area"}}}, "/constraints/0", "either \"at_most\""},
    };
    for (const Case &c : cases) {
        Json json = space_json();
        json[Json::json_pointer(c.pointer)] = c.value;
        try {
            space_from(json);
            ADD_FAILURE() << c.pointer << " " << c.value;
        } catch (const UserError &e) {
            const std::string what = e.what();
            EXPECT_EQ(what.find("h.json:" + c.place), 0u) << what;
            EXPECT_NE(what.find(c.text), std::string::npos) << what;
        }
    }
    Json json = space_json();
    json.erase("area");
    EXPECT_THROW(space_from(json), UserError) << "an area without its formula";
    json = space_json();
    json["axes"][0]["values"] = {{"from", 1}, {"to", 3}, {"steps", 10000}};
    json["axes"][1]["values"] = {{"from", 1}, {"to", 3}, {"steps", 10000}};
    EXPECT_THROW(space_from(json), UserError) << "too many points";
}

TEST(Explore, PricesADeviceAsEstimateDoes) {
    const HardwareSpace space = space_from(space_json());
    const std::vector<Network> networks = two_networks();
    const Exploration e = explore(space, networks, {});
    ASSERT_EQ(e.devices.size(), space.size());
    EXPECT_EQ(e.objectives, (std::vector<std::string>{"latency_ms:sum", "area"}));
    for (std::size_t i = 0; i < space.size(); i++) {
        const Target target = space.target(space.at(i));
        const auto model = make_cost_model(target);
        for (std::size_t n = 0; n < networks.size(); n++) {
            const Estimate one = estimate(*model, networks[n], workload_for(target));
            EXPECT_NEAR(e.devices[i].latency_ms[n], milliseconds(one.total.latency), 1e-9);
            EXPECT_NEAR(e.devices[i].energy_mj[n], millijoules(one.total.energy), 1e-9);
        }
        EXPECT_EQ(e.devices[i].area, space.area(target));
    }
}

TEST(Explore, SumsWeightsAsEachDeviceStoresThem) {
    Json json = space_json();
    json["axes"] = {{{"constant", "winograd_outputs_int8"}, {"values", {2, 6}}}};
    const HardwareSpace space = space_from(json);
    const std::vector<Network> networks = {Zoo().network("vgg16@1,32")};
    const Exploration e = explore(space, networks, {});
    ASSERT_EQ(e.devices.size(), 2u);
    std::vector<Bytes> weights;
    for (std::size_t i = 0; i < space.size(); i++) {
        const Target target = space.target(space.at(i));
        const Estimate one = estimate(*make_cost_model(target), networks[0], workload_for(target));
        EXPECT_NEAR(e.devices[i].latency_ms[0], milliseconds(one.total.latency), 1e-9);
        EXPECT_NEAR(e.devices[i].energy_mj[0], millijoules(one.total.energy), 1e-9);
        weights.push_back(one.weights);
    }
    EXPECT_LT(weights[0], weights[1]);
}

TEST(Explore, KeepsExactlyTheDevicesThatNoOtherBeats) {
    const HardwareSpace space = space_from(space_json());
    const Exploration e = explore(space, two_networks(), {});
    const auto values = [&](const PricedDevice &d) {
        return std::vector<double>{d.latency_ms[0] + d.latency_ms[1], d.area};
    };
    std::size_t unbeaten = 0;
    for (const PricedDevice &device : e.devices) {
        bool beaten = false;
        for (const PricedDevice &other : e.devices) {
            beaten = beaten || dominates(values(other), values(device), e.front.senses());
        }
        unbeaten += !beaten;
        EXPECT_EQ(e.front.contains(values(device)), !beaten);
    }
    EXPECT_EQ(e.front.size(), unbeaten);
    EXPECT_GT(e.front.size(), 1u);
    EXPECT_LT(e.front.size(), e.devices.size());
}

TEST(Explore, DoesNotDependOnThreads) {
    const HardwareSpace space = space_from(space_json());
    ExploreHooks hooks;
    const Exploration one = explore(space, two_networks(), hooks);
    hooks.threads = 3;
    const Exploration three = explore(space, two_networks(), hooks);
    ASSERT_EQ(one.front.size(), three.front.size());
    for (std::size_t i = 0; i < one.front.size(); i++) {
        EXPECT_EQ(one.front.members()[i].choices, three.front.members()[i].choices);
        EXPECT_EQ(one.front.members()[i].values, three.front.members()[i].values);
    }
}

TEST(Explore, TakesSumWorstOrEachOfTheNetworks) {
    Json json = space_json();
    json["objectives"] = {{{"metric", "latency_ms"}, {"over", "worst"}},
                          {{"metric", "energy_mj"}, {"over", "each"}}};
    const HardwareSpace space = space_from(json);
    const std::vector<Network> networks = two_networks();
    const Exploration e = explore(space, networks, {});
    EXPECT_EQ(e.objectives,
              (std::vector<std::string>{"latency_ms:worst", "energy_mj:" + networks[0].name,
                                        "energy_mj:" + networks[1].name}));
    for (const Member &member : e.front.members()) {
        const PricedDevice &device = e.devices[space.index(member.choices)];
        EXPECT_EQ(member.values[0], std::max(device.latency_ms[0], device.latency_ms[1]));
        EXPECT_EQ(member.values[1], device.energy_mj[0]);
        EXPECT_EQ(member.values[2], device.energy_mj[1]);
    }
    EXPECT_EQ(e.base_values.size(), 3u);
}

TEST(Explore, CountsWhatAConstraintExcludes) {
    Json json = space_json();
    json["constraints"] = {{{"metric", "area"}, {"at_most", 20}}};
    const HardwareSpace space = space_from(json);
    const Exploration e = explore(space, two_networks(), {});
    std::size_t above = 0;
    double nearest = 1e9;
    for (const PricedDevice &device : e.devices) {
        if (device.area > 20) {
            above++;
            nearest = std::min(nearest, device.area);
        }
    }
    ASSERT_GT(above, 0u);
    ASSERT_EQ(e.excluded.size(), 1u);
    EXPECT_EQ(e.excluded[0].rule, "area <= 20");
    EXPECT_EQ(e.excluded[0].devices, above);
    EXPECT_EQ(e.excluded[0].nearest, nearest);
    EXPECT_EQ(e.feasible, e.devices.size() - above);
    for (const Member &member : e.front.members()) {
        EXPECT_LE(member.values[1], 20);
    }
    EXPECT_EQ(e.base_excluded, (std::vector<std::string>{"area <= 20"}));
}

TEST(Explore, NamesTheLayerThatNoDeviceRuns) {
    Json json = space_json();
    json["target"] = "hexagon690";
    json["axes"] = {{{"constant", "memory_mib"}, {"values", {1, 2}}}};
    json.erase("area");
    json["objectives"].erase(1);
    const Exploration e = explore(space_from(json), {Zoo().network("mobilenet_v3_small")}, {});
    EXPECT_EQ(e.front.size(), 0u);
    ASSERT_EQ(e.excluded.size(), 1u);
    EXPECT_EQ(e.excluded[0].devices, 2u);
    EXPECT_EQ(e.excluded[0].example.find("mobilenet_v3_small: block1.se.scale: channel_scale"), 0u)
        << e.excluded[0].example;
    EXPECT_FALSE(e.base.priced());
}

TEST(Explore, StopsBetweenDevices) {
    const HardwareSpace space = space_from(space_json());
    std::atomic<int> asked{0};
    ExploreHooks hooks;
    hooks.stop = [&] { return ++asked > 5; };
    std::size_t done = 0;
    hooks.progress = [&](std::size_t n, std::size_t total) {
        done = n;
        EXPECT_EQ(total, space.size());
    };
    const Exploration e = explore(space, two_networks(), hooks);
    EXPECT_TRUE(e.interrupted);
    EXPECT_EQ(done, 5u);
    EXPECT_EQ(e.front.size(), 0u);
}

} // namespace
} // namespace edgefront
