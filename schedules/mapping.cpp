#include "schedules/mapping.h"

#include "schedules/knob_line.h"

#include <algorithm>
#include <sstream>

namespace edgefront {

namespace {

constexpr std::int64_t most = std::int64_t{1} << 40; // elements of a tensor (dsl/layer.cpp)

const std::vector<std::string> loop_names = {"rows", "columns", "channels", "reduction"};
const std::vector<std::string> knob_names = {"dataflow", "array", "groups",  "arrays", "preload",
                                             "tile",     "order", "buffers", "vector"};

LoopOrderOfTiles parse_order(const KnobLine &line, const std::string &value) {
    const std::vector<std::string> parts = split(value, ',');
    LoopOrderOfTiles loops{};
    for (std::size_t i = 0; i < std::min(parts.size(), loops.size()); i++) {
        loops[i] = static_cast<Loop>(line.name("order", parts[i], loop_names));
    }
    const auto &all = loop_orders();
    if (parts.size() != loops.size() || std::find(all.begin(), all.end(), loops) == all.end()) {
        throw line.bad("order has '" + value + "', expected each of " + join(loop_names) +
                       " once, outermost first");
    }
    return loops;
}

void set(Mapping &m, const KnobLine &line, const std::string &knob, const std::string &value) {
    if (knob == "dataflow") {
        m.dataflow = static_cast<Dataflow>(line.name(knob, value, dataflow_names()));
    } else if (knob == "array") {
        const auto n = line.extents(knob, value, 2, widest_array);
        m.array_rows = static_cast<int>(n[0]);
        m.array_columns = static_cast<int>(n[1]);
    } else if (knob == "groups") {
        m.groups_at_once = static_cast<int>(line.number(knob, value, 1, widest_array));
    } else if (knob == "arrays") {
        const auto n = line.extents(knob, value, 2, widest_array);
        m.pixel_arrays = static_cast<int>(n[0]);
        m.channel_arrays = static_cast<int>(n[1]);
    } else if (knob == "preload") {
        m.preload = line.number(knob, value, 0, 1) == 1;
    } else if (knob == "tile") {
        const auto n = line.extents(knob, value, 5, most);
        m.tile = {n[0], n[1], n[2], n[3], n[4]};
    } else if (knob == "order") {
        m.order = parse_order(line, value);
    } else if (knob == "buffers") {
        m.double_buffered = line.number(knob, value, 1, 2) == 2;
    } else if (knob == "vector") {
        const auto n = line.extents(knob, value, 2, widest_array);
        m.vector_channels = static_cast<int>(n[0]);
        m.vector_pixels = static_cast<int>(n[1]);
    } else {
        throw line.unknown(knob, knob_names);
    }
}

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

std::string array_text(const Mapping &m) {
    std::ostringstream line;
    line << "map dataflow=" << dataflow_names()[static_cast<std::size_t>(m.dataflow)]
         << " array=" << m.array_rows << 'x' << m.array_columns << " groups=" << m.groups_at_once
         << " arrays=" << m.pixel_arrays << 'x' << m.channel_arrays << " preload=" << m.preload;
    return line.str();
}

std::string to_string(const Mapping &m) {
    std::ostringstream line;
    line << array_text(m) << " tile=" << m.tile.groups << 'x' << m.tile.rows << 'x'
         << m.tile.columns << 'x' << m.tile.channels << 'x' << m.tile.reduction << " order=";
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
    const KnobLine line("mapping", text);
    Mapping m;
    line.read("map", [&](const std::string &knob, const std::string &value) {
        set(m, line, knob, value);
    });
    return m;
}

} // namespace edgefront
