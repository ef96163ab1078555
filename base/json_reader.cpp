#include "base/json_reader.h"

#include "base/files.h"

#include <algorithm>

namespace edgefront {

namespace {

std::string shown(const Json &value) {
    std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
    return text.size() <= 60 ? text : text.substr(0, 57) + "...";
}

std::string range(double least, double most) {
    return "from " + Json(least).dump() + " to " + Json(most).dump();
}

Where position_of(const std::string &text, std::size_t byte, const std::string &file) {
    const std::size_t end = std::min(byte > 0 ? byte - 1 : 0, text.size());
    const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<long>(end), '\n');
    const std::size_t start = end == 0 ? std::string::npos : text.rfind('\n', end - 1);
    const std::size_t column = end - (start == std::string::npos ? 0 : start + 1) + 1;
    return {file, "line " + std::to_string(line) + ", column " + std::to_string(column)};
}

} // namespace

JsonReader::JsonReader(std::shared_ptr<const Json> root, const Json *value,
                       std::shared_ptr<const std::string> file, std::string pointer)
    : root_(std::move(root)), value_(value), file_(std::move(file)), pointer_(std::move(pointer)),
      known_(std::make_shared<std::vector<std::string>>()) {}

JsonReader JsonReader::parse(const std::string &text, const std::string &file) {
    // nlohmann keeps the last of two equal keys without a word; that is how edits get lost.
    std::vector<std::vector<std::string>> keys;
    std::string duplicate;
    const Json::parser_callback_t watch = [&](int, Json::parse_event_t event, Json &parsed) {
        if (event == Json::parse_event_t::object_start) {
            keys.emplace_back();
        } else if (event == Json::parse_event_t::object_end) {
            keys.pop_back();
        } else if (event == Json::parse_event_t::key) {
            const auto key = parsed.get<std::string>();
            if (std::count(keys.back().begin(), keys.back().end(), key) > 0) {
                duplicate = key;
            }
            keys.back().push_back(key);
        }
        return true;
    };
    std::shared_ptr<const Json> root;
    try {
        root = std::make_shared<const Json>(Json::parse(text, watch, true, true));
    } catch (const Json::parse_error &e) {
        std::string what = e.what();
        // "[json.exception.parse_error.101] parse error at line 1, column 2: the message"
        if (const auto colon = what.find(": "); colon != std::string::npos) {
            what = what.substr(colon + 2);
        }
        throw UserError(position_of(text, e.byte, file), "not valid JSON: " + what);
    } catch (const Json::exception &e) {
        throw UserError({file, ""}, std::string("not valid JSON: ") + e.what());
    }
    if (!duplicate.empty()) {
        throw UserError({file, ""}, "the key \"" + duplicate + "\" stands twice in one object");
    }
    const Json *value = root.get();
    return JsonReader(root, value, std::make_shared<const std::string>(file), "");
}

JsonReader JsonReader::parse_file(const std::filesystem::path &path) {
    return parse(read_file(path), path.string());
}

JsonReader JsonReader::of(Json value, const Where &where) {
    auto root = std::make_shared<const Json>(std::move(value));
    const Json *top = root.get();
    return JsonReader(std::move(root), top, std::make_shared<const std::string>(where.file),
                      where.position == "/" ? "" : where.position);
}

JsonReader JsonReader::child(const Json &value, const std::string &token) const {
    std::string escaped;
    for (const char c : token) { // RFC 6901
        escaped += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    }
    return JsonReader(root_, &value, file_, pointer_ + "/" + escaped);
}

void JsonReader::expected(const std::string &what) const {
    throw error("expected " + what + ", found " + shown(*value_));
}

std::optional<JsonReader> JsonReader::find(const std::string &key) const {
    if (!value_->is_object()) {
        expected("an object");
    }
    if (std::find(known_->begin(), known_->end(), key) == known_->end()) {
        known_->push_back(key);
    }
    const auto it = value_->find(key);
    return it == value_->end() ? std::nullopt : std::optional(child(*it, key));
}

JsonReader JsonReader::at(const std::string &key) const {
    if (auto found = find(key)) {
        return *found;
    }
    std::vector<std::string> unread; // those asked for before have a meaning of their own
    for (const auto &item : value_->items()) {
        if (std::find(known_->begin(), known_->end(), item.key()) == known_->end()) {
            unread.push_back(item.key());
        }
    }
    const std::string nearest = nearest_name(key, unread);
    throw error("the key \"" + key + "\" is missing" +
                (nearest.empty() ? "" : "; the nearest here is \"" + nearest + "\""));
}

std::vector<JsonReader> JsonReader::items() const {
    if (!value_->is_array()) {
        expected("an array");
    }
    std::vector<JsonReader> result;
    for (std::size_t i = 0; i < value_->size(); i++) {
        result.push_back(child((*value_)[i], std::to_string(i)));
    }
    return result;
}

std::vector<std::pair<std::string, JsonReader>> JsonReader::members() const {
    if (!value_->is_object()) {
        expected("an object");
    }
    std::vector<std::pair<std::string, JsonReader>> result;
    for (const auto &item : value_->items()) {
        known_->push_back(item.key());
        result.emplace_back(item.key(), child(item.value(), item.key()));
    }
    return result;
}

std::string JsonReader::string() const {
    if (!value_->is_string()) {
        expected("a string");
    }
    return value_->get<std::string>();
}

bool JsonReader::boolean() const {
    if (!value_->is_boolean()) {
        expected("true or false");
    }
    return value_->get<bool>();
}

std::int64_t JsonReader::integer(std::int64_t least, std::int64_t most) const {
    const std::string what =
        "an integer from " + std::to_string(least) + " to " + std::to_string(most);
    if (!value_->is_number_integer()) {
        expected(what);
    }
    if (value_->is_number_unsigned() &&
        value_->get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX)) {
        expected(what);
    }
    const auto v = value_->get<std::int64_t>();
    if (v < least || v > most) {
        expected(what);
    }
    return v;
}

double JsonReader::number(double least, double most) const {
    if (!value_->is_number()) {
        expected("a number " + range(least, most));
    }
    const auto v = value_->get<double>();
    if (!(v >= least && v <= most)) {
        expected("a number " + range(least, most));
    }
    return v;
}

std::vector<double> JsonReader::numbers(double least, double most) const {
    std::vector<double> result;
    for (const auto &item : items()) {
        result.push_back(item.number(least, most));
    }
    return result;
}

std::vector<std::int64_t> JsonReader::integers(std::int64_t least, std::int64_t most) const {
    std::vector<std::int64_t> result;
    for (const auto &item : items()) {
        result.push_back(item.integer(least, most));
    }
    return result;
}

std::vector<std::string> JsonReader::strings() const {
    std::vector<std::string> result;
    for (const auto &item : items()) {
        result.push_back(item.string());
    }
    return result;
}

std::size_t JsonReader::one_of(const std::vector<std::string> &names) const {
    const std::string name = string();
    const auto it = std::find(names.begin(), names.end(), name);
    if (it == names.end()) {
        throw error("unknown value \"" + name + "\", expected one of " + join(names) +
                    did_you_mean(name, names));
    }
    return static_cast<std::size_t>(it - names.begin());
}

void JsonReader::finish() const {
    for (const auto &item : value_->items()) {
        if (std::find(known_->begin(), known_->end(), item.key()) == known_->end()) {
            throw error("unknown key \"" + item.key() + "\", expected one of " + join(*known_) +
                        did_you_mean(item.key(), *known_));
        }
    }
}

} // namespace edgefront
