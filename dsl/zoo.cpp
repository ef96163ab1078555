#include "dsl/zoo.h"

#include "base/error.h"
#include "dsl/family_json.h"

#include <cmath>
#include <cstdlib>

namespace edgefront {

namespace fs = std::filesystem;

fs::path data_directory() {
    if (const char *given = std::getenv("EDGEFRONT_DATA"); given != nullptr && *given != '\0') {
        return given;
    }
    std::error_code ec;
    const fs::path program = fs::read_symlink("/proc/self/exe", ec);
    const fs::path beside = program.parent_path().parent_path() / "share" / "edgefront";
    return fs::is_directory(beside, ec) ? beside : fs::path(EDGEFRONT_SOURCE_DATA);
}

Zoo::Zoo(const fs::path &directory) {
    std::error_code ec;
    for (const auto &entry : fs::directory_iterator(directory, ec)) {
        if (entry.path().extension() == ".json") {
            for (Family &family : read_family_file(entry.path())) {
                const auto claim = [&](const std::string &name) {
                    if (!aliases_.emplace(name, family.name).second) {
                        throw UserError({entry.path().string(), ""},
                                        "the name '" + name + "' is already taken in this zoo");
                    }
                };
                claim(family.name);
                for (const auto &alias : family.aliases) {
                    claim(alias);
                }
                families_.emplace(family.name, std::move(family));
            }
        }
    }
    if (ec) {
        throw UserError({directory.string(), ""}, "cannot read the zoo: " + ec.message());
    }
}

const Family *Zoo::find(const std::string &name) const & {
    const auto it = aliases_.find(name);
    return it == aliases_.end() ? nullptr : &families_.at(it->second);
}

const Family &Zoo::get(const std::string &name) const & {
    if (const Family *family = find(name)) {
        return *family;
    }
    std::vector<std::string> names;
    for (const auto &[known, family] : aliases_) {
        names.push_back(known);
    }
    throw UserError("unknown network '" + name + "'" + did_you_mean(name, names) +
                    " (`edgefront networks` lists them; a file must end in .json)");
}

namespace {

double parse_number(const std::string &text, const std::string &whole, const std::string &what) {
    char *end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    if (text.empty() || *end != '\0' || !(value > 0)) {
        throw UserError("'" + whole + "': expected " + what + ", found \"" + text +
                        "\" (a network is NAME, NAME@WIDTH or NAME@WIDTH,RESOLUTION)");
    }
    return value;
}

int parse_pixels(const std::string &text, const std::string &whole) {
    const double value = parse_number(text, whole, "a resolution in pixels, 224 or HEIGHTxWIDTH");
    if (value != std::floor(value) || value > 1e6) {
        throw UserError("'" + whole + "': a resolution is an integer");
    }
    return static_cast<int>(value);
}

} // namespace

Network Zoo::network(const std::string &text, const Variant &base) const {
    Variant variant = base;
    // A path may hold an '@' of its own, but nothing follows a file's ".json" but a variant.
    const auto at = fs::path(text).extension() == ".json" ? std::string::npos : text.rfind('@');
    const std::string name = text.substr(0, at);
    if (at != std::string::npos) {
        const std::string tail = text.substr(at + 1);
        const auto comma = tail.find(',');
        variant.width = parse_number(tail.substr(0, comma), text, "a width multiplier");
        if (comma != std::string::npos) {
            const std::string size = tail.substr(comma + 1);
            const auto by = size.find('x');
            variant.resolution = parse_pixels(size.substr(0, by), text);
            variant.input_width =
                by == std::string::npos ? 0 : parse_pixels(size.substr(by + 1), text);
        }
    }
    const fs::path path = name;
    if (path.extension() == ".json" || name.find('/') != std::string::npos) {
        const std::vector<Family> families = read_family_file(path);
        if (families.size() > 1) {
            throw UserError({name, "/sizes"}, "a file of several sizes is no network; put it into "
                                              "the zoo's folder and name one of them");
        }
        return build(families.front(), variant);
    }
    return build(get(name), variant);
}

} // namespace edgefront
