// Plans for this machine: from the tuning database where it has them, defaults elsewhere.
#pragma once

#include "dsl/network.h"
#include "schedules/package.h"
#include "search/kernels/tuning_db.h"

#include <filesystem>
#include <string>
#include <vector>

namespace edgefront {

/// The processor's name for itself; "unknown processor" where the system does not tell.
std::string processor_name();

/// What times depend on: the instruction set kernels are made for and the kind of processor, as in
/// "x86-64-linux-avx512... on AMD EPYC, family 26 model 2".
std::string host_kind();

std::vector<Layer> layers_at(const Network &network, const std::vector<int> &nodes);

/// Where the database keeps what is measured on machines of this kind.
TuningKey host_key(const std::vector<Layer> &layers, int threads, const std::string &version);

struct HostPlans {
    std::vector<KernelChoice> kernels;
    std::size_t tuned = 0; ///< nodes whose plan is another than the default one
};

/// `database` may be empty: defaults only. Throws UserError when there is no such file.
HostPlans host_plans(const Network &network, const KernelTarget &target,
                     const std::filesystem::path &database, int threads,
                     const std::string &version);
HostPlans host_plans(const Network &network, const KernelTarget &target, const TuningDb &db,
                     int threads, const std::string &version);

} // namespace edgefront
