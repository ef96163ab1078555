// Published accuracies: data/published/accuracy.csv. Accuracy depends on the training recipe by
// several points, so rows are only compared within one recipe.
//
// Columns of the file: network, width and resolution as the zoo names them (the resolution of the
// evaluation); top1_percent and top5_percent on ImageNet-1k; recipe, one name for what was trained
// alike; caveats of that recipe; source.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace edgefront {

/// One published row.
struct AccuracyRow {
    std::string network;
    double width = 1;
    int resolution = 0;
    double top1_percent = 0;
    std::optional<double> top5_percent;
    std::string recipe;
    /// Why the recipe's accuracies are not those of the architecture alone, e.g. "distilled
    /// extra_data"; words of `caveat_names()`, in their order. Empty: trained on ImageNet-1k alone.
    std::string caveats;
    std::string source;
};

/// "quantized", "distilled", "extra_data" (pretrained on, or taught with, more than ImageNet-1k).
const std::vector<std::string> &caveat_names();

/// In the order of the file. Throws UserError naming the line of a bad cell, or of a row whose
/// caveats differ from those of its recipe's other rows.
std::vector<AccuracyRow> read_accuracy_rows(const std::filesystem::path &path);
/// Of the project's own table.
std::vector<AccuracyRow> read_accuracy_rows();

} // namespace edgefront
