#include "schedules/emit.h"

#include "base/error.h"
#include "base/files.h"
#include "schedules/apply.h"
#include "schedules/fusion.h"
#include "schedules/packing.h"

#include <Halide.h>

#include <algorithm>
#include <map>
#include <stdexcept>
#include <sys/mman.h>
#include <unistd.h>

namespace edgefront {

using Halide::Target;

namespace {

constexpr int current_emitter = 7; // emitter_version()

struct CpuFeature {
    Target::Feature feature;
    std::vector<std::string> names; ///< as __builtin_cpu_supports knows them
};

const std::vector<CpuFeature> &x86_features() {
    static const std::vector<CpuFeature> features = {
        {Target::SSE41, {"sse4.1"}},
        {Target::AVX, {"avx"}},
        {Target::AVX2, {"avx2"}},
        {Target::FMA, {"fma"}},
        {Target::AVX512, {"avx512f", "avx512cd"}},
        {Target::AVX512_Skylake, {"avx512f", "avx512cd", "avx512vl", "avx512bw", "avx512dq"}},
    };
    return features;
}

Target halide_target(const KernelTarget &target) {
    return Target(parse_kernel_target(target.text).text);
}

/// The bodies of parallel loops are functions named after the loop's variable, with a number that
/// counts the Funcs this process has made. They are renamed, so that equal kernels are equal bytes.
class RenameFunctions : public Halide::Internal::IRMutator {
public:
    explicit RenameFunctions(std::map<std::string, std::string> names) : names_(std::move(names)) {}

private:
    using Halide::Internal::IRMutator::visit;
    Halide::Expr visit(const Halide::Internal::Variable *variable) override {
        const auto renamed = names_.find(variable->name);
        return renamed == names_.end()
                   ? Halide::Expr(variable)
                   : Halide::Internal::Variable::make(variable->type, renamed->second);
    }
    std::map<std::string, std::string> names_;
};

Halide::Module lower(const std::vector<Layer> &layers, const KernelPlan &plan,
                     const std::string &symbol, const Target &target) {
    const IsaInfo isa = isa_info(target.to_string());
    if (!is_legal(layers, plan, isa)) {
        throw std::logic_error("\"" + to_string(plan) + "\" is outside the space of " +
                               key(layers));
    }
    std::vector<Algorithm> kernel = scheduled_kernel(layers, plan, isa);
    std::vector<Halide::Argument> arguments;
    for (const Halide::ImageParam &p : parameters(kernel)) {
        arguments.emplace_back(p);
    }
    Halide::Module module =
        kernel.back().output.compile_to_module(arguments, symbol,
                                               target.with_feature(Target::NoAsserts)
                                                   .with_feature(Target::NoBoundsQuery)
                                                   .with_feature(Target::UserContext));
    std::map<std::string, std::string> names;
    for (Halide::Internal::LoweredFunc &function : module.functions()) {
        function.linkage = Halide::LinkageType::ExternalPlusArgv;
        if (function.name != symbol) {
            const std::string name = symbol + "_loop" + std::to_string(names.size());
            names.emplace("::" + function.name, "::" + name); // as addresses of functions are spelt
            function.name = name;
            function.linkage = Halide::LinkageType::Internal;
        }
    }
    for (Halide::Internal::LoweredFunc &function : module.functions()) {
        function.body = RenameFunctions(names).mutate(function.body);
    }
    return module;
}

/// A file that exists in memory only: whatever Halide writes there cannot hit a full disk, which
/// LLVM answers by aborting the process.
class MemoryFile {
public:
    MemoryFile() : descriptor_(memfd_create("kernel", MFD_CLOEXEC)) {
        if (descriptor_ < 0) {
            throw std::runtime_error("emit_kernel: no memory file for the object");
        }
    }
    ~MemoryFile() { close(descriptor_); }
    MemoryFile(const MemoryFile &) = delete;
    MemoryFile &operator=(const MemoryFile &) = delete;

