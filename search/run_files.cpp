// The files of a sweep's folder as text (run_directory.h).
#include "base/csv.h"
#include "base/files.h"
#include "search/run_directory.h"

#include <fmt/format.h>

namespace edgefront {

std::string dump_lines(const Json &object) {
    std::string text;
    for (const auto &member : object.items()) {
        text += (text.empty() ? "{\n" : ",\n") + Json(member.key()).dump() + ": ";
        if (!member.value().is_array() || member.value().empty()) {
            text += member.value().dump();
            continue;
        }
        const char *separator = "[\n ";
        for (const auto &element : member.value()) {
            text += separator + element.dump();
            separator = ",\n ";
        }
        text += "\n]";
    }
    return text + "\n}\n";
}

std::string front_csv(const RunResult &result) {
    std::string text = "id";
    for (const auto &name : result.choice_names) {
        text += "," + csv_cell(name);
    }
    for (const auto &objective : result.objectives) {
        text += "," + csv_cell(objective.name);
    }
    const auto refined = result.refined_objectives();
    for (const std::size_t o : refined) {
        const std::string &name = result.objectives[o].name;
        text += "," + csv_cell("predicted " + name) + "," + csv_cell("kind " + name);
    }
    text += refined.empty() ? "\n" : ",standing\n";
    for (const auto &point : result.points) {
        text += point.id;
        for (const auto &choice : point.choices) {
            text += "," + csv_cell(choice);
        }
        for (const double value : point.values) {
            text += fmt::format(",{}", value);
        }
        for (const std::size_t o : refined) {
            text += fmt::format(",{},{}", point.first_values()[o], result.kind_of(point, o));
        }
        text += refined.empty() ? "\n" : "," + csv_cell(to_string(point.standing())) + "\n";
    }
    return text;
}

RunResult read_run(const std::filesystem::path &directory) {
    const auto path = directory / "front.json";
    std::error_code ec;
    if (!std::filesystem::exists(path, ec)) {
        throw UserError({directory.string(), ""},
                        "no sweep's result here (front.json is missing); `edgefront sweep "
                        "SPACE.json --run DIR` makes one");
    }
    return read_run_result(JsonReader::parse_file(path));
}

void write_result(const std::filesystem::path &directory, const RunResult &result) {
    write_file(directory / "front.csv", front_csv(result));
    write_file(directory / "front.json", dump_lines(to_json(result)));
}

} // namespace edgefront
