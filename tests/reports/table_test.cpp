#include "base/csv.h"
#include "base/error.h"
#include "reports/table.h"

#include <gtest/gtest.h>

namespace edgefront {
namespace {

Table sample() {
    Table table;
    table.columns = {{"name", "name"}, {"latency_ms", "latency ms", 2}, {"width", "width"}};
    table.rows = {{"a, \"b\"", 1.005, 0.75}, {"größer", nullptr, 1.0}};
    table.notes = {"All modelled."};
    return table;
}

TEST(Render, AlignsATableForPeople) {
    EXPECT_EQ(render(sample(), Format::table), "name    latency ms  width\n"
                                               "a, \"b\"        1.00   0.75\n"
                                               "größer           -      1\n"
                                               "All modelled.\n");
}

TEST(Render, WritesMarkdownWithNumbersToTheRight) {
    EXPECT_EQ(render(sample(), Format::md), "| name   | latency ms | width |\n"
                                            "|--------|-----------:|------:|\n"
                                            "| a, \"b\" |       1.00 |  0.75 |\n"
                                            "| größer |          - |     1 |\n"
                                            "\nAll modelled.\n");
}

TEST(Render, WritesCsvThatReadsBackExactly) {
    const CsvTable table = parse_csv(render(sample(), Format::csv), "t.csv");
    EXPECT_EQ(table.columns(), (std::vector<std::string>{"name", "latency_ms", "width"}));
    ASSERT_EQ(table.rows().size(), 2u);
    EXPECT_EQ(table.rows()[0].text("name"), "a, \"b\"");
    EXPECT_EQ(table.rows()[0].number("latency_ms", 0, 9), 1.005);
    EXPECT_TRUE(table.rows()[1].empty("latency_ms"));
}

TEST(Render, WritesJsonObjectsWithNulls) {
    const Json rows = Json::parse(render(sample(), Format::json));
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_EQ(rows[0]["latency_ms"], 1.005);
    EXPECT_TRUE(rows[1]["latency_ms"].is_null());
}

TEST(Render, EscapesBarsInMarkdownCells) {
    Table table;
    table.columns = {{"a", "a"}};
    table.rows = {{"x | y"}};
    EXPECT_NE(render(table, Format::md).find("x \\| y"), std::string::npos);
}

TEST(Render, RefusesAnUnknownFormatWithTheNearestName) {
    EXPECT_THROW(parse_format("jsn"), UserError);
    EXPECT_EQ(parse_format("md"), Format::md);
}

} // namespace
} // namespace edgefront
