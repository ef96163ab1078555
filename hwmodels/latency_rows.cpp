#include "hwmodels/latency_rows.h"

#include "base/csv.h"
#include "dsl/zoo.h"

namespace edgefront {

const std::vector<std::string> &split_names() {
    static const std::vector<std::string> names = {"calibrate", "validate"};
    return names;
}

std::string to_string(Split split) {
    return split_names()[static_cast<std::size_t>(split)];
}

const std::vector<std::string> &latency_columns() {
    static const std::vector<std::string> columns = {
        "target",     "network", "width",  "resolution", "precision", "threads",
        "latency_ms", "split",   "device", "processor",  "engine",    "source"};
    return columns;
}

std::vector<LatencyRow> read_latency_rows(const std::filesystem::path &path) {
    const std::vector<DataType> precisions = {DataType::fp32, DataType::fp16, DataType::int8};
    std::vector<std::string> precision_names;
    for (const DataType type : precisions) {
        precision_names.push_back(to_string(type));
    }
    const CsvTable table = read_csv(path, latency_columns());
    std::vector<LatencyRow> rows;
    for (const CsvRow &line : table.rows()) {
        LatencyRow row;
        row.target = line.text("target");
        row.network = line.text("network");
        row.width = line.number("width", 0.01, 100);
        row.resolution = static_cast<int>(line.integer("resolution", 1, 4096));
        row.precision = precisions[line.one_of("precision", precision_names)];
        row.threads = static_cast<int>(line.integer("threads", 1, 1024));
        row.latency = Seconds(line.number("latency_ms", 1e-6, 1e7) * 1e-3);
        row.split = static_cast<Split>(line.one_of("split", split_names()));
        row.device = line.text("device");
        row.processor = line.text("processor");
        row.engine = line.text("engine");
        row.source = line.text("source");
        rows.push_back(std::move(row));
    }
    return rows;
}

std::vector<LatencyRow> read_latency_rows() {
    return read_latency_rows(data_directory() / "published" / "latency.csv");
}

} // namespace edgefront
