#include "hwmodels/target_changes.h"

#include "base/error.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace edgefront {

namespace {

using Changes = std::vector<std::pair<std::string, double>>;

/// A value with the ending `given` is `factor` times as much with the ending `kept`.
struct UnitAlias {
    std::string given;
    std::string kept;
    double factor;
};
const std::vector<UnitAlias> unit_aliases = {
    {"_kib", "_mib", 1.0 / 1024},     {"_mib", "_kib", 1024}, {"_mhz", "_ghz", 1e-3},
    {"_mb_per_s", "_gb_per_s", 1e-3}, {"_ms", "_us", 1e3},    {"_ns", "_us", 1e-3},
};

/// Other words for a quantity, without its unit.
const std::vector<std::pair<std::string, std::string>> word_aliases = {{"sram_", "scratchpad_"},
                                                                       {"sram_", "memory_"}};

/// Two constants in one word: ROWSxCOLUMNS.
constexpr const char *array_word = "array";
constexpr const char *array_keys[] = {"array_rows", "array_columns"};

/// Fills `value`; false when `text` is not a finite number and nothing else.
bool parse(const std::string &text, double &value) {
    const char *end = text.data() + text.size();
    const auto result = std::from_chars(text.data(), end, value);
    return !text.empty() && result.ec == std::errc() && result.ptr == end && std::isfinite(value);
}

/// One --set, read with the constants that the target has.
class Reader {
public:
    explicit Reader(const Target &target) : target_(target) {
        for (const ConstantSpec &spec : constant_specs(target)) {
            keys_.push_back(spec.key);
        }
    }

    void read(const std::string &text) {
        const auto equals = text.find('=');
        if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
            throw UserError("expected KEY=VALUE, found '" + text + "'");
        }
        const std::string key = text.substr(0, equals);
        const std::string value = text.substr(equals + 1);
        if (key == array_word && has(array_keys[0]) && has(array_keys[1])) {
            const auto x = value.find('x');
            if (x == std::string::npos) {
                throw UserError("expected array=ROWSxCOLUMNS, found '" + text + "'");
            }
            add(array_keys[0], number(value.substr(0, x), text));
            add(array_keys[1], number(value.substr(x + 1), text));
            return;
        }
        const auto [known, factor] = resolve(key);
        add(known, number(value, text) * factor);
    }

    const Changes &changes() const { return changes_; }

private:
    bool has(const std::string &key) const {
        return std::find(keys_.begin(), keys_.end(), key) != keys_.end();
    }

    void add(const std::string &key, double value) {
        for (const auto &change : changes_) {
            if (change.first == key) {
                throw UserError(key + " is set twice");
            }
        }
        changes_.emplace_back(key, value);
    }

    static double number(const std::string &text, const std::string &whole) {
        double value = 0;
        if (!parse(text, value)) {
            throw UserError("expected a number, found '" + text + "' in '" + whole + "'");
        }
        return value;
    }

    /// The constant that `key` stands for and what its value is multiplied with.
    std::pair<std::string, double> resolve(const std::string &key) const {
        std::vector<std::string> words = {key};
        for (const auto &[given, kept] : word_aliases) {
            if (key.compare(0, given.size(), given) == 0) {
                words.push_back(kept + key.substr(given.size()));
            }
        }
        for (const std::string &word : words) {
            if (has(word)) {
                return {word, 1};
            }
            for (const UnitAlias &unit : unit_aliases) {
                const std::size_t ending = unit.given.size();
                if (word.size() > ending &&
                    word.compare(word.size() - ending, ending, unit.given) == 0 &&
                    has(word.substr(0, word.size() - ending) + unit.kept)) {
                    return {word.substr(0, word.size() - ending) + unit.kept, unit.factor};
                }
            }
        }
        set_constant(target_, key, 0); // throws: there is no such constant
        return {key, 1};
    }

    const Target &target_;
    std::vector<std::string> keys_;
    Changes changes_;
};

} // namespace

Target with_changes(const Target &target, const std::vector<std::string> &texts) {
    Reader reader(target);
    for (const std::string &text : texts) {
        for (std::size_t begin = 0; begin <= text.size();) {
            const std::size_t comma = std::min(text.find(',', begin), text.size());
            reader.read(text.substr(begin, comma - begin));
            begin = comma + 1;
        }
    }
    return set_constants(target, reader.changes());
}

} // namespace edgefront
