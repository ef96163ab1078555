// Uses an installed edgefront as a library: builds a network and counts it.
#include <cstdio>
#include <dsl/network.h>
#include <dsl/zoo.h>

int main(int argc, char **argv) {
    if (argc != 2) {
        return 2;
    }
    const auto network = edgefront::Zoo(argv[1]).network("mobilenet_v2@0.5,160");
    std::printf("%s: %lld MACs\n", network.name.c_str(),
                static_cast<long long>(edgefront::macs(network).count()));
    return edgefront::macs(network).count() > 0 ? 0 : 1;
}
