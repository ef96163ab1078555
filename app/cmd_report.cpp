// edgefront report DIR: a sweep's result for people.
#include "app/command.h"
#include "base/error.h"
#include "reports/report_writers.h"

#include <filesystem>

namespace edgefront {

namespace {

const std::vector<std::string> report_formats = {"html", "md", "svg"};

struct Options {
    std::string directory;
    std::string format; ///< empty: by the ending of the output, else html
    ReportRequest request;
    OutputOptions output;
};

/// The format that is asked for, or that the output's name ends in.
std::string format_of(const std::string &format, const std::string &path) {
    if (!format.empty()) {
        return format;
    }
    const std::string ending = std::filesystem::path(path).extension().string();
    if (ending.empty()) {
        return "html";
    }
    for (const auto &name : report_formats) {
        if (ending == "." + name) {
            return name;
        }
    }
    throw UserError("which format is " + path +
                    "? Expected a name ending in .html, .md or .svg, "
                    "or --format");
}

int run_report(const Options &options) {
    const std::string format = format_of(options.format, options.output.path);
    const RunReport report = collect(read_run(options.directory), Zoo(), options.request);
    options.output.write(format == "html" ? write_html(report)
                         : format == "md" ? write_markdown(report)
                                          : write_svg(report));
    return exit_ok;
}

} // namespace

void add_report(CLI::App &app, Session &session) {
    auto options = std::make_shared<Options>();
    CLI::App *command = app.add_subcommand("report", "A page about a sweep's front");
    command->add_option("run", options->directory, "Folder of the sweep")->required();
    command->add_option("-o,--output", options->output.path,
                        "Write to this file instead of stdout");
    command
        ->add_option("--format", options->format,
                     "html, md or svg (default: by the ending of the output, else html)")
        ->check(CLI::IsMember(report_formats));
    command->add_option("--point", options->request.points,
                        "Points to show layer by layer (default: knee, fastest, largest)");
    command
        ->add_option("--most", options->request.most_points, "Points in the charts and the table")
        ->check(CLI::Range(10, 100000))
        ->capture_default_str();
    command->footer("Examples:\n  edgefront report runs/first -o first.html\n"
                    "  edgefront report runs/first -o first.md --point 225da522");
    command->callback([=, &session] {
        options->request.directory = options->directory;
        session.action = [=] { return run_report(*options); };
    });
}

} // namespace edgefront
