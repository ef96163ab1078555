// The object file itself: linked, loaded and called through the C signature of emit.h.
#include "base/error.h"
#include "base/files.h"
#include "schedules/emit.h"
#include "schedules/schedule_space.h"
#include "tests/schedules/kernel_cases.h"

#include <HalideRuntime.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <dlfcn.h>
#include <fstream>
#include <map>
#include <thread>

struct Pool {
    int calls = 0;
};

/// Stands in for the caller's thread pool; the objects find it because this program exports it.
extern "C" int halide_do_par_for(void *user_context, halide_task_t task, int min, int extent,
                                 std::uint8_t *closure) {
    if (user_context != nullptr) { // kernels compiled in memory find this function as well
        static_cast<Pool *>(user_context)->calls++;
    }
    std::vector<std::thread> threads;
    for (int i = min; i < min + extent; i++) {
        threads.emplace_back([=] { task(user_context, i, closure); });
    }
    for (std::thread &t : threads) {
        t.join();
    }
    return 0;
}

/// What kernels have asked for at once, in this thread.
struct Memory {
    std::size_t now = 0, most = 0;
    int pieces = 0;
    std::map<void *, std::size_t> sizes;
};
static thread_local Memory memory;

extern "C" void *halide_malloc(void *, std::size_t size) {
    void *piece = std::aligned_alloc(64, (size + 63) / 64 * 64);
    memory.now += size;
    memory.most = std::max(memory.most, memory.now);
    memory.pieces++;
    memory.sizes[piece] = size;
    return piece;
}

extern "C" void halide_free(void *, void *piece) {
    memory.now -= memory.sizes.at(piece);
    memory.sizes.erase(piece);
    std::free(piece);
}

namespace edgefront {
namespace {

namespace fs = std::filesystem;

class Emit : public testing::Test {
protected:
    /// Emits, links and loads; the result is the C function.
    void *load(const Layer &layer, const Schedule &schedule, const std::string &symbol) {
        return load(std::vector<Layer>{layer}, schedule, symbol);
    }
    void *load(const std::vector<Layer> &layers, const KernelPlan &plan, const std::string &symbol,
               const std::string &function = "") {
        const fs::path object = directory_ / (symbol + ".o");
        const fs::path library = directory_ / (symbol + ".so");
        emit_kernel(layers, plan, host_kernel_target(), symbol, object);
        const std::string link =
            "cc -shared -o '" + library.string() + "' '" + object.string() + "'";
        if (std::system(link.c_str()) != 0) {
            return nullptr;
        }
        void *handle = dlopen(library.c_str(), RTLD_NOW);
        const std::string &name = function.empty() ? symbol : function;
        return handle == nullptr ? nullptr : dlsym(handle, name.c_str());
    }

