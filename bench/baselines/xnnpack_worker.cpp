// XNNPACK as a peer: the same network as a subgraph, NHWC, fp32. Clamps are fused, hard sigmoids
// become clamps of scaled weights; what XNNPACK has no operator for ends the program.
#include "base/error.h"
#include "bench/baselines/worker.h"

#include <algorithm>
#include <chrono>
#include <deque>
#include <limits>
#include <optional>
#include <pthreadpool.h>
#include <sched.h>
#include <thread>
#include <xnnpack.h>

namespace edgefront {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr std::uint32_t input_id = 0, output_id = 1, externals = 2;

void check(xnn_status status, const std::string &what) {
    if (status != xnn_status_success) {
        throw UserError("XNNPACK refuses " + what + " (status " + std::to_string(status) + ")");
    }
}

/// Bounds of a fused clamp.
struct Clamp {
    float low = -infinity, high = infinity;
};

/// The clamp that an activation is; nothing when it is another function.
std::optional<Clamp> clamp_of(Activation activation) {
    switch (activation) {
    case Activation::none: return Clamp{};
    case Activation::relu: return Clamp{0, infinity};
    case Activation::relu6: return Clamp{0, 6};
    case Activation::hard_sigmoid: return Clamp{0, 1}; // of x / 6 + 1 / 2
    case Activation::hard_swish:
    case Activation::swish:
    case Activation::sigmoid:
    case Activation::gelu: break;
    }
    return std::nullopt;
}

/// [rows][columns] to [columns][rows].
std::vector<float> transposed(const std::vector<float> &values, std::size_t columns) {
    const std::size_t rows = values.size() / columns;
    std::vector<float> result(values.size());
    for (std::size_t r = 0; r < rows; r++) {
        for (std::size_t c = 0; c < columns; c++) {
            result[c * rows + r] = values[r * columns + c];
        }
    }
    return result;
}

class SubgraphBuilder {
public:
    SubgraphBuilder(const Network &network, const NetworkWeights &weights)
        : network_(network), weights_(weights) {
        check(xnn_create_subgraph(externals, 0, &graph_), "a subgraph");
        tensor(network.input, input_id, XNN_VALUE_FLAG_EXTERNAL_INPUT);
        for (std::size_t i = 0; i < network.nodes.size(); i++) {
            add(i);
        }
    }
    ~SubgraphBuilder() { xnn_delete_subgraph(graph_); }
    SubgraphBuilder(const SubgraphBuilder &) = delete;
    SubgraphBuilder &operator=(const SubgraphBuilder &) = delete;

    xnn_subgraph_t graph() const { return graph_; }

private:
    std::uint32_t define(const std::vector<std::size_t> &dims, const float *data, std::uint32_t id,
                         std::uint32_t flags) {
        check(xnn_define_tensor_value(graph_, xnn_datatype_fp32, dims.size(), dims.data(), data, id,
                                      flags, &id),
              "a tensor");
        return id;
    }

    std::uint32_t tensor(const Shape &s, std::uint32_t id = XNN_INVALID_VALUE_ID,
                         std::uint32_t flags = 0) {
        return define({1, static_cast<std::size_t>(s.height), static_cast<std::size_t>(s.width),
                       static_cast<std::size_t>(s.channels)},
                      nullptr, id, flags);
    }

    /// Static numbers, kept until the runtime is made.
    std::uint32_t constant(const std::vector<std::size_t> &dims, std::vector<float> values) {
        constants_.push_back(std::move(values));
        return define(dims, constants_.back().data(), XNN_INVALID_VALUE_ID, 0);
    }

    std::uint32_t value(int node) const {
        return node < 0 ? input_id : values_[static_cast<std::size_t>(node)];
    }

    void add(std::size_t i) {
        const Node &node = network_.nodes[i];
        const Layer &l = node.layer;
        const bool last = i + 1 == network_.nodes.size();
        const std::optional<Clamp> clamp = clamp_of(l.activation);
        if (l.activation == Activation::hard_sigmoid && (!l.has_weights() || l.residual)) {
            throw UserError("no clamp for the hard sigmoid of " + node.name);
        }
        const std::uint32_t out = last ? output_value(l) : tensor(l.output);
        const std::uint32_t sum = clamp ? out : tensor(l.output);
        const Clamp bounds = clamp.value_or(Clamp{});
        if (l.residual) {
            const std::uint32_t product = tensor(l.output);
            operation(node, weights_.layers[i], product, Clamp{});
            check(xnn_define_add2(graph_, bounds.low, bounds.high, product,
                                  value(node.inputs.back()), sum, 0),
                  node.name);
        } else {
            operation(node, weights_.layers[i], sum, bounds);
        }
        if (!clamp) {
            activation(node, sum, out);
        }
        values_.push_back(out);
    }

