// What is thrown when the user's input is at fault: what, where, what was expected, the nearest
// name. (An impossible mapping is an `Infeasible` value; a broken invariant is an assertion.)
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

namespace edgefront {

/// Where in the user's input something is wrong; empty parts are left out of the message.
struct Where {
    std::string file;
    std::string position; ///< JSON pointer ("/blocks/3/kernel") or "line 4, column 7"
};

/// Bad input or bad usage; `app/` prints it and exits with code 2.
class UserError : public std::runtime_error {
public:
    explicit UserError(const std::string &what) : std::runtime_error(what) {}
    UserError(const Where &where, const std::string &what);
};

/// The candidate with the smallest edit distance to `name`, or "" when nothing is near.
std::string nearest_name(const std::string &name, const std::vector<std::string> &candidates);

/// "; did you mean 'x'?" or "" when nothing is near: the tail of every unknown-name message.
std::string did_you_mean(const std::string &name, const std::vector<std::string> &candidates);

/// "a, b, c": the list of what was expected.
std::string join(const std::vector<std::string> &parts, const std::string &separator = ", ");

} // namespace edgefront
