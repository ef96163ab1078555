#include "search/accuracy_cache.h"

#include "base/error.h"
#include "base/files.h"
#include "base/json_reader.h"

#include <fmt/format.h>

#include <sstream>

namespace edgefront {

namespace fs = std::filesystem;

AccuracyCache::AccuracyCache(const fs::path &path) : path_(path) {
    if (!fs::exists(path)) {
        return;
    }
    const std::string text = read_file(path);
    const std::size_t whole = text.rfind('\n') + 1; // 0 when there is no line
    if (whole < text.size()) {
        fs::resize_file(path, whole);
    }
    std::istringstream lines(text.substr(0, whole));
    int number = 0;
    for (std::string line; std::getline(lines, line);) {
        const JsonReader json =
            JsonReader::parse(line, fmt::format("{}, line {}", path.string(), ++number));
        CommandAnswer answer;
        if (const auto percent = json.at("percent"); percent.is_number()) {
            answer.percent = percent.number(0, 100);
        } else {
            answer.failure = static_cast<CommandAnswer::Failure>(
                json.at("failure").integer(0, CommandAnswer::too_long));
            answer.reason = json.at("reason").string();
            answer.timeout_s = static_cast<int>(json.at("timeout_s").integer(1, 10000000));
        }
        json.at("id").string();
        answers_[{json.at("command").string(), json.at("network").string()}] = answer;
        json.finish();
    }
}

const CommandAnswer *AccuracyCache::find(const std::string &command,
                                         const std::string &network) const {
    const auto it = answers_.find({command, network});
    return it == answers_.end() ? nullptr : &it->second;
}

void AccuracyCache::require_writable() {
    if (!file_.is_open()) {
        file_.open(path_, std::ios::app);
    }
    if (!file_) {
        throw UserError({path_.string(), ""}, "cannot write the cache of accuracies");
    }
}

void AccuracyCache::add(const std::string &command, const std::string &network,
                        const std::string &id, const CommandAnswer &answer) {
    Json line = {{"id", id}, {"network", network}, {"command", command}};
    if (answer.percent) {
        line["percent"] = *answer.percent;
    } else {
        line["percent"] = Json();
        line["failure"] = static_cast<int>(answer.failure);
        line["reason"] = answer.reason;
        line["timeout_s"] = answer.timeout_s;
    }
    require_writable();
    file_ << line.dump() + "\n" << std::flush;
    require_writable();
    answers_[{command, network}] = answer;
}

} // namespace edgefront
