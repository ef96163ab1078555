// One layer under one of Halide's own autoschedulers: the same algorithm as our kernels have, plain
// weights, shapes compiled in, leaves as a shared library with `layer_argv`. One process each,
// since autoschedulers may take any time and memory: beyond its limits the process dies.
//
//   baseline_autoschedule NETWORK LAYER_KEY Mullapudi2016|Adams2019 PARALLELISM SECONDS MIB OUT.so
#include "base/error.h"
#include "dsl/algorithms.h"
#include "dsl/zoo.h"
#include "schedules/apply.h"
#include "schedules/emit.h"
#include "schedules/toolchain.h"
#include "search/kernels/peak.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <iostream>
#include <sys/resource.h>
#include <unistd.h>

namespace edgefront {
namespace {

namespace fs = std::filesystem;

const Layer &find_layer(const Network &network, const std::string &layer_key) {
    for (const Node &node : network.nodes) {
        if (key(node.layer) == layer_key) {
            return node.layer;
        }
    }
    throw UserError(network.name + " has no layer " + layer_key);
}

/// Autoschedulers want to be told the sizes they should expect; here they are the only ones.
void estimate(Halide::ImageParam &parameter) {
    for (int d = 0; d < parameter.dimensions(); d++) {
        parameter.dim(d).set_estimate(0, parameter.dim(d).extent());
    }
}

/// The weights and bias of plain_weight_index are rows without end.
void fix_size(Halide::ImageParam &row, std::int64_t count) {
    row.dim(0).set_bounds(0, static_cast<int>(count));
}

/// The machine as autoschedulers see it: their default balance of a load to an operation.
Halide::MachineParams machine(int parallelism) {
    constexpr float balance = 40;
    const Bytes last = std::max(cache_sizes().l2, cache_sizes().l3);
    return Halide::MachineParams(parallelism, static_cast<std::uint64_t>(last.count()), balance);
}

/// The file of an autoscheduler, in the folder that configuring found.
std::string plugin(std::string scheduler) {
    std::transform(scheduler.begin(), scheduler.end(), scheduler.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return EDGEFRONT_AUTOSCHEDULERS "/libautoschedule_" + scheduler + ".so";
}

void compile(const Layer &layer, const std::string &scheduler, int parallelism,
             const fs::path &library) {
    using Halide::Target;
    Halide::load_plugin(plugin(scheduler));
    Algorithm algorithm = make_algorithm(layer, plain_weight_index(layer));
    fix_size(algorithm.weights, weight_count(layer).count());
    fix_size(algorithm.bias, layer.output.channels);
    std::vector<Halide::Argument> arguments;
    for (Halide::ImageParam &p : parameters({algorithm})) {
        estimate(p);
        arguments.emplace_back(p);
    }
    algorithm.output.set_estimates(
        {{0, layer.output.channels}, {0, layer.output.width}, {0, layer.output.height}});
    Halide::Pipeline pipeline(algorithm.output);
    const Target target = Target(host_kernel_target().text)
                              .with_feature(Target::NoAsserts)
                              .with_feature(Target::NoBoundsQuery);
    pipeline.auto_schedule(scheduler, target, machine(parallelism));

    const fs::path object = library.string() + ".o", unfinished = library.string() + ".part";
    pipeline.compile_to_module(arguments, "layer", target, Halide::LinkageType::ExternalPlusArgv)
        .compile({{Halide::OutputFileType::object, object.string()}});
    run_c_compiler(
        toolchain_for(host_kernel_target().text),
        {"-shared", "-o", unfinished.string(), object.string(), "-lpthread", "-ldl", "-lm"},
        library.parent_path());
    fs::remove(object);
    fs::rename(unfinished, library);
}

void limit(unsigned seconds, rlim_t mib) {
    ::alarm(seconds);
    const rlimit memory = {mib << 20, mib << 20};
    if (::setrlimit(RLIMIT_AS, &memory) != 0) {
        throw UserError("cannot limit the memory to " + std::to_string(mib) + " MiB");
    }
}

} // namespace
} // namespace edgefront

int main(int argc, char **argv) {
    using namespace edgefront;
    if (argc != 8) {
        std::cerr << "usage: baseline_autoschedule NETWORK LAYER_KEY SCHEDULER PARALLELISM SECONDS "
                     "MIB OUT.so\n";
        return 2;
    }
    try {
        limit(static_cast<unsigned>(std::stoul(argv[5])), std::stoul(argv[6]));
        const Network network = Zoo().network(argv[1]);
        compile(find_layer(network, argv[2]), argv[3], std::stoi(argv[4]), fs::absolute(argv[7]));
    } catch (const std::exception &e) { // Halide's own, too
        std::cerr << "baseline_autoschedule: " << e.what() << '\n';
        return 1;
    }
    return 0;
}
