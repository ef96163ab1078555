#include "base/csv.h"

#include <gtest/gtest.h>

namespace edgefront {
namespace {

/// The message of the UserError that `action` throws, or "" when it throws none.
template <typename Action>
std::string complaint(Action action) {
    try {
        action();
    } catch (const UserError &e) {
        return e.what();
    }
    return "";
}

std::string refusal(const std::string &text, const std::vector<std::string> &columns = {}) {
    return complaint([&] { parse_csv(text, "t.csv", columns); });
}

TEST(Csv, ReadsPlainAndQuotedCells) {
    const CsvTable table =
        parse_csv("name,value\nplain,1\n\"with, comma and \"\"quotes\"\"\",2\n", "t.csv");
    ASSERT_EQ(table.rows().size(), 2u);
    EXPECT_EQ(table.rows()[0].text("name"), "plain");
    EXPECT_EQ(table.rows()[1].text("name"), "with, comma and \"quotes\"");
    EXPECT_EQ(table.rows()[1].integer("value", 0, 9), 2);
}

TEST(Csv, AcceptsCarriageReturnsAndAMissingLastLineEnd) {
    const CsvTable table = parse_csv("a,b\r\n1,2\r\n3,", "t.csv");
    ASSERT_EQ(table.rows().size(), 2u);
    EXPECT_EQ(table.rows()[0].text("b"), "2");
    EXPECT_TRUE(table.rows()[1].empty("b"));
}

TEST(Csv, CountsLinesInsideQuotedCells) {
    const CsvTable table = parse_csv("a\n\"one\ntwo\"\nx\n", "t.csv");
    ASSERT_EQ(table.rows().size(), 2u);
    EXPECT_EQ(table.rows()[0].line(), 2);
    EXPECT_EQ(table.rows()[1].line(), 4);
}

TEST(Csv, RefusesAWrongHeader) {
    EXPECT_EQ(refusal("a,c\n", {"a", "b"}), "t.csv:line 1: the columns are a,c, expected a,b");
    EXPECT_EQ(refusal("", {"a"}), "t.csv:line 1: the file is empty, expected a header line");
}

TEST(Csv, RefusesRowsOfAnotherLength) {
    EXPECT_EQ(refusal("a,b\n1,2\n3\n"), "t.csv:line 3: 1 cells, expected 2");
}

TEST(Csv, RefusesBrokenQuoting) {
    EXPECT_EQ(refusal("a\n\"open\n\n"), "t.csv:line 2: a quoted cell has no end");
    EXPECT_EQ(refusal("a\n\"x\"y\n"), "t.csv:line 2: text after a closing quote");
    EXPECT_EQ(refusal("a\nx\"y\n"), "t.csv:line 2: a quote inside an unquoted cell");
    EXPECT_EQ(refusal("a\nx\ry\n"), "t.csv:line 2: a carriage return without a line feed");
}

TEST(Csv, NamesTheCellOfABadNumber) {
    const CsvTable table = parse_csv("a,b\n1x,7\n", "t.csv");
    const CsvRow &row = table.rows()[0];
    EXPECT_EQ(complaint([&] { row.number("a", 0, 1); }),
              "t.csv:line 2, column 'a': expected a number, found '1x'");
    EXPECT_EQ(complaint([&] { row.number("b", 0.25, 5); }),
              "t.csv:line 2, column 'b': 7 is not between 0.25 and 5");
    EXPECT_EQ(complaint([&] { row.integer("b", 8, 9); }),
              "t.csv:line 2, column 'b': 7 is not between 8 and 9");
    EXPECT_EQ(complaint([&] { row.text("bb"); }),
              "t.csv:line 1: there is no column 'bb'; did you mean 'b'?");
    EXPECT_EQ(complaint([&] {
                  row.one_of("b", {"six", "seven"});
              }),
              "t.csv:line 2, column 'b': '7' is none of six, seven");
}

TEST(Csv, TakesAnEmptyCellForNothing) {
    const CsvTable table = parse_csv("a,b\n,2\n", "t.csv");
    EXPECT_FALSE(table.rows()[0].find_number("a", 0, 1).has_value());
    EXPECT_EQ(table.rows()[0].find_integer("b", 0, 9).value(), 2);
}

TEST(Csv, WritesCellsThatReadBack) {
    for (const std::string text : {"plain", "a,b", "say \"x\"", "two\nlines", ""}) {
        const CsvTable table = parse_csv("c,d\n" + csv_cell(text) + ",1\n", "t.csv");
        EXPECT_EQ(table.rows()[0].text("c"), text);
    }
}

} // namespace
} // namespace edgefront