    std::uint32_t output_value(const Layer &l) {
        if (l.op != Op::fully_connected) {
            return tensor(l.output, output_id, XNN_VALUE_FLAG_EXTERNAL_OUTPUT);
        }
        return define({1, static_cast<std::size_t>(l.output.channels)}, nullptr, output_id,
                      XNN_VALUE_FLAG_EXTERNAL_OUTPUT);
    }

    void activation(const Node &node, std::uint32_t in, std::uint32_t out) {
        switch (node.layer.activation) {
        case Activation::hard_swish:
            return check(xnn_define_hardswish(graph_, in, out, 0), node.name);
        case Activation::sigmoid: return check(xnn_define_sigmoid(graph_, in, out, 0), node.name);
        case Activation::swish: {
            const std::uint32_t gate = tensor(node.layer.output);
            check(xnn_define_sigmoid(graph_, in, gate, 0), node.name);
            return check(xnn_define_multiply2(graph_, -infinity, infinity, in, gate, out, 0),
                         node.name);
        }
        default: throw UserError("no operator for " + to_string(node.layer.activation));
        }
    }

    void operation(const Node &node, LayerWeights numbers, std::uint32_t out, Clamp clamp) {
        const Layer &l = node.layer;
        const std::uint32_t in = value(node.inputs[0]);
        switch (l.op) {
        case Op::conv2d:
        case Op::depthwise_conv2d:
        case Op::fully_connected: return weighted(node, std::move(numbers), in, out, clamp);
        case Op::global_average_pool:
            return check(
                xnn_define_global_average_pooling_2d(graph_, clamp.low, clamp.high, in, out, 0),
                node.name);
        case Op::channel_scale:
            return check(xnn_define_multiply2(graph_, clamp.low, clamp.high, in,
                                              value(node.inputs[1]), out, 0),
                         node.name);
        default: throw UserError("no operator for " + to_string(l.op) + ", " + node.name);
        }
    }

    void weighted(const Node &node, LayerWeights numbers, std::uint32_t in, std::uint32_t out,
                  Clamp clamp) {
        const Layer &l = node.layer;
        const auto k = static_cast<std::size_t>(l.kernel);
        const auto ci = static_cast<std::size_t>(l.input.channels);
        const auto co = static_cast<std::size_t>(l.output.channels);
        numbers.bias.resize(co);
        if (l.activation == Activation::hard_sigmoid) {
            const auto sixth = [](float v) { return v / 6; };
            std::transform(numbers.weights.begin(), numbers.weights.end(), numbers.weights.begin(),
                           sixth);
            std::transform(numbers.bias.begin(), numbers.bias.end(), numbers.bias.begin(),
                           [](float v) { return v / 6 + 0.5f; });
        }
        const std::uint32_t bias = constant({co}, std::move(numbers.bias));
        if (l.op == Op::fully_connected) {
            const std::uint32_t filter = constant({co, ci}, transposed(numbers.weights, co));
            return check(xnn_define_fully_connected(graph_, clamp.low, clamp.high, in, filter, bias,
                                                    out, XNN_FLAG_TENSORFLOW_RESHAPE_2D),
                         node.name);
        }
        const auto size = [](int v) { return static_cast<std::uint32_t>(v); };
        const std::uint32_t kernel = size(l.kernel), stride = size(l.stride),
                            dilation = size(l.dilation);
        const auto after = [&](int outputs, int before, int inputs) {
            return size(std::max((outputs - 1) * l.stride + l.reach() - before - inputs, 0));
        };
        const std::uint32_t top = size(l.pad_top), left = size(l.pad_left);
        const std::uint32_t bottom = after(l.output.height, l.pad_top, l.input.height);
        const std::uint32_t right = after(l.output.width, l.pad_left, l.input.width);
        if (l.op == Op::depthwise_conv2d) {
            const std::uint32_t filter = constant({1, k, k, ci}, std::move(numbers.weights));
            return check(xnn_define_depthwise_convolution_2d(graph_, top, right, bottom, left,
                                                             kernel, kernel, stride, stride,
                                                             dilation, dilation, 1, ci, clamp.low,
                                                             clamp.high, in, filter, bias, out, 0),
                         node.name);
        }
        const auto groups = static_cast<std::size_t>(l.groups);
        const std::uint32_t filter =
            constant({co, k, k, ci / groups}, transposed(numbers.weights, co));
        check(xnn_define_convolution_2d(graph_, top, right, bottom, left, kernel, kernel, stride,
                                        stride, dilation, dilation, size(l.groups), ci / groups,
                                        co / groups, clamp.low, clamp.high, in, filter, bias, out,
                                        0),
              node.name);
    }

