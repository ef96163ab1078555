// The walls of the house: which folder may include which, where Halide and ONNX may be seen, who
// prints.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

namespace fs = std::filesystem;

namespace {

/// Each folder includes itself and what stands to its left.
const std::vector<std::string> chain = {"base",   "dsl",     "schedules", "hwmodels",
                                        "search", "reports", "app"};

/// The files (path without extension) that may include Halide.h: algorithm, schedule, code.
const std::regex sees_halide("dsl/algorithms.*|schedules/(apply|emit).*|tests/.*");

/// Likewise for ONNX and its protocol buffers.
const std::regex sees_onnx("dsl/onnx_(graph|export)|tests/onnx/.*");

/// exit(), printf(), streams to the terminal: app/ alone does that.
const std::regex prints_or_exits(
    R"((\b(exit|_exit|quick_exit|printf|puts|putchar)\s*\(|\bf(printf|puts|write)\s*\([^;]*\bstd(out|err)\b|\bstd::(cout|cerr|clog)\b|\bspdlog\b))");

constexpr std::size_t most_lines = 600;

struct Source {
    std::string path; ///< from the root: "dsl/layer.h"
    std::vector<std::string> lines;

    std::string folder() const { return path.substr(0, path.find('/')); }
};

std::vector<std::string> lines_of(std::istream &in) {
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) {
        lines.push_back(line);
    }
    return lines;
}

/// Every file below `folders` whose name ends in one of `endings`.
std::vector<Source> sources(const std::vector<std::string> &folders,
                            const std::vector<std::string> &endings = {".h", ".cpp"}) {
    const fs::path root = EDGEFRONT_ROOT;
    std::vector<Source> found;
    for (const auto &folder : folders) {
        for (const auto &entry : fs::recursive_directory_iterator(root / folder)) {
            const std::string ending = entry.path().extension().string();
            if (entry.is_regular_file() &&
                std::find(endings.begin(), endings.end(), ending) != endings.end()) {
                std::ifstream in(entry.path());
                found.push_back({fs::relative(entry.path(), root).string(), lines_of(in)});
            }
        }
    }
    return found;
}

std::size_t place_in_chain(const std::string &folder) {
    return static_cast<std::size_t>(std::find(chain.begin(), chain.end(), folder) - chain.begin());
}

/// What is wrong with the includes of one file, a line each.
std::vector<std::string> wrong_includes(const Source &source) {
    static const std::regex include(R"(^\s*#\s*include\s*(["<])([^">]+)[">])");
    std::vector<std::string> wrong;
    for (std::size_t i = 0; i < source.lines.size(); i++) {
        std::smatch match;
        if (!std::regex_search(source.lines[i], match, include)) {
            continue;
        }
        const std::string place = source.path + ":" + std::to_string(i + 1) + ": ";
        const std::string name = match[2];
        if (name == "Halide.h" &&
            !std::regex_match(fs::path(source.path).replace_extension().string(), sees_halide)) {
            wrong.push_back(place + "Halide.h is for dsl/algorithms and schedules/{apply,emit}");
        }
        if (std::regex_match(name, std::regex("(onnx|google/protobuf)/.*")) &&
            !std::regex_match(fs::path(source.path).replace_extension().string(), sees_onnx)) {
            wrong.push_back(place + "ONNX's headers are for dsl/onnx_{graph,export}");
        }
        if (match[1] != "\"" || source.folder() == "tests" || name == "Halide.h") {
            continue;
        }
        const std::size_t from = place_in_chain(source.folder());
        const std::size_t to = place_in_chain(name.substr(0, name.find('/')));
        if (to == chain.size()) {
            wrong.push_back(place + "write includes from the root: \"" + source.folder() + "/" +
                            name + "\"");
        } else if (to > from) {
            wrong.push_back(place + source.folder() + "/ stands left of \"" + name + "\"");
        }
    }
    return wrong;
}

/// Lines that print or end the process; comments and snprintf() do not count. What forks a worker
/// ends it, too: the child, by _exit alone.
std::vector<std::string> wrong_prints(const Source &source) {
    std::vector<std::string> wrong;
    const bool forks = source.path == "search/kernels/worker_process.cpp";
    for (std::size_t i = 0; i < source.lines.size(); i++) {
        std::string code = source.lines[i].substr(0, source.lines[i].find("//"));
        if (const std::size_t at = code.find("::_exit("); forks && at != std::string::npos) {
            code.erase(at, 8);
        }
        if (std::regex_search(code, prints_or_exits)) {
            wrong.push_back(source.path + ":" + std::to_string(i + 1) + ": " + code);
        }
    }
    return wrong;
}

Source made_up(const std::string &path, const std::string &text) {
    std::istringstream in(text);
    return {path, lines_of(in)};
}

