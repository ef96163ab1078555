#include "reports/plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace edgefront {

namespace {

constexpr double margin_left = 64, margin_right = 16, margin_top = 14, margin_bottom = 50;
constexpr double label_height = 15, label_letter = 6.6; // of 11.5 px text

struct Range {
    double low;
    double high;
};

/// Maps values to user units.
class Scale {
public:
    Scale(Range values, double from, double to) : values_(values), from_(from), to_(to) {}
    double operator()(double value) const {
        return from_ + (value - values_.low) / (values_.high - values_.low) * (to_ - from_);
    }

private:
    Range values_;
    double from_, to_;
};

template <typename Get>
Range range_of(const Plot &plot, Get get) {
    Range range = {INFINITY, -INFINITY};
    const auto include = [&](double value) {
        range.low = std::min(range.low, value);
        range.high = std::max(range.high, value);
    };
    for (const auto &point : plot.points) {
        include(get(point));
    }
    for (const auto &mark : plot.marks) {
        include(get(mark));
    }
    return range.low <= range.high ? range : Range{0, 1};
}

/// Room around the outermost points, so that none lies on the frame.
Range with_margin(Range range) {
    const double span = range.high - range.low;
    const double room = span > 0 ? 0.05 * span : std::max(std::abs(range.low) / 2, 0.5);
    return {range.low - room, range.high + room};
}

Ticks ticks_inside(Range range, int count) {
    Ticks ticks = nice_ticks(range.low, range.high, count);
    const auto outside = [&](double value) { return value < range.low || value > range.high; };
    ticks.values.erase(std::remove_if(ticks.values.begin(), ticks.values.end(), outside),
                       ticks.values.end());
    return ticks;
}

/// A rectangle that a label or a mark takes.
struct Box {
    double x, y, width, height;
    bool meets(const Box &o) const {
        return x < o.x + o.width && o.x < x + width && y < o.y + o.height && o.y < y + height;
    }
};

/// Places labels one after another: beside their mark where nothing else is yet.
class Labels {
public:
    explicit Labels(Box area) : area_(area) {}

    void keep_clear(const Box &box) { taken_.push_back(box); }

