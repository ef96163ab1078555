#include "base/error.h"

#include <algorithm>
#include <numeric>

namespace edgefront {

namespace {

std::string located(const Where &where, const std::string &what) {
    std::string text = where.file;
    if (!where.position.empty()) {
        text += text.empty() ? where.position : ":" + where.position;
    }
    return text.empty() ? what : text + ": " + what;
}

/// Levenshtein distance, one row at a time.
std::size_t edit_distance(const std::string &a, const std::string &b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); i++) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); j++) {
            const std::size_t substituted = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
        }
    }
    return row[b.size()];
}

} // namespace

UserError::UserError(const Where &where, const std::string &what)
    : std::runtime_error(located(where, what)) {}

std::string nearest_name(const std::string &name, const std::vector<std::string> &candidates) {
    std::string best;
    // Farther than half the name is no longer a slip of the finger.
    std::size_t best_distance = std::max<std::size_t>(name.size() / 2, 2) + 1;
    for (const auto &candidate : candidates) {
        const std::size_t distance = edit_distance(name, candidate);
        if (distance < best_distance) {
            best_distance = distance;
            best = candidate;
        }
    }
    return best;
}

std::string did_you_mean(const std::string &name, const std::vector<std::string> &candidates) {
    const std::string nearest = nearest_name(name, candidates);
    return nearest.empty() ? "" : "; did you mean '" + nearest + "'?";
}

std::string join(const std::vector<std::string> &parts, const std::string &separator) {
    std::string text;
    for (const auto &part : parts) {
        text += (text.empty() ? "" : separator) + part;
    }
    return text;
}

} // namespace edgefront