    TemporaryFolder temporary_{::testing::TempDir() + "edgefront-emit"};
    const fs::path &directory_ = temporary_.path();
};

/// The buffers of emit.h around plain memory.
struct Buffer {
    Buffer(float *host, const Shape &s)
        : dimensions{halide_dimension_t(0, s.channels, 1),
                     halide_dimension_t(0, s.width, s.channels),
                     halide_dimension_t(0, s.height, s.width * s.channels)} {
        fill(host, 3);
    }
    Buffer(float *host, std::size_t count)
        : dimensions{halide_dimension_t(0, static_cast<int>(count), 1)} {
        fill(host, 1);
    }
    void fill(float *host, int count) {
        buffer.host = reinterpret_cast<std::uint8_t *>(host);
        buffer.type = halide_type_of<float>();
        buffer.dimensions = count;
        buffer.dim = dimensions.data();
    }
    std::array<halide_dimension_t, 3> dimensions;
    halide_buffer_t buffer{};
};

TEST_F(Emit, AnObjectHasTheDocumentedSignatureAndTakesTheCallersThreads) {
    const Layer layer =
        with(dense_layer({9, 7, 24}, 1, 1, 200), Activation::hard_swish, /*residual=*/true);
    KernelCase c(layer, Random(1));
    Schedule s = default_schedule(layer, isa_info(host_kernel_target().text));
    s.order = LoopOrder::channels_outer;
    std::vector<std::vector<float>> results;
    for (const ParallelOver over :
         {ParallelOver::none, ParallelOver::rows, ParallelOver::channels}) {
        s.parallel = over;
        using Function = int (*)(void *, halide_buffer_t *, halide_buffer_t *, halide_buffer_t *,
                                 halide_buffer_t *, halide_buffer_t *);
        const std::string symbol = "kernel_" + std::to_string(static_cast<int>(over));
        const auto function = reinterpret_cast<Function>(load(layer, s, symbol));
        ASSERT_NE(function, nullptr) << dlerror();
        GuardedFloats weights(pack_weights(layer, s, c.weights)), bias(pack_bias(layer, s, c.bias));
        GuardedFloats out(c.expected.size());
        Buffer in(c.input.data(), layer.input), residual(c.residual.data(), layer.output);
        Buffer w(weights.data(), weights.size()), b(bias.data(), bias.size());
        Buffer o(out.data(), layer.output);
        Pool pool;
        EXPECT_EQ(function(&pool, &in.buffer, &residual.buffer, &w.buffer, &b.buffer, &o.buffer),
                  0);
        EXPECT_EQ(pool.calls > 0, over != ParallelOver::none);
        EXPECT_LE(c.error(out.values()), 1e-5);
        EXPECT_TRUE(out.mark_is_intact());
        results.push_back(out.values());
    }
    EXPECT_EQ(results[0], results[1]);
    EXPECT_EQ(results[0], results[2]);
}

TEST_F(Emit, ALayerWithoutWeightsTakesItsInputsAndOutputOnly) {
    const Layer layer = scale_layer({3, 5, 24});
    KernelCase c(layer, Random(2));
    using Function = int (*)(void *, halide_buffer_t *, halide_buffer_t *, halide_buffer_t *);
    const auto function = reinterpret_cast<Function>(
        load(layer, default_schedule(layer, isa_info(host_kernel_target().text)), "scale"));
    ASSERT_NE(function, nullptr) << dlerror();
    GuardedFloats out(c.expected.size());
    Buffer in(c.input.data(), layer.input), gate(c.others[0]->data(), Shape{1, 1, 24});
    Buffer o(out.data(), layer.output);
    EXPECT_EQ(function(nullptr, &in.buffer, &gate.buffer, &o.buffer), 0);
    EXPECT_LE(c.error(out.values()), 1e-5);
}

TEST_F(Emit, AChainAsksForNoMoreMemoryThanPlanned) {
    const IsaInfo isa = isa_info(host_kernel_target().text);
    Random random(1);
    const auto block = [](Shape input, int expanded, int kernel, int stride) {
        const Layer expand = with(dense_layer(input, 1, 1, expanded), Activation::relu6);
        const Layer depthwise =
            with(depthwise_layer(expand.output, kernel, stride), Activation::relu6);
        return std::vector<Layer>{expand, depthwise, dense_layer(depthwise.output, 1, 1, 24)};
    };
    const Layer stem = with(dense_layer({29, 27, 3}, 3, 2, 20), Activation::relu);
    int number = 0;
    for (const std::vector<Layer> &layers :
         {block({28, 28, 24}, 144, 3, 1),
          block({14, 14, 16}, 72, 5, 2),
          block({15, 9, 8}, 40, 7, 1),
          {stem, with(depthwise_layer(stem.output, 3, 1), Activation::relu)}}) {
        GuardedFloats in(static_cast<std::size_t>(layers.front().input.elements()), random);
        GuardedFloats out(static_cast<std::size_t>(layers.back().output.elements()));
        const ChainSpace space = chain_space(layers, isa);
        for (const int rows : space.rows) {
            KernelPlan plan = default_chain(layers, isa);
            plan.rows = rows;
            for (std::size_t i = 0; i < layers.size(); i++) {
                plan.members[i] = default_schedule(space.member(i, rows));
            }
            std::vector<std::unique_ptr<GuardedFloats>> packed;
            std::vector<halide_buffer_t> buffers(2 * layers.size() + 2);
            buffers.front().host = reinterpret_cast<std::uint8_t *>(in.data());
            for (std::size_t i = 0; i < layers.size(); i++) {
                for (const std::int64_t count : {packed_weight_count(layers[i], plan.members[i]),
                                                 packed_bias_count(layers[i], plan.members[i])}) {
                    packed.push_back(
                        std::make_unique<GuardedFloats>(static_cast<std::size_t>(count), random));
                    buffers[packed.size()].host =
                        reinterpret_cast<std::uint8_t *>(packed.back()->data());
                }
            }
            buffers.back().host = reinterpret_cast<std::uint8_t *>(out.data());
            void *context = nullptr;
            std::vector<void *> arguments = {&context};
            for (halide_buffer_t &buffer : buffers) {
                arguments.push_back(&buffer);
            }
            const std::string symbol = "chain" + std::to_string(number++);
            const auto function =
                reinterpret_cast<int (*)(void **)>(load(layers, plan, symbol, symbol + "_argv"));
            ASSERT_NE(function, nullptr) << dlerror();
            memory = Memory();
            ASSERT_EQ(function(arguments.data()), 0);
            const auto planned = static_cast<std::size_t>(scratch_bytes(layers, plan).count());
            EXPECT_LE(memory.pieces, 2);
            EXPECT_LE(memory.most, planned + 2 * 256) << to_string(plan);
            EXPECT_EQ(memory.now, 0u);
            EXPECT_TRUE(out.mark_is_intact());
        }
    }
}

TEST_F(Emit, EqualArgumentsGiveEqualObjectsAndOneKeyEach) {
    const Layer layer = depthwise_layer({7, 7, 16}, 3, 1);
    const KernelTarget target = host_kernel_target();
    Schedule s = default_schedule(layer, isa_info(target.text));
    for (const ParallelOver over : {ParallelOver::none, ParallelOver::rows}) {
        s.parallel = over;
        emit_kernel({layer}, s, target, "k", directory_ / "a.o");
        emit_kernel({layer}, s, target, "k", directory_ / "b.o");
        EXPECT_TRUE(read_file(directory_ / "a.o") == read_file(directory_ / "b.o"));
    }

    Schedule other = s;
    other.vectors++;
    EXPECT_EQ(kernel_key({layer}, s, target), kernel_key({layer}, s, target));
    EXPECT_NE(kernel_key({layer}, s, target), kernel_key({layer}, other, target));
    EXPECT_NE(kernel_key({layer}, s, target),
              kernel_key({with(layer, Activation::relu)}, s, target));
    EXPECT_NE(kernel_key({layer}, s, target), kernel_key({layer}, s, {"arm-64-linux"}));
}

TEST_F(Emit, AnotherHalideTargetGivesItsMachineCode) {
    const KernelTarget arm = parse_kernel_target("arm-64-linux");
    const Layer layer = with(dense_layer({7, 7, 24}, 1, 1, 40), Activation::relu6);
    emit_kernel({layer}, default_schedule(layer, isa_info(arm.text)), arm, "k",
                directory_ / "arm.o");
    const std::string object = read_file(directory_ / "arm.o");
    ASSERT_GT(object.size(), 20u);
    EXPECT_EQ(object.substr(1, 3), "ELF");
    constexpr char aarch64 = '\xb7'; // e_machine of the ELF header
    EXPECT_EQ(object[18], aarch64);
    EXPECT_TRUE(required_cpu_features(arm).empty());
}

TEST_F(Emit, RequiredCpuFeaturesFollowTheTarget) {
    EXPECT_EQ(required_cpu_features({"x86-64-linux-sse41"}), std::vector<std::string>{"sse4.1"});
    const std::vector<std::string> avx2 =
        required_cpu_features({"x86-64-linux-avx-avx2-fma-sse41"});
    EXPECT_EQ(avx2, (std::vector<std::string>{"sse4.1", "avx", "avx2", "fma"}));
}

TEST_F(Emit, BadTargetsAndFullDisksAreUserErrors) {
    EXPECT_THROW(parse_kernel_target("x86-65-linux"), UserError);
    EXPECT_THROW(parse_kernel_target(""), UserError);
    const Layer layer = pool_layer({2, 2, 16});
    const KernelTarget target = host_kernel_target();
    const Schedule s = default_schedule(layer, isa_info(target.text));
    EXPECT_THROW(emit_kernel({layer}, s, target, "k", "/dev/full"), UserError);
    EXPECT_THROW(emit_kernel({layer}, s, target, "k", directory_ / "no" / "such.o"), UserError);
}

} // namespace
} // namespace edgefront