    /// The left end and baseline of `text` beside (x, y).
    std::array<double, 2> place(double x, double y, const std::string &text) {
        const double width = label_letter * static_cast<double>(text.size());
        constexpr double gap = 10;
        const std::array<Box, 6> candidates = {{
            {x + gap, y - label_height / 2, width, label_height},
            {x - gap - width, y - label_height / 2, width, label_height},
            {x + gap / 2, y - gap - label_height, width, label_height},
            {x + gap / 2, y + gap, width, label_height},
            {x - gap / 2 - width, y - gap - label_height, width, label_height},
            {x - gap / 2 - width, y + gap, width, label_height},
        }};
        const auto free = [&](const Box &box) {
            const bool inside = box.x >= area_.x && box.x + box.width <= area_.x + area_.width &&
                                box.y >= area_.y && box.y + box.height <= area_.y + area_.height;
            return inside && std::none_of(taken_.begin(), taken_.end(),
                                          [&](const Box &other) { return box.meets(other); });
        };
        const auto found = std::find_if(candidates.begin(), candidates.end(), free);
        const Box &box = found != candidates.end() ? *found : candidates.front();
        taken_.push_back(box);
        return {box.x, box.y + label_height - 4};
    }

private:
    Box area_;
    std::vector<Box> taken_;
};

std::string tooltip(const std::string &text) {
    return text.empty() ? "" : "<title>" + escape_xml(text) + "</title>";
}

std::string axes(const Plot &plot, const Ticks &xs, const Ticks &ys, const Scale &x,
                 const Scale &y) {
    const double right = plot.width - margin_right;
    const double bottom = plot.height - margin_bottom;
    std::string svg =
        fmt::format("<rect class=\"frame\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>\n",
                    margin_left, margin_top, right - margin_left, bottom - margin_top);
    for (const double value : xs.values) {
        svg += fmt::format("<line class=\"grid\" x1=\"{0:.1f}\" y1=\"{1}\" x2=\"{0:.1f}\" "
                           "y2=\"{2}\"/><text class=\"tick\" x=\"{0:.1f}\" y=\"{3}\" "
                           "text-anchor=\"middle\">{4:.{5}f}</text>\n",
                           x(value), margin_top, bottom, bottom + 16, value, xs.decimals);
    }
    for (const double value : ys.values) {
        svg += fmt::format("<line class=\"grid\" x1=\"{1}\" y1=\"{0:.1f}\" x2=\"{2}\" "
                           "y2=\"{0:.1f}\"/><text class=\"tick\" x=\"{3}\" y=\"{4:.1f}\" "
                           "text-anchor=\"end\">{5:.{6}f}</text>\n",
                           y(value), margin_left, right, margin_left - 7, y(value) + 4, value,
                           ys.decimals);
    }
    // The vertical title is turned by 90 degrees: its right is up.
    const auto better = [](Sense sense) {
        return sense == Sense::minimise ? "\u2190 better" : "better \u2192";
    };
    const double centre = (margin_left + right) / 2;
    const double middle = (margin_top + bottom) / 2;
    svg += fmt::format("<text class=\"axis\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}"
                       "<tspan class=\"better\" dx=\"10\">{}</tspan></text>\n",
                       centre, plot.height - 12, escape_xml(plot.x.title), better(plot.x.sense));
    svg += fmt::format("<text class=\"axis\" transform=\"translate(14 {:.1f}) rotate(-90)\" "
                       "text-anchor=\"middle\">{}<tspan class=\"better\" dx=\"10\">{}</tspan>"
                       "</text>\n",
                       middle, escape_xml(plot.y.title), better(plot.y.sense));
    return svg;
}

std::string trade_off_line(const Plot &plot, const Scale &x, const Scale &y) {
    const auto best = best_trade_off(plot.points, plot.x.sense, plot.y.sense);
    if (best.size() < 2) {
        return "";
    }
    std::string path;
    for (const std::size_t i : best) {
        const double px = x(plot.points[i].x);
        const double py = y(plot.points[i].y);
        path += path.empty() ? fmt::format("M{:.1f} {:.1f}", px, py)
                             : fmt::format("H{:.1f}V{:.1f}", px, py);
    }
    return "<path class=\"trade-off\" d=\"" + path + "\"/>\n";
}

std::string dots(const Plot &plot, const Scale &x, const Scale &y) {
    std::string svg;
    for (const auto &point : plot.points) {
        const std::string circle = fmt::format(
            "<circle class=\"dot\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3.4\" fill=\"{}\">{}</circle>",
            x(point.x), y(point.y), point.colour, tooltip(point.tooltip));
        svg += point.link.empty()
                   ? circle + "\n"
                   : "<a href=\"" + escape_xml(point.link) + "\">" + circle + "</a>\n";
    }
    return svg;
}

std::string marks(const Plot &plot, const Scale &x, const Scale &y) {
    Labels labels({margin_left, margin_top, plot.width - margin_left - margin_right,
                   plot.height - margin_top - margin_bottom});
    for (const auto &mark : plot.marks) {
        labels.keep_clear({x(mark.x) - 7, y(mark.y) - 7, 14, 14});
    }
    std::string svg;
    for (const auto &mark : plot.marks) {
        const double px = x(mark.x);
        const double py = y(mark.y);
        const auto [tx, ty] = labels.place(px, py, mark.label);
        svg += mark.published
                   ? fmt::format("<path class=\"published\" d=\"M{:.1f} {:.1f}l7 7l-7 7l-7 -7z\">"
                                 "{}</path>",
                                 px, py - 7, tooltip(mark.tooltip))
                   : fmt::format("<circle class=\"chosen\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"6.5\">"
                                 "{}</circle>",
                                 px, py, tooltip(mark.tooltip));
        svg += fmt::format("<text class=\"label\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", tx, ty,
                           escape_xml(mark.label));
    }
    return svg;
}

} // namespace

Ticks nice_ticks(double low, double high, int count) {
    if (!(high > low)) {
        const double half = low != 0 ? std::abs(low) / 2 : 0.5;
        low -= half;
        high += half;
    }
    const double wanted = (high - low) / count;
    const double power = std::pow(10, std::floor(std::log10(wanted)));
    double step = 10 * power;
    for (const double factor : {5.0, 2.0, 1.0}) {
        if (factor * power >= wanted * (1 - 1e-9)) {
            step = factor * power;
        }
    }
    Ticks ticks;
    ticks.decimals = std::max(0, -static_cast<int>(std::floor(std::log10(step) + 1e-9)));
    const auto first = static_cast<std::int64_t>(std::floor(low / step + 1e-9));
    const auto last = static_cast<std::int64_t>(std::ceil(high / step - 1e-9));
    for (std::int64_t i = first; i <= last; i++) {
        ticks.values.push_back(static_cast<double>(i) * step);
    }
    return ticks;
}

