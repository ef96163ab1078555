#include "base/error.h"
#include "base/files.h"
#include "reports/report_writers.h"
#include "search/design_space_json.h"
#include "search/sweep.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <string>
#include <vector>

namespace edgefront {
namespace {

namespace fs = std::filesystem;

/// The finished sweep of data/spaces/tiny.json, run once for all tests.
const RunResult &tiny_run() {
    static const RunResult result = [] {
        const TemporaryFolder folder(::testing::TempDir() + "edgefront-report");
        const Zoo zoo;
        const DesignSpace space = read_space_file(data_directory() / "spaces" / "tiny.json", zoo);
        const RunConfig config = resolve(space, price_targets(space), {}, "test");
        run_sweep(config, folder.path(), zoo, {});
        return read_run(folder.path());
    }();
    return result;
}

std::string fact(const RunReport &report, const std::string &label) {
    for (const Fact &f : report.run) {
        if (f.label == label) {
            return f.value;
        }
    }
    return "no such fact";
}

RunReport report_of(const RunResult &result, const ReportRequest &request = {}) {
    return collect(result, Zoo(), request);
}

/// A run with a published network that the first point of the front beats by a tenth.
RunResult run_with_mark() {
    RunResult result = tiny_run();
    PublishedMark mark;
    mark.network = "published_net";
    mark.inside = mark.feasible = true;
    mark.id = "0123abcd";
    mark.choices = result.points[0].choices;
    Dominator by{result.points[0].id, {}};
    for (std::size_t o = 0; o < result.objectives.size(); o++) {
        const double value = result.points[0].values[o];
        const bool less = result.objectives[o].sense == Sense::minimise;
        mark.values.push_back(less ? value / 0.9 : value / 1.1);
        by.better_by.push_back(std::abs(mark.values[o] - value));
    }
    mark.dominated_by = {by};
    result.marks = {mark};
    return result;
}

std::size_t count(const std::string &text, const std::string &what) {
    std::size_t n = 0;
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) {
        n++;
    }
    return n;
}

bool contains(const std::string &text, const std::string &what) {
    return text.find(what) != std::string::npos;
}

/// What keeps `text` from being well-formed XML, or "": tags that do not nest, attributes without
/// quotes, stray < and &.
std::string xml_fault(const std::string &text) {
    std::vector<std::string> open;
    for (std::size_t at = 0; at < text.size(); at++) {
        const std::string near = text.substr(at, 60);
        if (text[at] == '&') {
            const std::size_t end = text.find(';', at);
            if (end == std::string::npos || end - at > 8) {
                return "a bare & at: " + near;
            }
        }
        if (text[at] != '<') {
            continue;
        }
        const std::size_t end = text.find('>', at);
        if (end == std::string::npos) {
            return "a tag without end: " + near;
        }
        std::string tag = text.substr(at + 1, end - at - 1);
        at = end;
        if (tag.rfind("!DOCTYPE", 0) == 0) {
            continue;
        }
        if (tag[0] == '/') {
            if (open.empty() || open.back() != tag.substr(1)) {
                return "</" + tag.substr(1) + "> closes nothing at: " + near;
            }
            open.pop_back();
            continue;
        }
        const bool closed = tag.back() == '/';
        const std::string name = tag.substr(0, tag.find_first_of(" /\n"));
        if (name.empty() || std::isalpha(static_cast<unsigned char>(name[0])) == 0) {
            return "no tag: " + near;
        }
        std::string bare; // the tag without its quoted values
        bool quoted = false;
        for (const char c : tag) {
            quoted = quoted != (c == '"');
            bare += quoted && c != '"' ? ' ' : c;
        }
        if (quoted || count(bare, "=") != count(bare, "=\"")) {
            return "an attribute without quotes at: " + near;
        }
        if (!closed) {
            open.push_back(name);
        }
    }
    return open.empty() ? "" : "<" + open.back() + "> is never closed";
}

TEST(XmlFault, FindsFaults) {
    EXPECT_EQ(xml_fault("<a b=\"c\">x &amp; <d/></a>"), "");
    EXPECT_NE(xml_fault("<a><b></a></b>"), "");
    EXPECT_NE(xml_fault("<a b=c></a>"), "");
    EXPECT_NE(xml_fault("<a>x & y</a>"), "");
    EXPECT_NE(xml_fault("<a>"), "");
    EXPECT_NE(xml_fault("1 < 2"), "");
}

TEST(Report, EveryFormatIsWellFormed) {
    for (const RunResult &result : {tiny_run(), run_with_mark()}) {
        const RunReport report = report_of(result);
        EXPECT_EQ(xml_fault(write_html(report)), "");
        EXPECT_EQ(xml_fault(write_svg(report)), "");
    }
}

TEST(Report, ThePageLoadsNothing) {
    const std::string html = write_html(report_of(run_with_mark()));
    for (const auto *loader : {"http:", "https:", "src=", "@import", "url(", "<link", "fetch("}) {
        EXPECT_FALSE(contains(html, loader)) << loader;
    }
}

TEST(Report, HasEveryPointOfASmallFrontInEveryFormat) {
    const RunReport report = report_of(tiny_run());
    EXPECT_FALSE(report.thinned());
    ASSERT_EQ(report.points.size(), tiny_run().points.size());
    const std::string html = write_html(report);
    const std::string md = write_markdown(report);
    const std::string svg = write_svg(report);
    for (const auto &point : tiny_run().points) {
        EXPECT_EQ(count(html, "<tr id=\"p-" + point.id + "\">"), 1u);
        EXPECT_EQ(count(html, "<a href=\"#p-" + point.id + "\"><circle"), report.panels().size());
        EXPECT_TRUE(contains(md, "`" + point.id + "`"));
        EXPECT_TRUE(contains(svg, point.id));
    }
}

TEST(Report, ThinsALargeFrontAndSaysSo) {
    ReportRequest request;
    request.most_points = 12;
    const RunReport report = report_of(run_with_mark(), request);
    EXPECT_TRUE(report.thinned());
    EXPECT_EQ(report.points.size(), 12u);
    const std::string said = "The front has " + std::to_string(run_with_mark().points.size()) +
                             " points; 12 of them are shown";
    for (const std::string &text : {write_html(report), write_markdown(report)}) {
        EXPECT_TRUE(contains(text, said)) << said;
    }
    const std::string html = write_html(report);
    EXPECT_EQ(count(html, "<tr id=\"p-"), 12u);
    // Whatever the page names is among the points shown.
    for (auto at = html.find("href=\"#"); at != std::string::npos;
         at = html.find("href=\"#", at + 1)) {
        const std::string anchor = html.substr(at + 7, html.find('"', at + 7) - at - 7);
        EXPECT_TRUE(contains(html, "id=\"" + anchor + "\"")) << anchor;
    }
}

TEST(Report, MarkdownAndPageShowTheSameNumbers) {
    const RunReport report = report_of(run_with_mark());
    const std::string html = write_html(report);
    const std::string md = write_markdown(report);
    const auto both = [&](const std::string &number) {
        EXPECT_TRUE(contains(html, ">" + number + "<")) << number;
        EXPECT_TRUE(contains(md, number + " ") || contains(md, number + "\n")) << number;
    };
    for (const auto &point : report.points) {
        for (const auto &number : point.shown) {
            both(number);
        }
    }
    for (const auto &breakdown : report.breakdowns) {
        for (const auto &target : breakdown.targets) {
            for (const auto &fact : target.facts) {
                both(fact.value);
            }
        }
        for (const auto &layer : breakdown.layers) {
            for (const auto &price : layer.prices) {
                both(price.latency_us);
            }
        }
    }
    for (const auto &mark : report.marks) {
        for (const auto &number : mark.shown) {
            both(number);
        }
    }
}

TEST(Report, ShowsValuesInReadableUnits) {
    const RunReport report = report_of(tiny_run());
    ASSERT_EQ(report.objectives.size(), 3u);
    EXPECT_EQ(report.objectives[0].heading(), "latency, pixel6-cpu (ms)");
    EXPECT_EQ(report.objectives[0].kind, "modelled");
    EXPECT_EQ(report.objectives[1].heading(), "peak activations, pixel6-cpu (KiB)");
    EXPECT_EQ(report.objectives[2].heading(), "MACs (M)");
    EXPECT_EQ(report.objectives[2].kind, "counted");
    EXPECT_DOUBLE_EQ(report.points[0].values[1], tiny_run().points[0].values[1] / 1024);
    EXPECT_DOUBLE_EQ(report.points[0].values[2], tiny_run().points[0].values[2] * 1e-6);
}

TEST(Report, ChartsEveryCostAgainstEveryGain) {
    using Pairs = std::vector<std::pair<std::size_t, std::size_t>>;
    RunReport report = report_of(tiny_run());
    EXPECT_EQ(report.panels(), (Pairs{{0, 2}, {1, 2}}));
    report.objectives[2].sense = Sense::minimise;
    EXPECT_EQ(report.panels(), (Pairs{{0, 1}, {0, 2}}));
}

TEST(Report, BreaksDownTheKneeTheFastestAndTheLargestUnlessToldWhich) {
    const RunReport report = report_of(tiny_run());
    std::vector<std::string> roles;
    for (const auto &breakdown : report.breakdowns) {
        const auto &of_point = report.points[breakdown.point].roles;
        roles.insert(roles.end(), of_point.begin(), of_point.end());
    }
    EXPECT_EQ(roles, (std::vector<std::string>{"fastest", "knee", "largest"}));
    ReportRequest request;
    request.points = {tiny_run().points[7].id};
    const RunReport chosen = report_of(tiny_run(), request);
    ASSERT_EQ(chosen.breakdowns.size(), 1u);
    EXPECT_EQ(chosen.points[chosen.breakdowns[0].point].id, tiny_run().points[7].id);
}

TEST(Report, LayersAddUpToThePointsLatency) {
    const RunReport report = report_of(tiny_run());
    for (const auto &breakdown : report.breakdowns) {
        ASSERT_EQ(breakdown.targets.size(), 1u);
        double sum_us = 0;
        double largest_share = 0;
        for (const auto &layer : breakdown.layers) {
            sum_us += std::stod(layer.prices.at(0).latency_us);
            largest_share = std::max(largest_share, layer.prices[0].share);
        }
        // Three significant digits per layer.
        const double latency_us = report.points[breakdown.point].values[0] * 1e3;
        EXPECT_NEAR(sum_us, latency_us, 5e-3 * latency_us);
        EXPECT_DOUBLE_EQ(largest_share, 1);
    }
}

TEST(Report, SaysByHowMuchAPublishedNetworkIsBeaten) {
    const RunReport report = report_of(run_with_mark());
    ASSERT_EQ(report.marks.size(), 1u);
    const ReportMark &mark = report.marks[0];
    EXPECT_EQ(mark.verdict, "dominated by 1 point of the front");
    ASSERT_EQ(mark.dominated_by.size(), 1u);
    EXPECT_TRUE(contains(mark.dominated_by[0].better_by[0], " ms less (10 %)"));
    EXPECT_TRUE(contains(mark.dominated_by[0].better_by[2], " M more (10 %)"));
    EXPECT_EQ(count(write_html(report), "class=\"published\""), report.panels().size());
}

TEST(Report, SaysWhereAPublishedNetworkStands) {
    RunResult result = run_with_mark();
    PublishedMark &mark = result.marks[0];
    const auto verdict = [&] { return report_of(result).marks[0].verdict; };
    mark.on_front = true;
    mark.id = result.points[3].id;
    EXPECT_EQ(verdict(), "on the front, as point " + mark.id);
    mark.on_front = false;
    mark.feasible = false;
    mark.reason = "latency";
    EXPECT_EQ(verdict(), "inside the space, but not feasible: latency");
    mark.inside = false;
    mark.reason = "no resolution 224";
    EXPECT_EQ(verdict(), "outside the space: no resolution 224");
}

TEST(Report, CountsWhatTheFrontIsMadeOf) {
    const RunReport report = report_of(tiny_run());
    EXPECT_EQ(report.mix.back().stage, "all");
    std::int64_t blocks = 0;
    for (const auto &point : report.points) {
        for (const auto &stage : point.stages) {
            blocks += static_cast<std::int64_t>(stage.blocks.size());
        }
    }
    EXPECT_EQ(report.mix.back().total(), blocks);
    EXPECT_TRUE(contains(write_markdown(report), "## What the front is made of"));
    EXPECT_EQ(report.shape_names, (std::vector<std::string>{"resolution", "width"}));
    EXPECT_EQ(report.points[0].letters().substr(0, 3), "96:");
}

TEST(Report, EscapesWhatTheUserWrote) {
    RunResult result = tiny_run();
    result.config.space["description"] = "<b>&\"x\"</b>";
    result.marks = run_with_mark().marks;
    result.marks[0].network = "a<b>&c";
    const RunReport report = report_of(result);
    const std::string html = write_html(report);
    EXPECT_FALSE(contains(html, "<b>&"));
    EXPECT_TRUE(contains(html, "&lt;b&gt;&amp;"));
    EXPECT_EQ(xml_fault(html), "");
    EXPECT_EQ(xml_fault(write_svg(report)), "");
}

TEST(Report, SaysWhenARunWasInterruptedOrItsTargetHasChanged) {
    RunResult result = tiny_run();
    result.finished = false;
    result.epsilon.reset();
    result.config.targets.at(0).hash = "older";
    const RunReport report = report_of(result);
    ASSERT_EQ(report.remarks.size(), 3u);
    EXPECT_TRUE(contains(report.remarks[0], "interrupted"));
    EXPECT_TRUE(contains(report.remarks[1], "stay when macs alone is the quality"));
    EXPECT_TRUE(contains(report.remarks[2], "constants of pixel6-cpu have changed"));
    result.config.targets[0].name = "no-such-target";
    EXPECT_TRUE(contains(report_of(result).remarks[2], "No layer prices on no-such-target"));
}

TEST(Report, SaysHowExactAFrontIs) {
    RunResult result = tiny_run();
    EXPECT_TRUE(contains(report_of(result).remarks.at(0), "The front is exact"));
    result.epsilon = 0.0125;
    EXPECT_TRUE(contains(report_of(result).remarks.at(0), "a point within 1.25 % of it"));
}

TEST(Report, RefusesAnUnknownPointAndAnEmptyFront) {
    ReportRequest request;
    request.points = {"zzzzzzzz"};
    EXPECT_THROW(report_of(tiny_run(), request), UserError);
    RunResult empty = tiny_run();
    empty.points.clear();
    EXPECT_THROW(report_of(empty), UserError);
}

TEST(Report, NamesTheConstraintsOfTheSearch) {
    RunResult result = tiny_run();
    result.config.space["constraints"] =
        Json::parse(R"([{"metric": "latency_ms", "target": "pixel6-cpu", "at_most": 10}])");
    const std::string md = write_markdown(report_of(result));
    EXPECT_TRUE(contains(md, "- constraint: latency_ms:pixel6-cpu <= 10"));
    EXPECT_TRUE(contains(md, "- spatial mixing: required"));
}

TEST(Report, RefusesAFileWhosePublishedNetworkHasTooFewValues) {
    const auto read = [](const Json &json) {
        return read_run_result(JsonReader::parse(json.dump(), "front.json"));
    };
    Json json = to_json(run_with_mark());
    EXPECT_EQ(read(json).marks.size(), 1u);
    json["published"][0]["dominated_by"][0]["better_by"] = {1.0};
    EXPECT_THROW(read(json), UserError);
    json["published"][0]["dominated_by"] = Json::array();
    json["published"][0]["values"] = {1.0};
    EXPECT_THROW(read(json), UserError);
}

TEST(Report, TheSameRunGivesTheSameBytes) {
    EXPECT_EQ(write_html(report_of(tiny_run())), write_html(report_of(tiny_run())));
}

TEST(RunReport, the_strategys_options_and_what_it_prefers_are_told) {
    RunResult result = tiny_run();
    result.config.strategy = "reward";
    result.config.reward = {"macs", "latency_ms:pixel6-cpu", 0.3, 0, -1};
    result.config.memory_bytes = 1 << 20;
    const std::string id = result.points.back().id;
    result.preferred = Preferred{id, 1.5e8, 0.0};
    const RunReport report = report_of(result);
    EXPECT_EQ(fact(report, "resource"), "latency_ms:pixel6-cpu");
    EXPECT_EQ(fact(report, "beyond"), "-1.0");
    EXPECT_EQ(fact(report, "memory bytes"), "1,048,576");
    EXPECT_EQ(fact(report, "preferred"), id + ", reward 1.5e+08, proven the largest of the space");
    const auto at = std::find_if(report.points.begin(), report.points.end(),
                                 [&](const ReportPoint &p) { return p.id == id; });
    ASSERT_NE(at, report.points.end());
    EXPECT_EQ(std::count(at->roles.begin(), at->roles.end(), "preferred"), 1);
}

TEST(RunReport, a_path_is_told_step_by_step) {
    RunResult result = tiny_run();
    result.config.strategy = "netadapt";
    result.config.netadapt.from = "published_net";
    result.config.netadapt.toward = "latency_ms:pixel6-cpu";
    result.path = {{"", 0, 0, result.points[1]}, {"width: 1 -> 0.5", 3, 0.2, result.points[0]}};
    const RunReport report = report_of(result);
    EXPECT_EQ(fact(report, "from"), "published_net");
    EXPECT_EQ(fact(report, "path from").substr(0, 8), result.points[1].id);
    EXPECT_TRUE(contains(fact(report, "step 1"), result.points[0].id));
    EXPECT_TRUE(contains(fact(report, "step 1"), "(width: 1 -> 0.5)"));
}

} // namespace
} // namespace edgefront
