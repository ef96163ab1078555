#include "reports/numbers.h"
#include "reports/plot.h"
#include "reports/report_writers.h"

#include <fmt/format.h>
#include <kainjow/mustache.hpp>

#include <map>
#include <stdexcept>
#include <string>

namespace edgefront {

/// The files of templates/, by name (generated, see cmake/EmbedFiles.cmake).
const std::map<std::string, std::string> &report_templates();

namespace {

using kainjow::mustache::data;

template <typename T, typename F>
data list_of(const std::vector<T> &values, F fill) {
    data list(data::type::list);
    for (const auto &value : values) {
        list.push_back(fill(value));
    }
    return list;
}

data texts(const std::vector<std::string> &values) {
    return list_of(values, [](const std::string &value) { return data(value); });
}

data facts(const std::vector<Fact> &values) {
    return list_of(values, [](const Fact &fact) {
        data item;
        item.set("label", fact.label);
        item.set("value", fact.value);
        return item;
    });
}

data columns(const RunReport &report) {
    return list_of(report.objectives, [](const ReportObjective &objective) {
        data item;
        item.set("heading", objective.heading());
        item.set("kind", objective.kind);
        item.set("better",
                 objective.sense == Sense::minimise ? "less is better" : "more is better");
        return item;
    });
}

data stages(const ReportPoint &point) {
    return list_of(point.stages, [](const ReportStage &from) {
        data stage;
        stage.set("channels", from.channels);
        stage.set("blocks", list_of(from.blocks, [](const ReportBlock &block) {
                      data item;
                      item.set("type", block.type);
                      item.set("option", block.option);
                      item.set("letter", std::string(1, block.letter()));
                      return item;
                  }));
        return stage;
    });
}

data points(const RunReport &report) {
    return list_of(report.points, [](const ReportPoint &point) {
        data item;
        item.set("id", point.id);
        item.set("roles", texts(point.roles));
        item.set("standing", point.standing);
        item.set("refined",
                 !point.standing.empty() && point.standing != to_string(Standing::not_refined));
        item.set("shape", texts(point.shape));
        item.set("letters", point.letters());
        item.set("stages", stages(point));
        item.set("shown", texts(point.shown));
        return item;
    });
}

data refinement(const Table &table) {
    data section;
    section.set("titles",
                list_of(table.columns, [](const Column &column) { return data(column.title); }));
    section.set("rows", list_of(table.rows, [&](const std::vector<Json> &row) {
                    data item;
                    item.set("id", row.front().get<std::string>());
                    data cells(data::type::list);
                    for (std::size_t c = 1; c < row.size(); c++) {
                        data cell;
                        cell.set("text", cell_text(row[c], table.columns[c]));
                        cell.set("number", row[c].is_number());
                        cells.push_back(cell);
                    }
                    item.set("cells", cells);
                    return item;
                }));
    section.set("notes", texts(table.notes));
    return section;
}

data panels(const RunReport &report) {
    return list_of(report.panels(), [&](const auto &pair) {
        data item;
        item.set("svg", panel_svg(report, pair.first, pair.second));
        return item;
    });
}

data marks(const RunReport &report) {
    return list_of(report.marks, [](const ReportMark &mark) {
        data item;
        item.set("network", mark.network);
        item.set("verdict", mark.verdict);
        item.set("priced", !mark.shown.empty());
        item.set("shown", texts(mark.shown));
        item.set("more", mark.dominators > mark.dominated_by.size());
        item.set("shown_dominators", std::to_string(mark.dominated_by.size()));
        item.set("dominators", std::to_string(mark.dominators));
        item.set("dominated_by", list_of(mark.dominated_by, [](const ReportDominator &by) {
                     data row;
                     row.set("id", by.id);
                     row.set("better_by", texts(by.better_by));
                     return row;
                 }));
        return item;
    });
}

data mix(const RunReport &report) {
    return list_of(report.mix, [&](const StageMix &stage) {
        data types(data::type::list);
        for (std::size_t t = 0; t < report.block_types.size(); t++) {
            const std::string &type = report.block_types[t];
            const double percent = 100 * stage.share(t);
            data item;
            item.set("type", type);
            item.set("blocks", std::to_string(stage.blocks[t]));
            item.set("flex", fmt::format("{:.2f}", percent));
            // A narrow part has no room for more than its colour; its tooltip says the rest.
            item.set("text", percent < 4    ? std::string()
                             : percent < 14 ? fmt::format("{:.0f} %", percent)
                                            : fmt::format("{} {:.0f} %", type, percent));
            types.push_back(item);
        }
        data row;
        row.set("stage", stage.stage == "all" ? "all stages" : "stage " + stage.stage);
        row.set("total", grouped(stage.total()));
        row.set("types", types);
        return row;
    });
}

data layers(const Breakdown &breakdown) {
    return list_of(breakdown.layers, [](const LayerRow &layer) {
        data row;
        row.set("name", layer.name);
        row.set("block", layer.block);
        row.set("op", layer.op);
        row.set("output", layer.output);
        row.set("macs", layer.macs);
        row.set("prices", list_of(layer.prices, [](const LayerPrice &price) {
                    data cell;
                    cell.set("latency_us", price.latency_us);
                    cell.set("bound_by", price.bound_by);
                    cell.set("percent", fmt::format("{:.1f}", 100 * price.share));
                    return cell;
                }));
        return row;
    });
}

data breakdowns(const RunReport &report) {
    bool first = true;
    return list_of(report.breakdowns, [&](const Breakdown &breakdown) {
        const ReportPoint &point = report.points[breakdown.point];
        data item;
        item.set("id", point.id);
        item.set("roles", texts(point.roles));
        item.set("stages", stages(point));
        item.set("facts", facts(breakdown.facts));
        item.set("targets", list_of(breakdown.targets, [](const TargetTotal &total) {
                     data target;
                     target.set("target", total.target);
                     target.set("setting", total.setting);
                     target.set("kind", total.kind);
                     target.set("facts", facts(total.facts));
                     return target;
                 }));
        item.set("layer_count", std::to_string(breakdown.layers.size() - 1));
        item.set("open", first);
        item.set("layers", layers(breakdown));
        first = false;
        return item;
    });
}

} // namespace

std::string write_html(const RunReport &report) {
    data page;
    page.set("title", report.title);
    page.set("description", report.description);
    page.set("headline", facts(report.headline));
    page.set("remarks", texts(report.remarks));
    page.set("thinning_note", report.thinning_note());
    page.set("front_size", grouped(static_cast<std::int64_t>(report.front_size)));
    page.set("plot_style", plot_style());
    page.set("legend_title", report.legend_title);
    page.set("legend", list_of(report.legend, [](const LegendEntry &entry) {
                 data item;
                 item.set("label", entry.label);
                 item.set("colour", entry.colour);
                 return item;
             }));
    page.set("panels", panels(report));
    page.set("any_mark", !report.marks.empty());
    page.set("any_published", report.any_priced_mark());
    page.set("marks", marks(report));
    page.set("any_refined", report.refined());
    page.set("refinement", refinement(report.refinement));
    page.set("any_mix", report.any_blocks());
    page.set("mix", mix(report));
    const std::vector<std::string> others(report.block_types.begin() +
                                              static_cast<std::ptrdiff_t>(uib_types().size()),
                                          report.block_types.end());
    page.set("other_types", list_of(others, [](const std::string &type) {
                 data item;
                 item.set("type", type);
                 item.set("letter", std::string(1, letter_of(type)));
                 return item;
             }));
    page.set("mix_facts", facts(report.mix_facts));
    page.set("columns", columns(report));
    page.set("shape_names", texts(report.shape_names));
    page.set("points", points(report));
    page.set("breakdowns", breakdowns(report));
    page.set("run", facts(report.run));
    page.set("replay", report.replay);
    kainjow::mustache::mustache templ(report_templates().at("report.html"));
    std::string html = templ.render(page);
    if (!templ.error_message().empty()) {
        throw std::logic_error("reports/templates/report.html: " + templ.error_message());
    }
    return html;
}

} // namespace edgefront
