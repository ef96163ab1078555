// The options that name a source of accuracies (search/accuracy_spec.h), and how it works.
#pragma once

#include "search/accuracy.h"

#include <CLI/CLI.hpp>

#include <optional>
#include <string>
#include <vector>

namespace edgefront {

struct AccuracyOptions {
    std::string anchored; ///< "FAMILY" or "FAMILY:RECIPE"
    std::string csv;
    std::string command;
    bool model = false;
    std::optional<int> samples;
    std::optional<int> timeout_s;
    AccuracyHooks hooks; ///< jobs, cache, retry

    void add_to(CLI::App &command);
    /// Whether a source or something of it is asked for.
    bool given() const;
    /// Whether something is asked for about how commands run.
    bool about_commands() const;
    /// Throws UserError for options about commands when this source runs none.
    void require_used(const std::optional<AccuracySpec> &source) const;
    /// The source asked for. Throws UserError where none is, or options do not fit it.
    AccuracySpec spec(const std::optional<AccuracySpec> &own = {}) const;
    /// That, instead of the space's own. Where the space does not ask for top1,
    /// top1 takes the place of the capacity axes; returns the names of those it replaced. Throws
    /// UserError for options that do not fit the source.
    std::vector<std::string> apply(DesignSpace &space) const;

private:
    std::vector<const CLI::Option *> about_commands_;
};

} // namespace edgefront
