// What a user's program has said about networks, kept for this run and others: one JSON line per
// answer, written as soon as it is known.
#pragma once

#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace edgefront {

/// What running the program once has shown; the failures in the order of `accuracy_rules`.
struct CommandAnswer {
    enum Failure { ends_badly, no_percentage, too_long };
    std::optional<double> percent;
    Failure failure = ends_badly; ///< without a percentage
    std::string reason;
    int timeout_s = 0; ///< the time it had
};

class AccuracyCache {
public:
    /// Reads the file when it is there; a last line that was cut off is dropped. Throws UserError
    /// for other bad lines, with their number.
    explicit AccuracyCache(const std::filesystem::path &path);

    const std::filesystem::path &path() const { return path_; }
    /// By the command and the hash of the network's file.
    const CommandAnswer *find(const std::string &command, const std::string &network) const;
    /// Throws UserError when nothing can be added to the file.
    void require_writable();
    /// Replaces an older answer. `id` is for people who read the file.
    void add(const std::string &command, const std::string &network, const std::string &id,
             const CommandAnswer &answer);

private:
    std::filesystem::path path_;
    std::map<std::pair<std::string, std::string>, CommandAnswer> answers_;
    std::ofstream file_; ///< opened when it is first needed
};

} // namespace edgefront
