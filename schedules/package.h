// A network and its schedules leave as a kernel package: one folder that needs nothing of this
// tool.
//
//   include/<name>.h, edgefront_*.h   the C interface
//   lib/lib<name>.a                   kernels and runtime
//   lib/cmake/<name>/                 find_package(<name>)
//   weights.bin                       packed weights
//   src/, bin/selfcheck               check of every layer
//   manifest.json                     what is inside
//
// For another architecture than this machine's a cross compiler builds it, the self-check
// statically, so that an emulator runs it here. Kernels are compiled once per workload key into a
// cache and shared by all packages. Weights are fp32 in one block: the header `weights_header` of
// package/runtime.c, then per layer the packed weights and the packed bias, each on a 64-byte
// border.
#pragma once

#include "base/json_reader.h"
#include "dsl/memory_plan.h"
#include "dsl/network.h"
#include "dsl/weights.h"
#include "schedules/emit.h"
#include "schedules/kernel_plan.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace edgefront {

/// A layer of a package, and where its numbers stand in the packed block (in floats).
struct PackedLayer {
    int node = 0;
    std::int64_t weights_at = 0;
    std::int64_t weights_count = 0;
    std::int64_t bias_at = 0;
    std::int64_t bias_count = 0;
    int tile = 0; ///< output channels per packed tile
};

/// One kernel call of a package: a layer, or a chain of them.
struct PackageStep {
    KernelPlan plan;
    std::string symbol; ///< of the kernel; equal for steps that share one
    std::vector<PackedLayer> layers;

    int last_node() const { return layers.back().node; }
};

/// Everything decided about a package before anything is compiled.
struct PackagePlan {
    std::string name; ///< C identifier made from the network's name
    Network network;
    KernelTarget target;
    MemoryPlan memory;
    std::vector<PackageStep> steps; ///< in execution order
    std::int64_t floats = 0;        ///< of packed weights and biases, with padding
    std::int64_t scratch = 0;       ///< bytes that each thread's kernels may ask for
    std::uint64_t hash = 0;         ///< of layers and packing: which weights.bin fits
};

/// `kernels` compute every node once, in the network's order. The network has to be fp32.
PackagePlan plan_package(const Network &network, const std::vector<KernelChoice> &kernels,
                         const KernelTarget &target);

/// The layers that a step computes.
std::vector<Layer> layers_of(const PackagePlan &plan, const PackageStep &step);
/// Their names, with " + " between them.
std::string name_of(const PackagePlan &plan, const PackageStep &step);

/// `default_schedule` for every layer, each in a kernel of its own, parallel where that pays; such
/// kernels run on any number of threads.
constexpr int default_threads = 2; ///< what their parallel loops are chosen for
std::vector<KernelChoice> default_kernels(const Network &network, const KernelTarget &target,
                                          const CoreInfo &core = {});

/// What makes the machine code: "Halide 14.0.0, emitter 5". Kernels of equal keys are equal under
/// equal compilers.
std::string kernel_compiler();

/// "mobilenet_v2@0.5,160" is "mobilenet_v2_w0p5_r160"; whatever else C does not allow is "_".
std::string c_name(const std::string &network_name);

/// The head of weights.bin (`weights_header` in package/runtime.c).
constexpr char package_weights_magic[] = "EDGEFRWT";
constexpr std::uint32_t package_weights_version = 1;
constexpr std::uint32_t package_weights_header_bytes = 64;

/// The bytes of weights.bin.
std::string pack_weights(const PackagePlan &plan, const NetworkWeights &weights);

/// What a build reports: kernels compiled so far, of how many, and which layer is next.
using BuildProgress = std::function<void(int done, int total, const std::string &layer)>;

struct BuildContext {
    std::filesystem::path cache; ///< compiled kernels; made when absent, shared between processes
    std::string tool_version;
    std::string target_name = "host"; ///< for people
    BuildProgress progress;           ///< may be empty
};

/// Where the cache keeps a step's kernel.
std::filesystem::path kernel_file(const BuildContext &context, const PackageStep &step);

/// One kind of costs, for the manifest: of the whole network and of every layer (by node; null
/// where there is none; of a chain's kernel at its last node). Any JSON; empty `layers` leaves the
/// kind out.
struct PackageCosts {
    Json network;
    std::vector<Json> layers;
};

/// What stands beside the kernels in manifest.json.
struct PackageNotes {
    PackageCosts predicted;
    PackageCosts measured;
};

/// include/ and lib/ of the package, into the existing folder `directory`. Throws UserError when
/// there is no C compiler, or when it or the file system fails.
void write_library(const PackagePlan &plan, const BuildContext &context,
                   const std::filesystem::path &directory);

/// The whole package. It appears at once or not at all; an existing package is replaced, any other
/// existing folder is refused with a UserError.
void write_package(const PackagePlan &plan, const NetworkWeights &weights,
                   const PackageNotes &notes, const BuildContext &context,
                   const std::filesystem::path &directory);

/// "kind" of a package's manifest.json.
constexpr char package_kind[] = "edgefront kernel package";

/// manifest.json as a value; `directory` holds the finished files whose hashes it tells.
Json make_manifest(const PackagePlan &plan, const NetworkWeights &weights,
                   const PackageNotes &notes, const BuildContext &context,
                   const std::filesystem::path &directory);

/// The library of `write_library` as a shared one in the cache, built unless it is there already;
/// it shows only the C interface of include/<name>.h.
std::filesystem::path shared_library(const PackagePlan &plan, const BuildContext &context);

} // namespace edgefront
