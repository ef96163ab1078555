// Where a space's top-1 accuracies come from: its key "accuracy", or the command line's options.
// Part of run.json, so that a run can be repeated; what does the work is in accuracy.h.
#pragma once

#include "base/json_reader.h"
#include "hwmodels/cost.h"

#include <string>
#include <vector>

namespace edgefront {

struct AccuracySpec {
    enum class Source {
        anchored, ///< between the published widths and resolutions of one family
        csv,      ///< the user's table
        command,  ///< the user's program, once per network
    };

    Source source = Source::anchored;
    std::string family;   ///< anchored
    std::string recipe;   ///< anchored: of data/published/accuracy.csv
    std::string file;     ///< csv, from where the program is started
    std::string command;  ///< command: for /bin/sh; {network} is the file of the network
    int timeout_s = 3600; ///< command: an evaluation that takes longer is a failure
    bool model = false;   ///< csv, command: networks without a value get a predicted one
    int samples = 50;     ///< command with model: networks that it is fitted to
    /// anchored, csv: of the values, so that a repeated run cannot silently use others; empty where
    /// a space has not been resolved.
    std::string hash;
};

/// "anchored", "csv", "command", in enum order.
const std::vector<std::string> &accuracy_source_names();

/// What can refuse a candidate, one name per reason: "top1: the command ends well".
std::vector<std::string> accuracy_rules(const AccuracySpec &spec);
/// `fitted` where values are predicted, else what the user gave.
CostKind kind_of(const AccuracySpec &spec);

AccuracySpec read_accuracy_spec(const JsonReader &json);
Json write_accuracy_spec(const AccuracySpec &spec);

/// The anchored source that "FAMILY" or "FAMILY:RECIPE" asks for; without a recipe the family's
/// only one. Throws UserError with the known ones.
AccuracySpec anchored_spec(const std::string &text);
/// Throws UserError unless {network} stands in the command.
void check_accuracy_command(const std::string &command);

} // namespace edgefront
