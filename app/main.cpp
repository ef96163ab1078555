#include "app/command.h"
#include "base/error.h"

#include <csignal>
#include <cstdio>
#include <exception>

namespace {

/// CLI11 has its own codes from 100 up; everything that is not a help text is wrong usage.
int usage_exit(const CLI::App &app, const CLI::ParseError &e) {
    return app.exit(e) == 0 ? edgefront::exit_ok : edgefront::exit_usage;
}

} // namespace

int main(int argc, char **argv) {
    using namespace edgefront;
    // A reader that goes away must not end a run that still has files to write (command.cpp).
    std::signal(SIGPIPE, SIG_IGN);

    CLI::App app{
        "Architecture exploration and hardware-cost simulation of MobileNet-class networks.",
        "edgefront"};
    app.set_version_flag("--version", EDGEFRONT_VERSION);
    app.require_subcommand(1);
    app.fallthrough();
    Session session;
    app.add_flag("-q,--quiet", session.quiet, "No progress and no remarks");
    app.add_flag("-v,--verbose", session.verbose, "Say more on stderr");

    add_networks(app, session);
    add_describe(app, session);
    add_targets(app, session);
    add_estimate(app, session);
    add_calibrate(app, session);
    add_run(app, session);
    add_bench(app, session);
    add_generate(app, session);
    add_sweep(app, session);
    add_front(app, session);
    add_report(app, session);
    add_compare(app, session);

    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError &e) {
        return usage_exit(app, e);
    }
    try {
        return session.action();
    } catch (const UserError &e) {
        std::fprintf(stderr, "edgefront: %s\n", e.what());
        return exit_usage;
    } catch (const std::exception &e) {
        std::fprintf(stderr, "edgefront: internal error: %s\n", e.what());
        return exit_internal;
    }
}
