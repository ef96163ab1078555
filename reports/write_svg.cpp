#include "reports/plot.h"
#include "reports/report_writers.h"

#include <fmt/format.h>

#include <algorithm>

namespace edgefront {

namespace {

std::string tooltip(const RunReport &report, const std::string &name,
                    const std::vector<std::string> &shown) {
    std::string text = name;
    for (std::size_t o = 0; o < shown.size(); o++) {
        const ReportObjective &objective = report.objectives[o];
        text += fmt::format("\n{}: {} {}", objective.title, shown[o], objective.unit);
    }
    return text;
}

Plot panel(const RunReport &report, std::size_t x, std::size_t y, bool linked) {
    Plot plot;
    plot.x = {report.objectives[x].heading(), report.objectives[x].sense};
    plot.y = {report.objectives[y].heading(), report.objectives[y].sense};
    for (const auto &point : report.points) {
        std::string name = point.id;
        for (std::size_t s = 0; s < point.shape.size(); s++) {
            name +=
                fmt::format("{} {} {}", s == 0 ? ":" : ",", report.shape_names[s], point.shape[s]);
        }
        const std::string letters = point.letters();
        plot.points.push_back(
            {point.values[x], point.values[y], report.legend[point.colour].colour,
             linked ? "#p-" + point.id : "",
             tooltip(report, name + (letters.empty() ? "" : "\n" + letters), point.shown)});
    }
    for (const auto &mark : report.marks) {
        if (!mark.values.empty()) {
            plot.marks.push_back({mark.values[x], mark.values[y], true, mark.network,
                                  tooltip(report, mark.network, mark.shown)});
        }
    }
    for (const auto &breakdown : report.breakdowns) {
        const ReportPoint &point = report.points[breakdown.point];
        std::string label;
        for (const auto &role : point.roles) {
            label += (label.empty() ? "" : ", ") + (role == "chosen" ? point.id : role);
        }
        plot.marks.push_back({point.values[x], point.values[y], false, label,
                              tooltip(report, point.id, point.shown)});
    }
    return plot;
}

/// Legend entries in a row, from (x, y) to the right.
std::string legend(const RunReport &report, double x, double y) {
    const auto advance = [](const std::string &text) {
        return 7.0 * static_cast<double>(text.size());
    };
    std::string svg = fmt::format("<text class=\"tick\" x=\"{}\" y=\"{}\">{}</text>\n", x, y + 4,
                                  escape_xml(report.legend_title));
    x += advance(report.legend_title) + 14;
    for (const auto &entry : report.legend) {
        svg += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"5\" fill=\"{}\"/><text "
                           "x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n",
                           x, y, entry.colour, x + 10, y + 4, escape_xml(entry.label));
        x += advance(entry.label) + 34;
    }
    return "<g class=\"plot\">" + svg + "</g>\n";
}

} // namespace

std::string panel_svg(const RunReport &report, std::size_t x, std::size_t y) {
    const Plot plot = panel(report, x, y, true);
    return fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{} against {}\">\n{}"
                       "</svg>",
                       plot.width, plot.height, escape_xml(plot.y.title), escape_xml(plot.x.title),
                       draw(plot));
}

std::string write_svg(const RunReport &report) {
    constexpr double title_height = 64;
    constexpr double gap = 16;
    const auto panels = report.panels();
    const std::size_t columns = panels.size() > 1 ? 2 : 1;
    const std::size_t rows = (panels.size() + columns - 1) / columns;
    const Plot empty;
    const double width = static_cast<double>(columns) * (empty.width + gap) + gap;
    const double height = title_height + static_cast<double>(rows) * (empty.height + gap);
    std::string svg = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" "
        "height=\"{1}\">\n<style>\n{2}.ground{{fill:#ffffff}}\n"
        "@media (prefers-color-scheme:dark){{.ground{{fill:#161b24}}}}\n</style>\n"
        "<rect class=\"ground\" width=\"{0}\" height=\"{1}\"/>\n"
        "<g class=\"plot\"><text class=\"axis\" x=\"{3}\" y=\"26\">{4}: {5} of {6} points of the "
        "front</text></g>\n",
        width, height, plot_style(), gap, escape_xml(report.title), report.points.size(),
        report.front_size);
    svg += legend(report, gap, 46);
    for (std::size_t i = 0; i < panels.size(); i++) {
        const std::size_t column = i % columns;
        const std::size_t row = i / columns;
        svg += fmt::format("<g transform=\"translate({} {})\">\n",
                           gap + static_cast<double>(column) * (empty.width + gap),
                           title_height + static_cast<double>(row) * (empty.height + gap));
        svg += draw(panel(report, panels[i].first, panels[i].second, false)) + "</g>\n";
    }
    return svg + "</svg>\n";
}

} // namespace edgefront
