// Published latencies: data/published/latency.csv, whose header is `latency_columns()`. `calibrate`
// rows may be fitted, `validate` rows may only be reported.
#pragma once

#include "base/units.h"
#include "dsl/tensor.h"

#include <filesystem>
#include <string>
#include <vector>

namespace edgefront {

enum class Split { calibrate, validate };
std::string to_string(Split split);
/// "calibrate", "validate", in enum order.
const std::vector<std::string> &split_names();

struct LatencyRow {
    std::string target;  ///< as data/targets/ names it
    std::string network; ///< as the zoo names it, or will
    double width = 1;
    int resolution = 0;
    DataType precision = DataType::fp32;
    int threads = 1;
    Seconds latency; ///< of one inference, batch 1
    Split split = Split::calibrate;
    std::string device;
    std::string processor;
    std::string engine; ///< what ran the network; numbers of different engines do not mix
    std::string source;
};

const std::vector<std::string> &latency_columns();

/// In the order of the file. Throws UserError naming the line of a bad cell.
std::vector<LatencyRow> read_latency_rows(const std::filesystem::path &path);
/// Of the project's own table.
std::vector<LatencyRow> read_latency_rows();

} // namespace edgefront