    const Network &network_;
    const NetworkWeights &weights_;
    xnn_subgraph_t graph_ = nullptr;
    std::vector<std::uint32_t> values_; ///< by node
    std::deque<std::vector<float>> constants_;
};

/// The cores this process may use.
std::vector<int> allowed_cores() {
    cpu_set_t set;
    CPU_ZERO(&set);
    sched_getaffinity(0, sizeof set, &set);
    std::vector<int> cores;
    for (int core = 0; core < CPU_SETSIZE; core++) {
        if (CPU_ISSET(core, &set)) {
            cores.push_back(core);
        }
    }
    return cores;
}

/// Moves the calling thread to the i-th core; the pause leaves the other items to other threads.
void take_core(void *cores, std::size_t i) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<std::size_t>((*static_cast<std::vector<int> *>(cores))[i]), &set);
    sched_setaffinity(0, sizeof set, &set);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
}

/// Threads on cores of their own where there are enough: pthreadpool waits spinning, so that two
/// of its threads on one core take a thousand times as long, and a busy machine leaves them there.
pthreadpool_t make_threads(int count) {
    if (count == 1) {
        return nullptr;
    }
    const auto threads = static_cast<std::size_t>(count);
    pthreadpool_t pool = pthreadpool_create(threads);
    if (std::vector<int> cores = allowed_cores(); cores.size() >= threads) {
        pthreadpool_parallelize_1d(pool, take_core, &cores, threads, 0);
    }
    return pool;
}

/// Everything a run needs. XNNPACK reads a little beyond its operands.
struct Runtime {
    std::vector<float> input, output;
    std::size_t outputs = 0;
    pthreadpool_t threads = nullptr;
    xnn_runtime_t runtime = nullptr;

    Runtime(const Network &network, const NetworkWeights &weights, const std::vector<float> &values,
            int thread_count)
        : input(values), outputs(static_cast<std::size_t>(network.output().elements())) {
        check(xnn_initialize(nullptr), "this machine");
        input.resize(values.size() + XNN_EXTRA_BYTES / sizeof(float));
        output.resize(outputs + XNN_EXTRA_BYTES / sizeof(float));
        const SubgraphBuilder builder(network, weights);
        threads = make_threads(thread_count);
        check(xnn_create_runtime_v2(builder.graph(), threads, 0, &runtime), network.name);
        const xnn_external_value externals[] = {{input_id, input.data()},
                                                {output_id, output.data()}};
        check(xnn_setup_runtime(runtime, 2, externals), network.name);
    }
    ~Runtime() {
        xnn_delete_runtime(runtime);
        pthreadpool_destroy(threads);
    }
    Runtime(const Runtime &) = delete;
    Runtime &operator=(const Runtime &) = delete;
};

PreparedNetwork prepare(const Network &network, const NetworkWeights &weights,
                        const std::vector<float> &input, const WorkerOptions &options) {
    const auto runtime = std::make_shared<Runtime>(network, weights, input, options.threads);
    return {[=] { check(xnn_invoke_runtime(runtime->runtime), "to run"); },
            [=] {
                return std::vector<float>(runtime->output.begin(),
                                          runtime->output.begin() +
                                              static_cast<std::ptrdiff_t>(runtime->outputs));
            }};
}

} // namespace
} // namespace edgefront

int main(int argc, char **argv) {
    return edgefront::run_worker(argc, argv, edgefront::prepare);
}
