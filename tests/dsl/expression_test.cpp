#include "base/error.h"
#include "dsl/expression.h"

#include <gtest/gtest.h>

namespace edgefront {
namespace {

Expressions doubling() {
    return Expressions([](double channels) { return 2 * channels; });
}

std::string error_of(const std::string &text, const Variables &known = {}) {
    try {
        doubling().value(text, known);
    } catch (const UserError &e) {
        return e.what();
    }
    return "";
}

void expect_error(const std::string &text, const Variables &known, const std::string &part) {
    EXPECT_NE(error_of(text, known).find(part), std::string::npos) << error_of(text, known);
}

TEST(Expression, knows_arithmetic_conditions_and_variables) {
    Expressions expressions = doubling();
    const Variables v = {{"channels", 48}, {"stride", 2}};
    EXPECT_EQ(expressions.value("channels / 2 + 1", v), 25);
    EXPECT_EQ(expressions.value("stride == 2 && channels != 48", v), 0);
    EXPECT_EQ(expressions.value("stride > 1 ? 7 : 9", v), 7);
    EXPECT_EQ(expressions.value("channels <= 48", v), 1);
}

TEST(Expression, has_the_functions_of_width_rules) {
    Expressions expressions = doubling();
    EXPECT_EQ(expressions.value("scale(24)", {}), 48) << "as the constructor says";
    EXPECT_EQ(expressions.value("divisible(37, 16)", {}), 48) << "32 loses more than 10 %";
    EXPECT_EQ(expressions.value("divisible(3, 16)", {}), 16);
    EXPECT_EQ(expressions.value("floor(2.7) + ceil(2.2) + round(2.5)", {}), 8);
    EXPECT_EQ(expressions.value("min(max(5, 16), 64, 32)", {}), 16);
}

TEST(Expression, is_evaluated_anew_with_other_variables) {
    Expressions expressions = doubling();
    EXPECT_EQ(expressions.value("n * n", {{"n", 3}}), 9);
    EXPECT_EQ(expressions.value("n * n", {{"n", 4}}), 16);
}

TEST(Expression, names_an_unknown_variable_its_neighbour_and_all_that_are_known) {
    expect_error("chanels / 2", {{"channels", 48}, {"stride", 1}}, "unknown variable 'chanels'");
    expect_error("chanels / 2", {{"channels", 48}, {"stride", 1}}, "did you mean 'channels'?");
    expect_error("chanels / 2", {{"channels", 48}, {"stride", 1}}, "channels, stride");
}

TEST(Expression, refuses_what_is_no_number) {
    expect_error("1 / 0", {}, "no finite number");
    expect_error("divisible(8, 0)", {}, "no finite number");
    expect_error("divisible(1e18, 8)", {}, "no finite number");
    expect_error("divisible(8, 1e18)", {}, "no finite number");
    expect_error("scale(3e9)", {}, "no finite number");
    expect_error("1, 2", {}, "several values");
    expect_error("(1 + 2", {}, "cannot evaluate \"(1 + 2\"");
    expect_error("", {}, "cannot evaluate");
    expect_error("sine(2)", {}, "functions: scale, divisible");
}

TEST(Expression, takes_a_single_equals_sign_for_the_slip_it_is) {
    expect_error("stride = 2", {{"stride", 1}}, "'==' compares");
    EXPECT_EQ(error_of("stride >= 2 || stride != 3 && stride == 1", {{"stride", 1}}), "");
}

} // namespace
} // namespace edgefront
