#include "base/json_reader.h"

#include <gtest/gtest.h>

namespace edgefront {
namespace {

std::string error_of(const std::string &text, void (*use)(const JsonReader &)) {
    try {
        use(JsonReader::parse(text, "net.json"));
    } catch (const UserError &e) {
        return e.what();
    }
    return "";
}

TEST(JsonReader, reads_comments_and_typed_members) {
    const auto json = JsonReader::parse("{// note\n \"a\": 3, \"b\": [1.5, 2]}", "net.json");
    EXPECT_EQ(json.at("a").integer(0, 10), 3);
    EXPECT_EQ(json.at("b").numbers(0, 10), (std::vector<double>{1.5, 2}));
    json.finish();
}

TEST(JsonReader, names_file_line_and_column_of_a_syntax_error) {
    const std::string error = error_of("{\n  \"a\": 3,\n  \"b\": [1, 2", [](const JsonReader &) {});
    EXPECT_NE(error.find("net.json:line 3, column 1"), std::string::npos) << error;
    EXPECT_NE(error.find("not valid JSON"), std::string::npos) << error;
}

TEST(JsonReader, reports_an_unknown_key_with_its_pointer_and_the_nearest_name) {
    const std::string error =
        error_of("{\"rows\": [{\"kernel\": 3, \"strid\": 1}]}", [](const JsonReader &json) {
            const JsonReader row = json.at("rows").items().at(0);
            row.find("kernel");
            row.find("stride");
            row.finish();
        });
    EXPECT_EQ(error, "net.json:/rows/0: unknown key \"strid\", expected one of kernel, stride; "
                     "did you mean 'stride'?");
}

TEST(JsonReader, says_what_was_expected_and_what_was_found) {
    EXPECT_EQ(error_of("{\"a\": \"x\"}", [](const JsonReader &j) { j.at("a").integer(1, 8); }),
              "net.json:/a: expected an integer from 1 to 8, found \"x\"");
    EXPECT_EQ(error_of("{\"a\": 9}", [](const JsonReader &j) { j.at("a").integer(1, 8); }),
              "net.json:/a: expected an integer from 1 to 8, found 9");
    EXPECT_EQ(error_of("[]", [](const JsonReader &j) { j.at("a"); }),
              "net.json:/: expected an object, found []");
    EXPECT_EQ(error_of("{\"b\": \"rely\"}",
                       [](const JsonReader &j) {
                           j.at("b").one_of({"none", "relu"});
                       }),
              "net.json:/b: unknown value \"rely\", expected one of none, relu; did you mean "
              "'relu'?");
}

TEST(JsonReader, a_missing_key_names_a_similar_one_that_is_there) {
    const std::string error =
        error_of("{\"resolutoin\": 1}", [](const JsonReader &j) { j.at("resolution"); });
    EXPECT_EQ(error,
              "net.json:/: the key \"resolution\" is missing; the nearest here is \"resolutoin\"");
}

TEST(JsonReader, refuses_a_key_that_stands_twice) {
    const std::string error = error_of("{\"a\": {\"b\": 1, \"b\": 2}}", [](const JsonReader &) {});
    EXPECT_EQ(error, "net.json: the key \"b\" stands twice in one object");
}

TEST(JsonReader, integers_beyond_64_bits_are_refused) {
    const std::string error = error_of("{\"a\": 18446744073709551615}",
                                       [](const JsonReader &j) { j.at("a").integer(0, 10); });
    EXPECT_NE(error.find("expected an integer"), std::string::npos) << error;
}

} // namespace
} // namespace edgefront
