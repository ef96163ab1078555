// Two simple formulas that a model has to beat, fitted on the `calibrate` rows of the same target,
// precision and number of threads: another setting is another machine.
#pragma once

#include "dsl/layer.h"
#include "dsl/network.h"
#include "hwmodels/latency_rows.h"

#include <optional>
#include <vector>

namespace edgefront {

/// What the formulas know of a network.
struct BaselineFeatures {
    double macs = 0;
    double activation_bytes = 0; ///< every layer's inputs and outputs
};
/// In the precision of the network's layers.
BaselineFeatures baseline_features(const Network &network);

struct BaselineRow {
    LatencyRow published;
    BaselineFeatures features;
};

struct BaselinePrediction {
    /// a * MACs; nothing when the setting has no calibrate row.
    std::optional<Seconds> macs;
    /// a + b * MACs + c * activation bytes; `macs` where there are no more rows than numbers.
    std::optional<Seconds> linear3;
    bool linear3_falls_back = false;
};

/// Least squares weighted by 1 / latency, so that relative errors count alike. One prediction for
/// each of the rows, fitted on those of them that may be fitted.
std::vector<BaselinePrediction> predict_baselines(const std::vector<BaselineRow> &rows);

} // namespace edgefront
