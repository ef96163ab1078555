// Arithmetic in network files: "input_channels / 2", "stride == 2 && input_channels != channels".
// Numbers, variables, the operators of C, `a ? b : c`, and the functions scale(c) (the family's
// width rule), divisible(c, d) (make_divisible), floor, ceil, round, min, max (muParser).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace edgefront {

using Variables = std::map<std::string, double>;

/// Evaluates expressions; each text is parsed once.
class Expressions {
public:
    /// `scale` is the function of that name.
    explicit Expressions(std::function<double(double)> scale);
    ~Expressions();
    Expressions(const Expressions &) = delete;
    Expressions &operator=(const Expressions &) = delete;

    /// A finite number. Throws UserError naming the expression and, for an unknown variable, the
    /// nearest and all that are known.
    double value(const std::string &text, const Variables &known);

private:
    struct Parsed;
    const Parsed &parsed(const std::string &text);

    std::function<double(double)> scale_;
    std::map<std::string, std::unique_ptr<Parsed>> parsed_;
};

} // namespace edgefront