std::vector<std::size_t> best_trade_off(const std::vector<PlotPoint> &points, Sense x, Sense y) {
    const double sx = x == Sense::minimise ? 1 : -1;
    const double sy = y == Sense::minimise ? 1 : -1;
    std::vector<std::size_t> order(points.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return std::make_pair(sx * points[a].x, sy * points[a].y) <
               std::make_pair(sx * points[b].x, sy * points[b].y);
    });
    std::vector<std::size_t> best;
    double best_y = INFINITY;
    for (const std::size_t i : order) {
        if (sy * points[i].y < best_y) {
            best_y = sy * points[i].y;
            best.push_back(i);
        }
    }
    return best;
}

std::vector<std::string> ordered_colours(std::size_t n) {
    using Colour = std::array<double, 3>;
    constexpr std::array<Colour, 5> anchors = {
        {{66, 99, 235}, {21, 142, 183}, {47, 158, 68}, {224, 150, 20}, {217, 72, 15}}};
    std::vector<std::string> colours;
    for (std::size_t i = 0; i < n; i++) {
        const double place =
            n > 1 ? static_cast<double>(i * (anchors.size() - 1)) / static_cast<double>(n - 1) : 0;
        const auto a = std::min(static_cast<std::size_t>(place), anchors.size() - 2);
        const double t = place - static_cast<double>(a);
        std::string colour = "#";
        for (std::size_t c = 0; c < 3; c++) {
            const double mixed = anchors[a][c] + t * (anchors[a + 1][c] - anchors[a][c]);
            colour += fmt::format("{:02x}", std::lround(mixed));
        }
        colours.push_back(colour);
    }
    return colours;
}

std::string escape_xml(const std::string &text) {
    std::string escaped;
    for (const char c : text) {
        switch (c) {
        case '&': escaped += "&amp;"; break;
        case '<': escaped += "&lt;"; break;
        case '>': escaped += "&gt;"; break;
        case '"': escaped += "&quot;"; break;
        default: escaped += c;
        }
    }
    return escaped;
}

std::string plot_style() {
    return ".plot{--ink:#1c2330;--soft:#667085;--line:#e4e7ec;--paper:#ffffff}\n"
           "@media (prefers-color-scheme:dark){"
           ".plot{--ink:#e6e9ef;--soft:#98a2b3;--line:#2b3444;--paper:#161b24}}\n"
           ".plot text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',"
           "sans-serif;font-size:12px;fill:var(--ink)}\n"
           ".plot .grid{stroke:var(--line);stroke-width:1}\n"
           ".plot .frame{fill:none;stroke:var(--line)}\n"
           ".plot .tick,.plot .better{fill:var(--soft);font-size:11px}\n"
           ".plot .axis{font-weight:600}\n"
           ".plot .better{font-weight:400}\n"
           ".plot .trade-off{fill:none;stroke:var(--soft);stroke-width:1.2;opacity:.75}\n"
           ".plot .dot{fill-opacity:.72}\n"
           ".plot .dot:hover{fill-opacity:1;stroke:var(--ink);stroke-width:1.5}\n"
           ".plot .chosen{fill:none;stroke:var(--ink);stroke-width:1.8}\n"
           ".plot .published{fill:#e03131;stroke:var(--paper);stroke-width:1.5}\n"
           ".plot .label{font-size:11.5px;font-weight:600;paint-order:stroke;"
           "stroke:var(--paper);stroke-width:3.5px;stroke-linejoin:round}\n";
}

std::string draw(const Plot &plot) {
    const Range xr = with_margin(range_of(plot, [](const auto &p) { return p.x; }));
    const Range yr = with_margin(range_of(plot, [](const auto &p) { return p.y; }));
    const Ticks xs = ticks_inside(xr, 7);
    const Ticks ys = ticks_inside(yr, 6);
    const Scale x(xr, margin_left, plot.width - margin_right);
    const Scale y(yr, plot.height - margin_bottom, margin_top);
    return "<g class=\"plot\">\n" + axes(plot, xs, ys, x, y) + trade_off_line(plot, x, y) +
           dots(plot, x, y) + marks(plot, x, y) + "</g>\n";
}

} // namespace edgefront
