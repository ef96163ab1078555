// What the machine can do at most, and what follows for networks: baseline_machine THREADS
// NETWORK... prints one line of JSON.
#include "base/error.h"
#include "base/json_reader.h"
#include "dsl/zoo.h"
#include "search/kernels/layer_bound.h"

#include <cstdlib>
#include <iostream>

namespace edgefront {
namespace {

Json machine(int threads, const std::vector<std::string> &networks) {
    const MachinePeak peak = measure_peak(threads);
    Json json = {{"threads", threads}, {"peak_gflops", peak.flops * 1e-9}};
    for (const LevelBandwidth &l : peak.levels) {
        json["bandwidth"].push_back({{"level", l.level},
                                     {"working_set_bytes", l.working_set.count()},
                                     {"read_gb_per_s", l.read_bytes_per_second * 1e-9},
                                     {"triad_gb_per_s", l.triad_bytes_per_second * 1e-9}});
    }
    for (const std::string &name : networks) {
        const Network network = Zoo().network(name);
        const double multiply_adds = static_cast<double>(macs(network).count());
        json["networks"][name] = {{"macs", macs(network).count()},
                                  {"compute_bound_ms", 2e3 * multiply_adds / peak.flops},
                                  {"layers_bound_ms", milliseconds(layers_bound(network, peak))}};
    }
    return json;
}

} // namespace
} // namespace edgefront

int main(int argc, char **argv) {
    if (argc < 2 || std::atoi(argv[1]) < 1) {
        std::cerr << "usage: baseline_machine THREADS NETWORK...\n";
        return 2;
    }
    try {
        const std::vector<std::string> networks(argv + 2, argv + argc);
        std::cout << edgefront::machine(std::atoi(argv[1]), networks).dump() << '\n';
    } catch (const edgefront::UserError &e) {
        std::cerr << "baseline_machine: " << e.what() << '\n';
        return 2;
    }
    return 0;
}
