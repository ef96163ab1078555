#include "reports/latency_baselines.h"

#include "search/statistics.h"

#include <map>
#include <tuple>

namespace edgefront {

namespace {

using Setting = std::tuple<std::string, DataType, int>;
using Numbers = std::vector<double>;

Setting setting(const LatencyRow &row) {
    return {row.target, row.precision, row.threads};
}

Numbers macs_terms(const BaselineFeatures &f) {
    return {f.macs};
}
Numbers linear3_terms(const BaselineFeatures &f) {
    return {1, f.macs, f.activation_bytes};
}

Numbers fit(const std::vector<const BaselineRow *> &rows,
            Numbers (*terms)(const BaselineFeatures &)) {
    std::vector<Numbers> equations;
    for (const BaselineRow *row : rows) {
        equations.push_back(terms(row->features));
        for (double &term : equations.back()) {
            term /= row->published.latency.count();
        }
    }
    return least_squares(equations, Numbers(equations.size(), 1.0));
}

Seconds value(const Numbers &coefficients, const Numbers &terms) {
    double seconds = 0;
    for (std::size_t i = 0; i < terms.size(); i++) {
        seconds += coefficients[i] * terms[i];
    }
    return Seconds(seconds);
}

} // namespace

BaselineFeatures baseline_features(const Network &network) {
    BaselineFeatures f;
    for (const Node &node : network.nodes) {
        const Layer &l = node.layer;
        f.macs += static_cast<double>(macs(l).count());
        f.activation_bytes += static_cast<double>((input_bytes(l) + output_bytes(l)).count());
    }
    return f;
}

std::vector<BaselinePrediction> predict_baselines(const std::vector<BaselineRow> &rows) {
    std::map<Setting, std::vector<const BaselineRow *>> calibrate;
    for (const BaselineRow &row : rows) {
        if (row.published.split == Split::calibrate) {
            calibrate[setting(row.published)].push_back(&row);
        }
    }
    std::vector<BaselinePrediction> predictions(rows.size());
    for (const auto &[where, fitted] : calibrate) {
        const Numbers macs_fit = fit(fitted, macs_terms);
        std::optional<Numbers> linear3_fit;
        if (fitted.size() > linear3_terms({}).size()) {
            linear3_fit = fit(fitted, linear3_terms);
        }
        for (std::size_t i = 0; i < rows.size(); i++) {
            if (setting(rows[i].published) != where) {
                continue;
            }
            const BaselineFeatures &f = rows[i].features;
            BaselinePrediction &p = predictions[i];
            p.macs = value(macs_fit, macs_terms(f));
            p.linear3 = linear3_fit ? value(*linear3_fit, linear3_terms(f)) : p.macs;
            p.linear3_falls_back = !linear3_fit;
        }
    }
    return predictions;
}

} // namespace edgefront