    std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

private:
    int descriptor_;
};

} // namespace

KernelTarget host_kernel_target() {
    Target target = Halide::get_host_target();
    // Halide's names for newer cores bring nothing for fp32 and would tie kernels to them.
    for (const Target::Feature feature :
         {Target::AVX512_Cannonlake, Target::AVX512_SapphireRapids}) {
        target.set_feature(feature, false);
    }
    return {target.to_string()};
}

KernelTarget parse_kernel_target(const std::string &text) {
    if (!Target::validate_target_string(text)) {
        throw UserError("'" + text +
                        "' is no Halide target; expected architecture-bits-os[-feature...] "
                        "such as " +
                        host_kernel_target().text);
    }
    const Target target(text);
    if (!target.supported()) {
        throw UserError("this Halide cannot compile for '" + text + "'");
    }
    isa_info(target.to_string());
    return {target.to_string()};
}

std::vector<std::string> required_cpu_features(const KernelTarget &target) {
    const Target t = halide_target(target);
    std::vector<std::string> names;
    if (t.arch == Target::X86) {
        for (const CpuFeature &f : x86_features()) {
            if (t.has_feature(f.feature)) {
                for (const std::string &name : f.names) {
                    if (std::find(names.begin(), names.end(), name) == names.end()) {
                        names.push_back(name);
                    }
                }
            }
        }
    }
    return names;
}

int emitter_version() {
    return current_emitter;
}

std::string kernel_key(const std::vector<Layer> &layers, const KernelPlan &plan,
                       const KernelTarget &target) {
    return "emitter " + std::to_string(current_emitter) + "; " + key(layers) + "; " +
           to_string(plan) + "; " + target.text;
}

void emit_kernel(const std::vector<Layer> &layers, const KernelPlan &plan,
                 const KernelTarget &target, const std::string &symbol,
                 const std::filesystem::path &object_file) {
    const Halide::Module module =
        lower(layers, plan, symbol, halide_target(target).with_feature(Target::NoRuntime));
    const MemoryFile file;
    module.compile({{Halide::OutputFileType::object, file.path()}});
    write_file(object_file, read_file(file.path()));
}

namespace {

ParallelFor jit_parallel_for = nullptr;

/// Task and closure of the loop that runs, in the form Halide's runtime calls tasks.
struct JitLoop {
    int (*task)(Halide::JITUserContext *, int, std::uint8_t *);
    std::uint8_t *closure;
};

int run_jit_loop(Halide::JITUserContext *,
                 int (*task)(Halide::JITUserContext *, int, std::uint8_t *), int min, int size,
                 std::uint8_t *closure) {
    JitLoop loop{task, closure};
    const auto turn = [](void *, int index, std::uint8_t *l) {
        const auto *own = reinterpret_cast<const JitLoop *>(l);
        return own->task(nullptr, index, own->closure);
    };
    return jit_parallel_for(turn, min, size, reinterpret_cast<std::uint8_t *>(&loop));
}

} // namespace

void set_jit_parallel_for(ParallelFor loop) {
    jit_parallel_for = loop;
    Halide::JITHandlers handlers;
    handlers.custom_do_par_for = run_jit_loop;
    Halide::Internal::JITSharedRuntime::set_default_handlers(handlers);
}

struct JitKernel::Implementation {
    Halide::Internal::JITModule module;
    std::vector<halide_buffer_t> buffers;
    void *user_context = nullptr;
    std::vector<const void *> arguments;
};

JitKernel::JitKernel(const std::vector<Layer> &layers, const KernelPlan &plan,
                     const KernelTarget &target)
    : implementation_(std::make_unique<Implementation>()) {
    const std::string name = "kernel";
    const Target t = halide_target(target).with_feature(Target::JIT);
    const Halide::Module module = lower(layers, plan, name, t);
    implementation_->module =
        Halide::Internal::JITModule(module, module.get_function_by_name(name),
                                    Halide::Internal::JITSharedRuntime::get(nullptr, t));
    int buffers = 2; // the input and the output
    for (const Layer &layer : layers) {
        buffers += layer.inputs() - 1 + (layer.has_weights() ? 2 : 0);
    }
    implementation_->buffers.resize(static_cast<std::size_t>(buffers));
}

JitKernel::~JitKernel() = default;
JitKernel::JitKernel(JitKernel &&) noexcept = default;
JitKernel &JitKernel::operator=(JitKernel &&) noexcept = default;

void JitKernel::bind(const std::vector<const float *> &inputs, float *out) {
    std::vector<float *> hosts;
    for (const float *input : inputs) {
        hosts.push_back(const_cast<float *>(input));
    }
    hosts.push_back(out);
    Implementation &i = *implementation_;
    if (hosts.size() != i.buffers.size()) {
        throw std::logic_error("JitKernel::bind: wrong number of buffers");
    }
    for (std::size_t n = 0; n < hosts.size(); n++) {
        i.buffers[n] = {}; // kernels read `host` only
        i.buffers[n].host = reinterpret_cast<std::uint8_t *>(hosts[n]);
    }
    i.arguments = {&i.user_context};
    for (const halide_buffer_t &buffer : i.buffers) {
        i.arguments.push_back(&buffer);
    }
}

void JitKernel::run() {
    implementation_->module.argv_function()(implementation_->arguments.data());
}

} // namespace edgefront
