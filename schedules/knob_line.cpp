#include "schedules/knob_line.h"

#include <algorithm>
#include <charconv>
#include <sstream>

namespace edgefront {

std::vector<std::string> split(const std::string &text, char separator) {
    std::vector<std::string> parts(1);
    for (const char c : text) {
        if (c == separator) {
            parts.emplace_back();
        } else {
            parts.back() += c;
        }
    }
    return parts;
}

void KnobLine::read(
    const std::string &word,
    const std::function<void(const std::string &, const std::string &)> &set) const {
    std::istringstream words(line_);
    std::string next;
    if (!(words >> next) || next != word) {
        throw bad("expected \"" + word + " knob=value ...\"");
    }
    std::vector<std::string> seen;
    while (words >> next) {
        const std::size_t equals = next.find('=');
        if (equals == std::string::npos) {
            throw bad("'" + next + "' is no knob=value");
        }
        const std::string knob = next.substr(0, equals);
        if (std::find(seen.begin(), seen.end(), knob) != seen.end()) {
            throw bad("knob '" + knob + "' is given twice");
        }
        seen.push_back(knob);
        set(knob, next.substr(equals + 1));
    }
}

UserError KnobLine::unknown(const std::string &knob, const std::vector<std::string> &knobs) const {
    return bad("unknown knob '" + knob + "', expected one of " + join(knobs) +
               did_you_mean(knob, knobs));
}

std::size_t KnobLine::name(const std::string &knob, const std::string &value,
                           const std::vector<std::string> &names) const {
    const auto it = std::find(names.begin(), names.end(), value);
    if (it == names.end()) {
        throw bad(knob + " has '" + value + "', expected one of " + join(names) +
                  did_you_mean(value, names));
    }
    return static_cast<std::size_t>(it - names.begin());
}

std::int64_t KnobLine::number(const std::string &knob, const std::string &value, std::int64_t least,
                              std::int64_t largest) const {
    std::int64_t n = 0;
    const char *end = value.data() + value.size();
    const auto [stop, status] = std::from_chars(value.data(), end, n);
    if (status != std::errc() || stop != end || n < least || n > largest) {
        throw bad(knob + " has '" + value + "', expected an integer from " + std::to_string(least) +
                  " to " + std::to_string(largest));
    }
    return n;
}

std::vector<std::int64_t> KnobLine::extents(const std::string &knob, const std::string &value,
                                            std::size_t count, std::int64_t largest) const {
    const std::vector<std::string> parts = split(value, 'x');
    if (parts.size() != count) {
        throw bad(knob + " has '" + value + "', expected " + std::to_string(count) +
                  " numbers with x between them");
    }
    std::vector<std::int64_t> numbers;
    for (const std::string &part : parts) {
        numbers.push_back(number(knob, part, 1, largest));
    }
    return numbers;
}

} // namespace edgefront
