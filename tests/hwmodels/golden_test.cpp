// The price of every network of the zoo on every target, kept as one small file each under
// tests/golden/TARGET/. After a change that is meant to move prices, rewrite them all with
//
//   EDGEFRONT_REWRITE_GOLDEN=1 build/dev/tests/test_hwmodels --gtest_filter=Golden.*
//
// and read the difference before committing it.
#include "base/files.h"
#include "dsl/zoo.h"
#include "hwmodels/cost_model.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

namespace edgefront {
namespace {

Json totals_json(const CostModel &model, const Network &network) {
    const Workload w = workload_for(model.target());
    const Estimate e = estimate(model, network, w);
    Json json = {{"network", network.name},
                 {"target", model.target().name},
                 {"precision", to_string(w.precision)},
                 {"threads", w.threads}};
    if (!e.supported()) {
        json["unsupported"] = e.unsupported.size();
        json["first_unsupported"] = e.unsupported.front();
        return json;
    }
    json["latency_ms"] = milliseconds(e.total.latency);
    json["energy_mj"] = millijoules(e.total.energy);
    json["utilisation"] = e.total.utilisation;
    json["bound_by"] = to_string(e.total.bound_by);
    json["peak_bytes"] = e.peak.count();
    json["weight_bytes"] = e.weights.count();
    for (const LevelTraffic &t : e.total.traffic) {
        json["bytes"][t.level] = t.bytes.count();
    }
    return json;
}

/// Equal but for the last digits of numbers that are no integers.
void expect_same(const Json &now, const Json &then, const std::string &file) {
    ASSERT_EQ(now.size(), then.size()) << file;
    for (const auto &item : now.items()) {
        ASSERT_TRUE(then.contains(item.key())) << file << " " << item.key();
        const Json &old = then[item.key()];
        if (item.value().is_number_float()) {
            EXPECT_NEAR(item.value().get<double>(), old.get<double>(),
                        1e-9 * std::abs(old.get<double>()))
                << file << " " << item.key();
        } else {
            EXPECT_EQ(item.value(), old) << file << " " << item.key();
        }
    }
}

TEST(Golden, PricesOfTheZooHaveNotMoved) {
    const bool rewrite = std::getenv("EDGEFRONT_REWRITE_GOLDEN") != nullptr;
    const std::filesystem::path root = EDGEFRONT_ROOT "/tests/golden";
    const Zoo zoo;
    for (const auto &[name, target] : read_targets()) {
        const auto model = make_cost_model(target);
        if (rewrite) {
            make_directory(root / name);
        }
        for (const auto &entry : zoo.families()) {
            const auto file = root / name / (entry.first + ".json");
            const Json now = totals_json(*model, build(entry.second));
            if (rewrite) {
                write_file(file, now.dump(2) + "\n");
                continue;
            }
            ASSERT_TRUE(std::filesystem::exists(file))
                << file << " is missing; rewrite the golden files (see golden_test.cpp)";
            expect_same(now, JsonReader::parse_file(file).value(), file.string());
        }
    }
}

} // namespace
} // namespace edgefront
