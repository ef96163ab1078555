// A layer under a schedule, or a chain of layers, leaves as machine code: one object file with one
// C function and its twin that takes an array.
//
//   int symbol(void *user_context,
//              halide_buffer_t *in0[, halide_buffer_t *in1...][, halide_buffer_t *residual],
//              [halide_buffer_t *weights, halide_buffer_t *bias,]... halide_buffer_t *out);
//   int symbol_argv(void **arguments);   {&user_context, in0, ..., out}
//
// Activations are fp32 in NHWC order without gaps, inputs in the order of Node::inputs. Weights and
// bias are fp32 in their packed form (packing.h); both are present exactly for layers with weights.
// `host` of every activation and of the weights and bias has to be 64-byte aligned. Shapes are
// compiled in, so only `host` is read of a buffer; nothing is checked. The function writes
// nothing outside `out`, reads nothing outside its inputs, returns 0, and may run in several
// threads at once on different buffers.
//
// Undefined symbols (HalideRuntime.h), which receive `user_context`: halide_do_par_for in parallel
// kernels, halide_malloc and halide_free in those of chains, which ask for `scratch_bytes` per part
// that runs (kernel_plan.h), in at most two pieces. Otherwise kernels allocate nothing but stack,
// below 64 KiB. Besides these two an object may define symbol_loop0, symbol_loop1...: the bodies of
// its parallel loops.
#pragma once

#include "dsl/layer.h"
#include "schedules/kernel_plan.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace edgefront {

/// What machine code is made for: a Halide target string such as "x86-64-linux-avx-avx2-fma" or
/// "arm-64-linux". `isa_info(target.text)` is what schedules need to know of it.
struct KernelTarget {
    std::string text;
};

/// This machine, with the features fp32 kernels gain from.
KernelTarget host_kernel_target();
/// Checks a Halide target string; throws UserError when Halide cannot read it or compile for it.
KernelTarget parse_kernel_target(const std::string &text);

/// CPU features without which the kernels would fault, in the names __builtin_cpu_supports knows
/// ("avx2", "fma", "avx512f"...); empty for an architecture's baseline.
std::vector<std::string> required_cpu_features(const KernelTarget &target);

/// Goes up whenever the machine code for an equal layer, schedule and target changes.
int emitter_version();

/// Names the emitted object: equal keys mean equal objects. Holds the layer's key, the schedule,
/// the target and a version of this emitter. Hash it for a file name.
std::string kernel_key(const std::vector<Layer> &layers, const KernelPlan &plan,
                       const KernelTarget &target);

/// Writes a position-independent object. `symbol` has to be a C identifier. Throws UserError when
/// the file cannot be written, std::logic_error when the plan is not legal for the layers.
void emit_kernel(const std::vector<Layer> &layers, const KernelPlan &plan,
                 const KernelTarget &target, const std::string &symbol,
                 const std::filesystem::path &object_file);

/// Runs the parallel loops of all JitKernels of this process from now on; Halide's pool does
/// before. task(context, i, closure) is to be called with any context for `size` values of i from
/// `min` up.
using ParallelFor = int (*)(int (*task)(void *context, int index, std::uint8_t *closure), int min,
                            int size, std::uint8_t *closure);
void set_jit_parallel_for(ParallelFor loop);

/// The same kernel compiled into this process, for tests and kernel timings.
class JitKernel {
public:
    JitKernel(const std::vector<Layer> &layers, const KernelPlan &plan, const KernelTarget &target);
    ~JitKernel();
    JitKernel(JitKernel &&) noexcept;
    JitKernel &operator=(JitKernel &&) noexcept;

    /// Pointers in the order of the C function above, 64-byte aligned: activations, then weights
    /// and bias of every layer that has them.
    void bind(const std::vector<const float *> &inputs, float *out);
    /// Runs on the bound pointers.
    void run();

private:
    struct Implementation;
    std::unique_ptr<Implementation> implementation_;
};

} // namespace edgefront
