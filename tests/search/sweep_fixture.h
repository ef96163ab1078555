// For tests that run sweeps.
#pragma once

#include "base/files.h"
#include "search/sweep.h"
#include "tests/search/spaces.h"

#include <gtest/gtest.h>

#include <string>

namespace edgefront {

namespace fs = std::filesystem;

/// A folder of its own for each test, gone afterwards.
class SweepFixture : public ::testing::Test {
protected:
    RunConfig config(const DesignSpace &space, const SweepRequest &request = {}) const {
        return resolve(space, price_targets(space), request, "0.0.test");
    }
    SweepOutcome run(const RunConfig &config, const std::string &folder,
                     const SweepHooks &hooks = {}) const {
        return run_sweep(config, root_ / folder, zoo_, hooks);
    }
    std::string file(const std::string &path) const { return read_file(root_ / path); }

    /// Runs in pieces: the sweep is stopped before every `steps`-th step and called again.
    SweepOutcome run_in_pieces(const RunConfig &config, const std::string &folder, int steps,
                               int &pieces) const {
        for (pieces = 1;; pieces++) {
            int count = 0;
            SweepHooks hooks;
            hooks.stop = [&] { return count++ == steps; };
            SweepOutcome outcome = run(config, folder, hooks);
            if (outcome.end != SweepEnd::interrupted) {
                return outcome;
            }
            EXPECT_FALSE(read_run(root_ / folder).finished);
        }
    }

    RunResult result_of(const DesignSpace &space, const SweepRequest &request,
                        const std::string &folder) const {
        return run(config(space, request), folder).result;
    }

    Zoo zoo_;
    TemporaryFolder temporary_{::testing::TempDir() + "edgefront-sweep"};
    const fs::path &root_ = temporary_.path();
};

inline SweepRequest nsga2(std::int64_t generations, int population = 40) {
    SweepRequest request;
    request.strategy = "nsga2";
    request.generations = generations;
    request.population = population;
    return request;
}

} // namespace edgefront
