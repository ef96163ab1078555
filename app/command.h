// What every subcommand shares. A subcommand is one file: an options struct, `add_x` that declares
// the flags, and a run function of a few dozen lines. Only app/ prints, parses flags and exits.
#pragma once

#include "dsl/weights.h"
#include "dsl/zoo.h"
#include "reports/table.h"

#include <CLI/CLI.hpp>

#include <functional>
#include <optional>
#include <string>

namespace edgefront {

/// Exit codes, a contract with scripts.
enum ExitCode {
    exit_ok = 0,
    exit_check_failed = 1,
    exit_usage = 2,
    exit_infeasible = 3,
    exit_internal = 70,
    exit_interrupted = 130,
};

/// What the parsed command line asks for; `main` runs it and maps exceptions to exit codes.
struct Session {
    bool quiet = false;
    bool verbose = false;
    std::function<int()> action;
};

/// --format and -o of a command whose result is a table or JSON.
struct OutputOptions {
    std::string format = "table";
    std::string path; ///< empty: stdout

    void add_to(CLI::App &command, const std::vector<std::string> &formats = format_names());
    /// Writes to the file (whole or not at all) or to stdout; throws UserError when that fails.
    void write(const std::string &text) const;
    /// `json` for --format json, the table in any other format.
    void write(const Table &table, const Json &json) const;
};

/// A network given as N, or as --run DIR --point ID.
struct NetworkOptions {
    std::string name;
    std::string run;
    std::string point;
    double width = 0;   ///< 0: as N says
    int resolution = 0; ///< 0: as N says

    void add_to(CLI::App &command);
    Network resolve() const;
};

/// A network with its numbers.
struct NumberedOptions {
    NetworkOptions network;
    std::string weights; ///< safetensors file; empty: random
    std::uint64_t seed = 1;

    void add_to(CLI::App &command);
    /// As it stands in the file, or drawn; nothing is folded.
    TensorMap checkpoint(const Network &resolved) const;
    std::string source() const; ///< "file w.safetensors", "seed 1"
};

void add_networks(CLI::App &app, Session &session);
void add_describe(CLI::App &app, Session &session);
void add_targets(CLI::App &app, Session &session);
void add_estimate(CLI::App &app, Session &session);
void add_calibrate(CLI::App &app, Session &session);
void add_tune(CLI::App &app, Session &session);
void add_run(CLI::App &app, Session &session);
void add_bench(CLI::App &app, Session &session);
void add_generate(CLI::App &app, Session &session);
void add_export(CLI::App &app, Session &session);
void add_sweep(CLI::App &app, Session &session);
void add_explore(CLI::App &app, Session &session);
void add_front(CLI::App &app, Session &session);
void add_merge(CLI::App &app, Session &session);
void add_report(CLI::App &app, Session &session);
void add_compare(CLI::App &app, Session &session);

} // namespace edgefront
