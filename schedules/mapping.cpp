#include "schedules/mapping.h"

#include "base/error.h"

#include <algorithm>
#include <charconv>
#include <sstream>

namespace edgefront {

namespace {

constexpr std::int64_t most = std::int64_t{1} << 40; // elements of a tensor (dsl/layer.cpp)

const std::vector<std::string> loop_names = {"rows", "columns", "channels", "reduction"};
const std::vector<std::string> knob_names = {"dataflow", "array", "groups",  "arrays", "preload",
                                             "tile",     "order", "buffers", "vector"};

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

/// Reads one line; every error names it.
class Parser {
public:
    explicit Parser(const std::string &line) : line_(line) {}

    Mapping parse() const {
        std::istringstream words(line_);
        std::string word;
        if (!(words >> word) || word != "map") {
            throw bad("expected \"map knob=value ...\"");
        }
        Mapping m;
        std::vector<std::string> seen;
        while (words >> word) {
            const std::size_t equals = word.find('=');
            if (equals == std::string::npos) {
                throw bad("'" + word + "' is no knob=value");
            }
            const std::string knob = word.substr(0, equals);
            if (std::find(seen.begin(), seen.end(), knob) != seen.end()) {
                throw bad("knob '" + knob + "' is given twice");
            }
            seen.push_back(knob);
            set(m, knob, word.substr(equals + 1));
        }
        return m;
    }

private:
    UserError bad(const std::string &what) const {
        return UserError("mapping \"" + line_ + "\": " + what);
    }

    std::size_t name(const std::string &knob, const std::string &value,
                     const std::vector<std::string> &names) const {
        const auto it = std::find(names.begin(), names.end(), value);
        if (it == names.end()) {
            throw bad(knob + " has '" + value + "', expected one of " + join(names) +
                      did_you_mean(value, names));
        }
        return static_cast<std::size_t>(it - names.begin());
    }

    std::int64_t number(const std::string &knob, const std::string &value, std::int64_t least,
                        std::int64_t largest) const {
        std::int64_t n = 0;
        const char *end = value.data() + value.size();
        const auto [stop, status] = std::from_chars(value.data(), end, n);
        if (status != std::errc() || stop != end || n < least || n > largest) {
            throw bad(knob + " has '" + value + "', expected an integer from " +
                      std::to_string(least) + " to " + std::to_string(largest));
        }
        return n;
    }

    std::vector<std::int64_t> extents(const std::string &knob, const std::string &value,
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

    void set(Mapping &m, const std::string &knob, const std::string &value) const {
        if (knob == "dataflow") {
            m.dataflow = static_cast<Dataflow>(name(knob, value, dataflow_names()));
        } else if (knob == "array") {
            const auto n = extents(knob, value, 2, widest_array);
            m.array_rows = static_cast<int>(n[0]);
            m.array_columns = static_cast<int>(n[1]);
        } else if (knob == "groups") {
            m.groups_at_once = static_cast<int>(number(knob, value, 1, widest_array));
        } else if (knob == "arrays") {
            const auto n = extents(knob, value, 2, widest_array);
            m.pixel_arrays = static_cast<int>(n[0]);
            m.channel_arrays = static_cast<int>(n[1]);
        } else if (knob == "preload") {
            m.preload = number(knob, value, 0, 1) == 1;
        } else if (knob == "tile") {
            const auto n = extents(knob, value, 5, most);
            m.tile = {n[0], n[1], n[2], n[3], n[4]};
        } else if (knob == "order") {
            m.order = order(value);
        } else if (knob == "buffers") {
            m.double_buffered = number(knob, value, 1, 2) == 2;
        } else if (knob == "vector") {
            const auto n = extents(knob, value, 2, widest_array);
            m.vector_channels = static_cast<int>(n[0]);
            m.vector_pixels = static_cast<int>(n[1]);
        } else {
            throw bad("unknown knob '" + knob + "', expected one of " + join(knob_names) +
                      did_you_mean(knob, knob_names));
        }
    }

    LoopOrderOfTiles order(const std::string &value) const {
        const std::vector<std::string> parts = split(value, ',');
        LoopOrderOfTiles loops{};
        for (std::size_t i = 0; i < std::min(parts.size(), loops.size()); i++) {
            loops[i] = static_cast<Loop>(name("order", parts[i], loop_names));
        }
        const auto &all = loop_orders();
        if (parts.size() != loops.size() || std::find(all.begin(), all.end(), loops) == all.end()) {
            throw bad("order has '" + value + "', expected each of " + join(loop_names) +
                      " once, outermost first");
        }
        return loops;
    }

    const std::string &line_;
};

} // namespace

const std::vector<std::string> &dataflow_names() {
    static const std::vector<std::string> names = {"ws", "os", "is"};
    return names;
}

const std::vector<LoopOrderOfTiles> &loop_orders() {
    static const std::vector<LoopOrderOfTiles> all = [] {
        std::vector<LoopOrderOfTiles> orders;
        LoopOrderOfTiles order = {Loop::rows, Loop::columns, Loop::channels, Loop::reduction};
        do {
            orders.push_back(order);
        } while (std::next_permutation(order.begin(), order.end()));
        return orders;
    }();
    return all;
}

bool Mapping::operator==(const Mapping &o) const {
    return dataflow == o.dataflow && array_rows == o.array_rows &&
           array_columns == o.array_columns && groups_at_once == o.groups_at_once &&
           pixel_arrays == o.pixel_arrays && channel_arrays == o.channel_arrays &&
           preload == o.preload && tile == o.tile && order == o.order &&
           double_buffered == o.double_buffered && vector_channels == o.vector_channels &&
           vector_pixels == o.vector_pixels;
}

std::string to_string(const Mapping &m) {
    std::ostringstream line;
    line << "map dataflow=" << dataflow_names()[static_cast<std::size_t>(m.dataflow)]
         << " array=" << m.array_rows << 'x' << m.array_columns << " groups=" << m.groups_at_once
         << " arrays=" << m.pixel_arrays << 'x' << m.channel_arrays << " preload=" << m.preload
         << " tile=" << m.tile.groups << 'x' << m.tile.rows << 'x' << m.tile.columns << 'x'
         << m.tile.channels << 'x' << m.tile.reduction << " order=";
    for (std::size_t i = 0; i < m.order.size(); i++) {
        line << (i > 0 ? "," : "") << loop_names[static_cast<std::size_t>(m.order[i])];
    }
    line << " buffers=" << (m.double_buffered ? 2 : 1);
    if (m.vector_channels > 1 || m.vector_pixels > 1) {
        line << " vector=" << m.vector_channels << 'x' << m.vector_pixels;
    }
    return line.str();
}

Mapping parse_mapping(const std::string &text) {
    return Parser(text).parse();
}

} // namespace edgefront
