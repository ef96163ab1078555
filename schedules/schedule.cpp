#include "schedules/schedule.h"

#include "base/error.h"

#include <charconv>
#include <sstream>

namespace edgefront {

namespace {

constexpr int most = 1 << 20;

struct IntKnob {
    const char *name;
    int Schedule::*value;
};

constexpr IntKnob int_knobs[] = {
    {"lanes", &Schedule::lanes}, {"vectors", &Schedule::vectors}, {"pixels", &Schedule::pixels},
    {"rows", &Schedule::rows},   {"unroll", &Schedule::unroll},
};

const std::vector<std::string> order_names = {"pixels_outer", "channels_outer"};
const std::vector<std::string> parallel_names = {"none", "rows", "channels"};

std::vector<std::string> knob_names() {
    std::vector<std::string> names;
    for (const IntKnob &knob : int_knobs) {
        names.emplace_back(knob.name);
    }
    names.insert(names.end(), {"order", "parallel", "block", "prefetch", "depth"});
    return names;
}

UserError bad(const std::string &line, const std::string &what) {
    return UserError("schedule \"" + line + "\": " + what);
}

std::size_t parse_name(const std::string &line, const std::string &knob, const std::string &value,
                       const std::vector<std::string> &names) {
    for (std::size_t i = 0; i < names.size(); i++) {
        if (names[i] == value) {
            return i;
        }
    }
    throw bad(line, knob + " is '" + value + "', expected one of " + join(names) +
                        did_you_mean(value, names));
}

int parse_int(const std::string &line, const std::string &knob, const std::string &value,
              int least = 1) {
    int number = 0;
    const char *end = value.data() + value.size();
    const auto [stop, status] = std::from_chars(value.data(), end, number);
    if (status != std::errc() || stop != end || number < least || number > most) {
        throw bad(line, knob + " is '" + value + "', expected an integer from " +
                            std::to_string(least) + " to " + std::to_string(most));
    }
    return number;
}

} // namespace

bool Schedule::operator==(const Schedule &o) const {
    for (const IntKnob &knob : int_knobs) {
        if (this->*knob.value != o.*knob.value) {
            return false;
        }
    }
    return order == o.order && parallel == o.parallel && block == o.block &&
           prefetch == o.prefetch && depth == o.depth;
}

std::string to_string(const Schedule &schedule) {
    std::string line = "tile";
    for (const IntKnob &knob : int_knobs) {
        line += std::string(" ") + knob.name + "=" + std::to_string(schedule.*knob.value);
    }
    line += " order=" + order_names[static_cast<std::size_t>(schedule.order)];
    line += " parallel=" + parallel_names[static_cast<std::size_t>(schedule.parallel)];
    line += schedule.block > 1 ? " block=" + std::to_string(schedule.block) : "";
    line += schedule.prefetch > 0 ? " prefetch=" + std::to_string(schedule.prefetch) : "";
    line += schedule.depth > 0 ? " depth=" + std::to_string(schedule.depth) : "";
    return line;
}

Schedule parse_schedule(const std::string &text) {
    std::istringstream words(text);
    std::string word;
    if (!(words >> word) || word != "tile") {
        throw bad(text, "expected \"tile knob=value ...\"");
    }
    Schedule schedule;
    std::vector<std::string> seen;
    while (words >> word) {
        const std::size_t equals = word.find('=');
        if (equals == std::string::npos) {
            throw bad(text, "'" + word + "' is no knob=value");
        }
        const std::string name = word.substr(0, equals);
        const std::string value = word.substr(equals + 1);
        for (const std::string &earlier : seen) {
            if (earlier == name) {
                throw bad(text, "knob '" + name + "' is given twice");
            }
        }
        seen.push_back(name);
        if (name == "order") {
            schedule.order = static_cast<LoopOrder>(parse_name(text, name, value, order_names));
        } else if (name == "parallel") {
            schedule.parallel =
                static_cast<ParallelOver>(parse_name(text, name, value, parallel_names));
        } else if (name == "block") {
            schedule.block = parse_int(text, name, value);
        } else if (name == "prefetch") {
            schedule.prefetch = parse_int(text, name, value, 0);
        } else if (name == "depth") {
            schedule.depth = parse_int(text, name, value, 0);
        } else {
            const IntKnob *found = nullptr;
            for (const IntKnob &knob : int_knobs) {
                if (name == knob.name) {
                    found = &knob;
                }
            }
            if (found == nullptr) {
                throw bad(text, "unknown knob '" + name + "', expected one of " +
                                    join(knob_names()) + did_you_mean(name, knob_names()));
            }
            schedule.*found->value = parse_int(text, name, value);
        }
    }
    return schedule;
}

} // namespace edgefront
