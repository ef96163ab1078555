#include "app/command.h"

#include "base/error.h"
#include "base/files.h"
#include "search/sweep.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

namespace edgefront {

void OutputOptions::add_to(CLI::App &command, const std::vector<std::string> &formats) {
    command.add_option("--format", format, "Output format")
        ->check(CLI::IsMember(formats))
        ->capture_default_str();
    command.add_option("-o,--output", path, "Write to this file instead of stdout");
}

void OutputOptions::write(const std::string &text) const {
    if (!path.empty()) {
        write_file(path, text);
        return;
    }
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() ||
        std::fflush(stdout) != 0) {
        if (errno == EPIPE) { // the reader has seen enough: end as every filter does
            std::signal(SIGPIPE, SIG_DFL);
            std::raise(SIGPIPE);
        }
        throw UserError({"<stdout>", ""}, std::string("cannot write: ") + std::strerror(errno));
    }
}

void OutputOptions::write(const Table &table, const Json &json) const {
    const Format f = parse_format(format);
    write(f == Format::json ? json.dump(2) + "\n" : render(table, f));
}

void NetworkOptions::add_to(CLI::App &command) {
    command.add_option("network", name,
                       "Zoo name, name@WIDTH, name@WIDTH,RESOLUTION, or a network file");
    command.add_option("--width", width, "Width multiplier")->check(CLI::PositiveNumber);
    command.add_option("--resolution", resolution, "Input height and width in pixels")
        ->check(CLI::PositiveNumber);
    command.add_option("--run", run, "Take the network from a sweep's folder (with --point)");
    command.add_option("--point", point, "The point's id in the sweep's front");
}

Network NetworkOptions::resolve() const {
    if (!run.empty() || !point.empty()) {
        if (run.empty() || point.empty() || !name.empty() || width > 0 || resolution > 0) {
            throw UserError("a point of a sweep is given by --run DIR and --point ID together, "
                            "without a network name, --width or --resolution");
        }
        const RunResult result = read_run(run);
        return network_of(result, result.point(point), Zoo());
    }
    if (name.empty()) {
        throw UserError("which network? Give a name (see `edgefront networks`), a file, or "
                        "--run DIR --point ID");
    }
    const auto at = name.rfind('@');
    const bool says_width = at != std::string::npos && name.find(".json", at) == std::string::npos;
    const bool says_resolution = says_width && name.find(',', at) != std::string::npos;
    if ((says_width && width > 0) || (says_resolution && resolution > 0)) {
        throw UserError("'" + name + "' has its " + (width > 0 ? "width" : "resolution") +
                        " already; leave out --" + (width > 0 ? "width" : "resolution"));
    }
    Variant base;
    if (width > 0) {
        base.width = width;
    }
    base.resolution = resolution;
    return Zoo().network(name, base);
}

void NumberedOptions::add_to(CLI::App &command) {
    network.add_to(command);
    command.add_option("--weights", weights,
                       "Safetensors file with <layer>.weight, .bias, .bn.* as PyTorch lays them "
                       "out (default: random)");
    command.add_option("--seed", seed, "Seed of random weights and input")->capture_default_str();
}

TensorMap NumberedOptions::checkpoint(const Network &resolved) const {
    return weights.empty() ? random_checkpoint(resolved, seed) : load_checkpoint(resolved, weights);
}

std::string NumberedOptions::source() const {
    return weights.empty() ? "seed " + std::to_string(seed)
                           : "file " + std::filesystem::path(weights).filename().string();
}

} // namespace edgefront
