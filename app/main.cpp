#include "app/command.h"
#include "base/error.h"

#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <sys/resource.h>

namespace {

using namespace edgefront;

/// The first word that `app` could not place and the nearest it knows, or "" when all have a place.
std::string unknown_word(const CLI::App &app) {
    std::vector<std::string> options;
    const auto add_options = [&](const CLI::App &command) {
        for (const CLI::Option *option : command.get_options()) {
            for (const std::string &name : option->get_lnames()) {
                options.push_back("--" + name);
            }
        }
    };
    const CLI::App *command = &app; // the innermost that was named
    add_options(app);
    while (!command->get_subcommands().empty()) {
        command = command->get_subcommands().front();
        add_options(*command);
    }
    const std::vector<std::string> words = app.remaining(true);
    for (const std::string &word : words) {
        if (word.size() > 2 && word.compare(0, 2, "--") == 0) {
            return "unknown option '" + word + "'" + did_you_mean(word, options);
        }
    }
    if (words.empty() || command->get_require_subcommand_min() == 0) {
        return "";
    }
    std::vector<std::string> names;
    for (const CLI::App *known : command->get_subcommands([](const CLI::App *) { return true; })) {
        names.push_back(known->get_name());
    }
    return "unknown command '" + words.front() + "', expected one of " + join(names) +
           did_you_mean(words.front(), names);
}

/// CLI11 has its own codes from 100 up; everything that is not a help text is wrong usage.
int usage_exit(const CLI::App &app, const CLI::ParseError &e) {
    const std::string unknown = e.get_exit_code() == 0 ? "" : unknown_word(app);
    if (!unknown.empty()) {
        std::fprintf(stderr, "edgefront: %s\n", unknown.c_str());
        return exit_usage;
    }
    return app.exit(e) == 0 ? exit_ok : exit_usage;
}

/// --verbose: which build and data answered, and what it took.
void describe_run(std::chrono::steady_clock::time_point start) {
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    struct rusage usage = {};
    ::getrusage(RUSAGE_SELF, &usage);
    std::fprintf(stderr, "edgefront %s, data in %s: %.2f s, at most %ld KiB of memory\n",
                 EDGEFRONT_VERSION, data_directory().c_str(), took.count(), usage.ru_maxrss);
}

} // namespace

int main(int argc, char **argv) {
    // A reader that goes away must not end a run that still has files to write (command.cpp).
    std::signal(SIGPIPE, SIG_IGN);
    // Nor may a file that grows past `ulimit -f`: the write fails then, with a message.
    std::signal(SIGXFSZ, SIG_IGN);

    CLI::App app{
        "Architecture exploration and hardware-cost simulation of MobileNet-class networks.",
        "edgefront"};
    app.set_version_flag("--version", EDGEFRONT_VERSION);
    app.require_subcommand(1);
    app.fallthrough();
    Session session;
    app.add_flag("-q,--quiet", session.quiet, "No progress and no remarks");
    app.add_flag("-v,--verbose", session.verbose,
                 "Also say which data were used, the time and the memory");

    add_networks(app, session);
    add_describe(app, session);
    add_targets(app, session);
    add_estimate(app, session);
    add_calibrate(app, session);
    add_tune(app, session);
    add_run(app, session);
    add_bench(app, session);
    add_generate(app, session);
    add_export(app, session);
    add_sweep(app, session);
    add_explore(app, session);
    add_front(app, session);
    add_merge(app, session);
    add_report(app, session);
    add_compare(app, session);

    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError &e) {
        return usage_exit(app, e);
    }
    try {
        const auto start = std::chrono::steady_clock::now();
        const int code = session.action();
        if (session.verbose) {
            describe_run(start);
        }
        return code;
    } catch (const UserError &e) {
        std::fprintf(stderr, "edgefront: %s\n", e.what());
        return exit_usage;
    } catch (const std::exception &e) {
        std::fprintf(stderr, "edgefront: internal error: %s\n", e.what());
        return exit_internal;
    }
}
