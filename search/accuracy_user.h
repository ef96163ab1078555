// What the users' own tables and programs have in common: values by network and, when asked for, a
// model for the networks that have none.
#pragma once

#include "search/accuracy.h"
#include "search/accuracy_model.h"

#include <map>

namespace edgefront {

class UserAccuracy : public AccuracySource {
public:
    UserAccuracy(const DesignSpace &space, const CostTables &tables, std::uint64_t seed)
        : space_(space), tables_(tables), seed_(seed) {}

    std::vector<Top1> top1(const std::vector<Choices> &candidates) override;
    AccuracySummary summary(const std::vector<Member> &members) const override;

protected:
    /// The answer for a network that has no value (no refusal: it has one). Only asked without a
    /// model.
    virtual std::vector<Top1> missing(const std::vector<Choices> &candidates) = 0;
    /// "csv: 120 networks of acc.csv"
    virtual std::string source() const = 0;
    /// Fits the model to all values; throws UserError when it does not rank.
    void fit(const std::string &name);

    const DesignSpace &space_;
    const CostTables &tables_;
    std::uint64_t seed_;
    std::map<Choices, double> values_; ///< percent

private:
    std::optional<AccuracyModel> model_;
};

/// A table (spec.file): its values are read and checked at once.
std::unique_ptr<AccuracySource> make_accuracy_table(const DesignSpace &space,
                                                    const CostTables &tables, std::uint64_t seed);
/// A program (spec.command).
std::unique_ptr<AccuracySource> make_accuracy_command(const DesignSpace &space,
                                                      const CostTables &tables, std::uint64_t seed,
                                                      const AccuracyHooks &hooks);

} // namespace edgefront
