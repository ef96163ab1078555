// edgefront tune for this machine: measured kernels instead of modelled mappings.
#pragma once

#include "app/command.h"

#include <optional>

namespace edgefront {

struct KernelTuneRequest {
    Network network;   ///< of a single layer: one node
    bool whole = true; ///< a network, whose final choice is made while it runs
    int threads = 1;
    std::int64_t trials = 0; ///< per layer; 0: until nothing more is gained
    double minutes = 10;     ///< 0: without limit
    double clock_hz = 3e9;   ///< turns modelled cycles into predictions
    std::string db;
    std::string export_to;
    OutputOptions output;
};

int tune_host(const KernelTuneRequest &request, bool quiet);

} // namespace edgefront
