// Strict JSON with comments. A `JsonReader` is a cursor: it knows its file and JSON pointer, hands
// out typed members, and complains about members nobody asked for.
//
//   JsonReader root = JsonReader::parse_file("data/targets/x.json");
//   int clock = root.at("clock_mhz").integer(1, 10000);
//   for (const JsonReader &row : root.at("levels").items()) { ... }
//   root.finish();    // unknown key "clok_mhz"; did you mean 'clock_mhz'?
#pragma once

#include "base/error.h"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace edgefront {

/// Keys keep the order they were written in, so equal runs give equal bytes.
using Json = nlohmann::ordered_json;

class JsonReader {
public:
    /// Parses text; syntax errors become UserErrors with file, line and column.
    static JsonReader parse(const std::string &text, const std::string &file);
    static JsonReader parse_file(const std::filesystem::path &path);
    /// A value made elsewhere, to be read as if it stood at `where`.
    static JsonReader of(Json value, const Where &where);

    /// The member `key`; its absence is an error. Throws also when this is no object.
    JsonReader at(const std::string &key) const;
    /// The member `key`, or nothing when absent.
    std::optional<JsonReader> find(const std::string &key) const;
    bool has(const std::string &key) const { return find(key).has_value(); }

    std::vector<JsonReader> items() const;                           ///< of an array
    std::vector<std::pair<std::string, JsonReader>> members() const; ///< of an object

    std::string string() const;
    bool boolean() const;
    std::int64_t integer(std::int64_t least, std::int64_t most) const;
    double number(double least, double most) const;
    std::vector<double> numbers(double least, double most) const;
    std::vector<std::int64_t> integers(std::int64_t least, std::int64_t most) const;
    std::vector<std::string> strings() const;

    /// A string that must be one of `names`; returns its index.
    std::size_t one_of(const std::vector<std::string> &names) const;

    bool is_string() const { return value_->is_string(); }
    bool is_object() const { return value_->is_object(); }
    bool is_array() const { return value_->is_array(); }
    bool is_number() const { return value_->is_number(); }

    /// Throws when this object has a member that was never asked for with `at` or `find`.
    void finish() const;

    const Json &value() const { return *value_; }
    const std::string &file() const { return *file_; }
    const std::string &pointer() const { return pointer_; }
    Where where() const { return {*file_, pointer_.empty() ? "/" : pointer_}; }

    /// An error at this place.
    UserError error(const std::string &what) const { return UserError(where(), what); }

private:
    JsonReader(std::shared_ptr<const Json> root, const Json *value,
               std::shared_ptr<const std::string> file, std::string pointer);
    JsonReader child(const Json &value, const std::string &token) const;
    [[noreturn]] void expected(const std::string &what) const;

    std::shared_ptr<const Json> root_;
    const Json *value_;
    std::shared_ptr<const std::string> file_;
    std::string pointer_;
    /// Keys asked for so far; shared by copies of this cursor.
    std::shared_ptr<std::vector<std::string>> known_;
};

} // namespace edgefront
