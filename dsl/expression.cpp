#include "dsl/expression.h"

#include "base/error.h"
#include "dsl/family.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <muParser.h>
#include <vector>

namespace edgefront {

namespace {

using Number = mu::value_type;

/// Beyond this no number of channels makes sense, and an int could not hold the steps on the way.
constexpr double most_channels = 1e8;

Number call_scale(void *scale, Number channels) {
    if (!(std::abs(channels) <= most_channels)) {
        return NAN;
    }
    return (*static_cast<std::function<double(double)> *>(scale))(channels);
}

Number divisible(Number value, Number divisor) {
    if (!(std::abs(value) <= most_channels && divisor <= most_channels)) {
        return NAN;
    }
    const int step = static_cast<int>(divisor);
    return step < 1 ? NAN : make_divisible(value, step, step);
}

Number rounded_down(Number v) {
    return std::floor(v);
}
Number rounded_up(Number v) {
    return std::ceil(v);
}
Number rounded(Number v) {
    return std::round(v);
}

Number least(const Number *values, int count) {
    return *std::min_element(values, values + count);
}
Number most(const Number *values, int count) {
    return *std::max_element(values, values + count);
}

/// muParser would take "a = 1" for an assignment.
bool assigns(const std::string &text) {
    for (std::size_t i = 0; i < text.size(); i++) {
        const char before = i > 0 ? text[i - 1] : ' ';
        const char after = i + 1 < text.size() ? text[i + 1] : ' ';
        if (text[i] == '=' && after == '=') {
            i++;
        } else if (text[i] == '=' && before != '<' && before != '>' && before != '!') {
            return true;
        }
    }
    return false;
}

Number *make_slot(const char *name, void *slots) {
    return &(*static_cast<Variables *>(slots))[name];
}

} // namespace

struct Expressions::Parsed {
    mu::Parser parser;
    mutable Variables slots; ///< the variables it reads; the parser knows their addresses
};

Expressions::Expressions(std::function<double(double)> scale) : scale_(std::move(scale)) {}
Expressions::~Expressions() = default;

const Expressions::Parsed &Expressions::parsed(const std::string &text) {
    std::unique_ptr<Parsed> &entry = parsed_[text];
    if (!entry) {
        entry = std::make_unique<Parsed>();
        mu::Parser &parser = entry->parser;
        parser.ClearFun();
        parser.ClearConst();
        parser.DefineFunUserData("scale", call_scale, &scale_);
        parser.DefineFun("divisible", divisible);
        parser.DefineFun("floor", rounded_down);
        parser.DefineFun("ceil", rounded_up);
        parser.DefineFun("round", rounded);
        parser.DefineFun("min", least);
        parser.DefineFun("max", most);
        parser.SetVarFactory(make_slot, &entry->slots);
        parser.SetExpr(text);
        parser.GetUsedVar(); // makes the slots
    }
    return *entry;
}

double Expressions::value(const std::string &text, const Variables &known) {
    const auto fail = [&](const std::string &why) {
        return UserError("cannot evaluate \"" + text + "\": " + why);
    };
    if (assigns(text)) {
        throw fail("'=' changes nothing here; '==' compares");
    }
    try {
        const Parsed &expression = parsed(text);
        for (auto &[name, slot] : expression.slots) {
            const auto it = known.find(name);
            if (it == known.end()) {
                std::vector<std::string> names;
                for (const auto &[other, ignored] : known) {
                    names.push_back(other);
                }
                throw fail("unknown variable '" + name + "'" + did_you_mean(name, names) +
                           " (known here: " + join(names) + ")");
            }
            slot = it->second;
        }
        const double value = expression.parser.Eval();
        if (expression.parser.GetNumResults() != 1) {
            throw fail("it has several values");
        }
        if (!std::isfinite(value)) {
            throw fail("it is no finite number");
        }
        return value;
    } catch (const mu::ParserError &e) {
        parsed_.erase(text);
        throw fail(e.GetMsg() + " (functions: scale, divisible, floor, ceil, round, min, max)");
    }
}

} // namespace edgefront