std::string listed(const std::vector<std::string> &lines) {
    std::string text;
    for (const auto &line : lines) {
        text += "  " + line + "\n";
    }
    return text;
}

} // namespace

TEST(House, a_folder_includes_only_what_stands_to_its_left) {
    std::vector<std::string> wrong;
    const auto files = sources(chain);
    for (const auto &source : files) {
        for (const auto &line : wrong_includes(source)) {
            wrong.push_back(line);
        }
    }
    EXPECT_GT(files.size(), chain.size());
    EXPECT_TRUE(wrong.empty()) << listed(wrong);
}

TEST(House, the_include_scan_finds_what_it_is_meant_to_find) {
    EXPECT_TRUE(wrong_includes(made_up("search/a.cpp", "#include \"dsl/layer.h\"")).empty());
    EXPECT_TRUE(wrong_includes(made_up("dsl/algorithms.h", "#include <Halide.h>")).empty());
    EXPECT_TRUE(wrong_includes(made_up("dsl/onnx_graph.h", "#include <onnx/onnx_pb.h>")).empty());
    EXPECT_EQ(wrong_includes(made_up("dsl/a.cpp", "#include <onnx/onnx_pb.h>")).size(), 1u);
    EXPECT_EQ(wrong_includes(made_up("dsl/a.h", "#include \"search/pareto.h\"")).size(), 1u);
    EXPECT_EQ(wrong_includes(made_up("dsl/a.h", "  #  include \"app/command.h\"")).size(), 1u);
    EXPECT_EQ(wrong_includes(made_up("dsl/a.cpp", "#include \"layer.h\"")).size(), 1u);
    EXPECT_EQ(wrong_includes(made_up("search/a.cpp", "#include <Halide.h>")).size(), 1u);
    EXPECT_EQ(wrong_includes(made_up("search/a.cpp", "#include \"Halide.h\"")).size(), 1u);
}

TEST(House, a_library_links_only_its_left_neighbours) {
    static const std::regex linked("edgefront_(" + [] {
        std::string names;
        for (const auto &folder : chain) {
            names += (names.empty() ? "" : "|") + folder;
        }
        return names;
    }() + ")\\b");
    for (const auto &source : sources(chain, {".txt"})) {
        for (const auto &line : source.lines) {
            for (std::sregex_iterator it(line.begin(), line.end(), linked), end; it != end; ++it) {
                EXPECT_LE(place_in_chain((*it)[1]), place_in_chain(source.folder()))
                    << source.path << ": " << line;
            }
        }
    }
}

TEST(House, only_app_prints_and_exits) {
    std::vector<std::string> wrong;
    for (const auto &source : sources({chain.begin(), chain.end() - 1})) {
        for (const auto &line : wrong_prints(source)) {
            wrong.push_back(line);
        }
    }
    EXPECT_TRUE(wrong.empty()) << listed(wrong);
}

TEST(House, the_print_scan_finds_what_it_is_meant_to_find) {
    EXPECT_TRUE(wrong_prints(made_up("dsl/a.cpp", "std::snprintf(text, 9, format);")).empty());
    EXPECT_TRUE(wrong_prints(made_up("dsl/a.cpp", "// exit(1) would be wrong")).empty());
    for (const char *line : {"std::printf(\"x\");", "std::exit(1);", "exit (1);",
                             "std::fprintf(stderr, \"x\");", "std::cout << 1;", "puts(\"x\");"}) {
        EXPECT_EQ(wrong_prints(made_up("dsl/a.cpp", line)).size(), 1u) << line;
    }
    EXPECT_TRUE(wrong_prints(made_up("search/kernels/worker_process.cpp", "::_exit(1);")).empty());
    EXPECT_EQ(wrong_prints(made_up("search/kernels/worker_process.cpp", "std::exit(1);")).size(),
              1u);
    EXPECT_EQ(wrong_prints(made_up("search/kernels/in_situ.cpp", "::_exit(1);")).size(), 1u);
}

TEST(House, headers_are_guarded_and_files_stay_short) {
    auto folders = chain;
    folders.push_back("tests");
    for (const auto &source : sources(folders)) {
        EXPECT_LE(source.lines.size(), most_lines) << source.path << ": split it";
        if (fs::path(source.path).extension() == ".h") {
            // A header that C sources of a kernel package share has a guard instead.
            EXPECT_TRUE(std::any_of(source.lines.begin(), source.lines.end(),
                                    [](const std::string &line) {
                                        return line == "#pragma once" ||
                                               line.rfind("#ifndef EDGEFRONT_", 0) == 0;
                                    }))
                << source.path << " lacks #pragma once";
        }
    }
}
