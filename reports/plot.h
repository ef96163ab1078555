// A scatter chart as static SVG: points of a front, the best trade-off of the two quantities shown,
// and labelled marks. Nothing in it moves or loads; details are in <title>s (tooltips) and links.
#pragma once

#include "search/pareto.h"

#include <string>
#include <vector>

namespace edgefront {

struct PlotAxis {
    std::string title; ///< with its unit: "latency on pixel6-cpu, ms"
    Sense sense = Sense::minimise;
};

struct PlotPoint {
    double x = 0;
    double y = 0;
    std::string colour; ///< "#1f77b4"
    std::string link;   ///< an anchor of the same document, "#p-0a1b2c3d", or empty
    std::string tooltip;
};

struct PlotMark {
    double x = 0;
    double y = 0;
    bool published = false; ///< a diamond; else a ring around a point
    std::string label;
    std::string tooltip;
};

struct Plot {
    PlotAxis x;
    PlotAxis y;
    std::vector<PlotPoint> points;
    std::vector<PlotMark> marks;
    double width = 560; ///< user units, as every length here
    double height = 400;
};

/// The chart as one <g>, its top left corner at the origin. Colours of lines and text come from
/// `plot_style`.
std::string draw(const Plot &plot);

/// The rules for the classes `draw` uses, for a <style> element.
std::string plot_style();

/// Round numbers (1, 2 or 5 times a power of ten apart) that cover [low, high].
struct Ticks {
    std::vector<double> values;
    int decimals = 0;
};
/// About `count` ticks; `low` may equal `high`.
Ticks nice_ticks(double low, double high, int count);

/// The indices of the points no other one beats in both quantities, by x.
std::vector<std::size_t> best_trade_off(const std::vector<PlotPoint> &points, Sense x, Sense y);

/// `n` colours from blue over green to orange, legible on white and on black.
std::vector<std::string> ordered_colours(std::size_t n);

/// Text that stands for itself in XML text and in double-quoted attributes.
std::string escape_xml(const std::string &text);

} // namespace edgefront
