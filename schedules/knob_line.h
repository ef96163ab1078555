// Reading a line of knobs, "WORD knob=value knob=value ...": what Mapping and Fusion share.
#pragma once

#include "base/error.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace edgefront {

std::vector<std::string> split(const std::string &text, char separator);

/// Checks the values of one line; every error names the line.
class KnobLine {
public:
    /// `what` the line is ("mapping"), for its errors.
    KnobLine(std::string what, const std::string &line) : what_(std::move(what)), line_(line) {}

    UserError bad(const std::string &problem) const {
        return UserError(what_ + " \"" + line_ + "\": " + problem);
    }

    /// Gives every knob and its value to `set`. Throws UserError when the line does not start with
    /// `word`, when something is no knob=value, or a knob that stands twice.
    void
    read(const std::string &word,
         const std::function<void(const std::string &knob, const std::string &value)> &set) const;

    /// The error for a knob that is none of `knobs`.
    UserError unknown(const std::string &knob, const std::vector<std::string> &knobs) const;

    /// The place of a value among `names`.
    std::size_t name(const std::string &knob, const std::string &value,
                     const std::vector<std::string> &names) const;
    std::int64_t number(const std::string &knob, const std::string &value, std::int64_t least,
                        std::int64_t largest) const;
    /// `count` numbers from 1 up with x between them.
    std::vector<std::int64_t> extents(const std::string &knob, const std::string &value,
                                      std::size_t count, std::int64_t largest) const;

private:
    std::string what_;
    const std::string &line_;
};

} // namespace edgefront
