#include "hwmodels/reference.h"

#include "dsl/zoo.h"

#include <algorithm>

namespace edgefront {

bool is_path(const std::string &reference) {
    const std::string tail = ".json";
    return reference.find('/') != std::string::npos ||
           (reference.size() > tail.size() &&
            reference.rfind(tail) == reference.size() - tail.size());
}

std::vector<std::string> names_in(const std::string &folder) {
    const auto directory = data_directory() / folder;
    std::vector<std::string> names;
    std::error_code status;
    for (const auto &entry : std::filesystem::directory_iterator(directory, status)) {
        if (entry.path().extension() == ".json") {
            names.push_back(entry.path().stem());
        }
    }
    if (status) {
        throw UserError({directory.string(), ""}, "cannot list: " + status.message());
    }
    std::sort(names.begin(), names.end());
    return names;
}

std::filesystem::path referenced_file(const JsonReader &reference, const std::string &folder) {
    const std::string text = reference.string();
    if (is_path(text)) {
        const auto path = std::filesystem::path(reference.file()).parent_path() / text;
        if (!std::filesystem::is_regular_file(path)) {
            throw reference.error("there is no file " + path.string());
        }
        return path;
    }
    const std::vector<std::string> names = names_in(folder);
    if (!std::binary_search(names.begin(), names.end(), text)) {
        throw reference.error("unknown name '" + text + "'" + did_you_mean(text, names) +
                              "; expected one of " + join(names) + ", or a path to a file");
    }
    return data_directory() / folder / (text + ".json");
}

} // namespace edgefront
