#include "hwmodels/cost_model.h"
#include "tests/search/exact_fixture.h"

namespace edgefront {
namespace {

const std::vector<std::string> devices = {"pixel6-cpu", "hexagon690", "pixel8-edgetpu"};

/// tests/search/exact_fixture.h's random space on three devices, judged by what they have together.
Json combined_space(std::uint64_t seed, const Json &combination) {
    Json json = random_space(seed, devices);
    json["objectives"] = {combination, {{"metric", "macs"}, {"sense", "maximise"}}};
    return json;
}

Json worst_latency() {
    return {{"metric", "latency_ms"}, {"targets", devices}, {"combine", "worst"}};
}

Json mean_ratio() {
    return {{"metric", "latency_ms"},
            {"targets", {devices[0], devices[1]}},
            {"combine", "mean"},
            {"weights", {1, 3}},
            {"relative_to", "mobilenet_v2@1,128"}};
}

class CombinationTest : public ExactTest {
protected:
    /// Networks with the same values may stand for each other, so only values are compared.
    std::size_t expect_equal_values(const Json &json) {
        const RunResult expected = run(space_of(json), "exhaustive");
        const RunResult found = run(space_of(json), "exact");
        EXPECT_EQ(found.epsilon, 0.0);
        EXPECT_EQ(found.points.size(), expected.points.size());
        for (std::size_t i = 0; i < std::min(found.points.size(), expected.points.size()); i++) {
            EXPECT_EQ(found.points[i].values, expected.points[i].values);
        }
        return found.points.size();
    }
};

TEST_F(CombinationTest, is_the_worst_or_the_weighted_mean_of_what_the_targets_have) {
    Json json = random_space(9, devices);
    json["objectives"] = {worst_latency(), mean_ratio()};
    for (const auto &device : devices) {
        json["objectives"].push_back({{"metric", "latency_ms"}, {"target", device}});
    }
    const DesignSpace space = space_of(json);
    EXPECT_EQ(space.objectives[0].measure.name(),
              "worst:latency_ms:pixel6-cpu+hexagon690+pixel8-edgetpu");
    EXPECT_EQ(space.objectives[1].measure.name(), "mean:latency_ratio:pixel6-cpu+hexagon690");
    std::vector<double> reference;
    for (const auto &device : devices) {
        const auto model = make_cost_model(find_target(device));
        reference.push_back(
            estimate(*model, zoo_.network("mobilenet_v2@1,128"), workload_for(model->target()))
                .total.latency.count() *
            1e3);
    }
    const auto targets = price_targets(space);
    const CostTables tables(space, targets, 1);
    for (std::uint64_t i = 0; i < 20; i++) {
        const auto values = tables.evaluate(space.at(i * 1231)).values;
        EXPECT_EQ(values[0], std::max({values[2], values[3], values[4]}));
        EXPECT_NEAR(values[1], (values[2] / reference[0] + 3 * values[3] / reference[1]) / 4,
                    1e-9 * values[1]);
    }
}

TEST_F(CombinationTest, exact_equals_enumeration_for_the_worst_and_for_a_mean) {
    EXPECT_GT(expect_equal_values(combined_space(1, worst_latency())), 20u);
    EXPECT_GT(expect_equal_values(combined_space(2, mean_ratio())), 20u);
}

TEST_F(CombinationTest, exact_equals_enumeration_with_bounds_on_what_is_combined) {
    for (const Json &combination : {worst_latency(), mean_ratio()}) {
        Json json = combined_space(3, combination);
        json["objectives"].push_back({{"metric", "params"}, {"sense", "maximise"}});
        const RunResult free = run(space_of(json), "exact");
        Json bound = combination;
        bound["at_most"] = free.points[free.points.size() / 2].values[0];
        json["constraints"] = Json::array({bound});
        const std::size_t bounded = expect_equal_values(json);
        EXPECT_GT(bounded, 10u);
        EXPECT_LT(bounded, free.points.size());
        // Bounded, but no objective.
        json["objectives"] = {{{"metric", "energy_mj"}, {"target", devices[0]}},
                              {{"metric", "params"}, {"sense", "maximise"}}};
        EXPECT_GT(expect_equal_values(json), 10u);
    }
}

TEST_F(CombinationTest, epsilon_keeps_its_promise_for_what_is_combined) {
    Json json = write_space(deep_space(devices[0]));
    json.erase("constraints");
    json["targets"] = devices;
    json["objectives"] = {worst_latency(), {{"metric", "macs"}, {"sense", "maximise"}}};
    json["objectives"][0]["relative_to"] = "mobilenet_v2";
    const RunResult exact = run(space_of(json), "exact");
    const RunResult rough = run(space_of(json), "exact", 0.05);
    EXPECT_GT(*rough.epsilon, 0);
    EXPECT_LE(*rough.epsilon, 0.05);
    EXPECT_LT(rough.points.size(), exact.points.size());
    for (const auto &point : exact.points) {
        EXPECT_TRUE(matched(rough, point, 1 + *rough.epsilon)) << point.id;
    }
}

TEST_F(CombinationTest, is_written_as_it_was_read) {
    Json json = combined_space(4, mean_ratio());
    Json bound = worst_latency();
    bound["at_most"] = 100;
    json["constraints"] = Json::array({bound});
    const DesignSpace space = space_of(json);
    EXPECT_EQ(write_space(space_of(write_space(space))), write_space(space));
    EXPECT_EQ(write_space(space)["objectives"][0]["relative_to"], "mobilenet_v2@1,128");
    EXPECT_EQ(space.constraints[0].name(),
              "worst:latency_ms:pixel6-cpu+hexagon690+pixel8-edgetpu <= 100");
}

TEST_F(CombinationTest, mistakes_are_reported_with_pointer_and_nearest_name) {
    struct Bad {
        const char *key;
        Json value;
        const char *message;
    };
    const Bad cases[] = {
        {"targets", {"pixel6-cpu", "hexagon69"}, "did you mean 'hexagon690'"},
        {"targets", {"pixel6-cpu", "pixel6-cpu"}, "/objectives/0/targets/1"},
        {"targets", {"pixel6-cpu"}, "/objectives/0/targets"},
        {"combine", "wurst", "did you mean 'worst'"},
        {"weights", {1, 2, 3}, "/objectives/0/weights"},
        {"weights", {1, -2}, "/objectives/0/weights"},
        {"relative_to", "mobilenet_v22", "did you mean 'mobilenet_v2'"},
        {"target", "pixel6-cpu", "/objectives/0/target"},
        {"metric", "peak_bytes", "/objectives/0/targets"},
        {"sense", "maximise", "/objectives/0/sense"},
    };
    for (const auto &bad : cases) {
        Json combination = mean_ratio();
        combination["targets"] = {devices[0], devices[2]};
        combination[bad.key] = bad.value;
        try {
            space_of(combined_space(5, combination));
            ADD_FAILURE() << bad.key << " " << bad.value << " was accepted";
        } catch (const UserError &e) {
            EXPECT_NE(std::string(e.what()).find(bad.message), std::string::npos) << e.what();
        }
    }
    Json refused = combined_space(5, mean_ratio());
    refused["targets"][1] = "coral-usb";
    refused["objectives"][0]["targets"][1] = "coral-usb";
    refused["objectives"][0]["relative_to"] = "mobilenet_v4_hybrid_medium";
    try {
        space_of(refused);
        ADD_FAILURE() << "a network that a target refuses was accepted";
    } catch (const UserError &e) {
        EXPECT_NE(std::string(e.what()).find("coral-usb cannot run it"), std::string::npos)
            << e.what();
    }
    Json twice = combined_space(8, mean_ratio());
    twice["objectives"].push_back(mean_ratio());
    twice["objectives"].back()["weights"] = {3, 1};
    try {
        space_of(twice);
        ADD_FAILURE() << "two objectives of one name were accepted";
    } catch (const UserError &e) {
        EXPECT_NE(std::string(e.what()).find("does not tell \"weights\""), std::string::npos)
            << e.what();
    }
    Json alone = {{"metric", "latency_ms"}, {"target", devices[0]}, {"combine", "worst"}};
    EXPECT_THROW(space_of(combined_space(6, alone)), UserError);
    Json least = worst_latency();
    least["at_least"] = 1;
    Json json = combined_space(7, worst_latency());
    json["constraints"] = Json::array({least});
    EXPECT_THROW(space_of(json), UserError);
}

} // namespace
} // namespace edgefront
