// The exporter's models as graphs, and as files for ONNX Runtime (compare.mjs runs those).
#include "base/random.h"
#include "dsl/onnx_export.h"
#include "dsl/zoo.h"
#include "tests/dsl/run_network.h"
#include "tests/onnx/op_networks.h"
#include "tests/onnx/write_case.h"

#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include <set>

namespace edgefront {
namespace {

/// Independent of random_weights: any numbers do for one operator.
TensorMap any_checkpoint(const Network &network) {
    TensorMap checkpoint;
    for (const Node &node : network.nodes) {
        for (const TensorSpec &spec : checkpoint_tensors(node)) {
            std::int64_t count = 1;
            for (const std::int64_t extent : spec.shape) {
                count *= extent;
            }
            const bool variance = spec.name.find("running_var") != std::string::npos;
            Random random(derive_seed(1, spec.name));
            FloatTensor tensor{spec.shape, {}};
            for (std::int64_t i = 0; i < count; i++) {
                tensor.values.push_back(
                    static_cast<float>(variance ? 0.5 + random.uniform() : random.normal()));
            }
            checkpoint.emplace(spec.name, std::move(tensor));
        }
    }
    return checkpoint;
}

TEST(OnnxOps, AreWrittenForOnnxRuntimeToCompare) {
    for (const Network &network : op_networks()) {
        SCOPED_TRACE(network.name);
        const TensorMap checkpoint = any_checkpoint(network);
        const std::vector<float> input = random_input(network, 2);
        const auto outputs = run_network(network, fold(network, checkpoint), input);
        write_onnx_case(EDGEFRONT_ONNX_CASES, network.name, network, checkpoint, input,
                        outputs.back(), true);
    }
}

TEST(OnnxOps, EveryOperatorAndActivationIsAmongThem) {
    std::set<Op> ops;
    std::set<Activation> activations;
    for (const Network &network : op_networks()) {
        for (const Node &node : network.nodes) {
            ops.insert(node.layer.op);
            activations.insert(node.layer.activation);
        }
    }
    EXPECT_EQ(ops.size(), op_names().size());
    EXPECT_EQ(activations.size(), activation_names().size());
}

onnx::ModelProto parsed(const Network &network, const TensorMap &checkpoint) {
    onnx::ModelProto model;
    EXPECT_TRUE(model.ParseFromString(onnx_model(network, checkpoint, {"1.2.3", "seed 1"})));
    return model;
}

std::set<std::string> initializers(const onnx::ModelProto &model) {
    std::set<std::string> names;
    for (const auto &tensor : model.graph().initializer()) {
        names.insert(tensor.name());
    }
    return names;
}

int count(const onnx::ModelProto &model, const std::string &type) {
    int found = 0;
    for (const auto &node : model.graph().node()) {
        found += node.op_type() == type ? 1 : 0;
    }
    return found;
}

TEST(OnnxModel, KeepsTheCheckpointsTensorsUnderTheirNames) {
    const Network network = Zoo().network("mobilenet_v2@0.35,96");
    const TensorMap checkpoint = random_checkpoint(network, 1);
    const onnx::ModelProto model = parsed(network, checkpoint);
    std::map<std::string, std::string> values;
    for (const auto &tensor : model.graph().initializer()) {
        values[tensor.name()] = tensor.raw_data();
    }
    for (const auto &tensor : checkpoint) {
        EXPECT_EQ(values[tensor.first], bytes_of(tensor.second.values)) << tensor.first;
    }
    EXPECT_EQ(count(model, "Conv"), 52);
    EXPECT_EQ(count(model, "BatchNormalization"), 52);
    EXPECT_EQ(count(model, "Gemm"), 1);
    EXPECT_EQ(count(model, "Clip"), 35);
    EXPECT_EQ(count(model, "Transpose") + count(model, "Reshape"), 0);
}

TEST(OnnxModel, HasNoBatchNormsOnceTheyAreFolded) {
    const Network network = Zoo().network("mobilenet_v2@0.35,96");
    const onnx::ModelProto model =
        parsed(network, folded_checkpoint(network, random_weights(network, 1)));
    EXPECT_EQ(count(model, "BatchNormalization"), 0);
    EXPECT_EQ(count(model, "Conv"), 52);
    const auto names = initializers(model);
    EXPECT_EQ(names.count("block1.dw.weight") + names.count("block1.dw.bias"), 2u);
}

TEST(OnnxModel, SaysWhatItIs) {
    const Network network = Zoo().network("mobilenet_v3_small@0.35,64");
    const onnx::ModelProto model = parsed(network, random_checkpoint(network, 1));
    EXPECT_EQ(model.ir_version(), 8);
    EXPECT_EQ(model.opset_import(0).version(), 17);
    EXPECT_EQ(model.producer_name() + " " + model.producer_version(), "edgefront 1.2.3");
    EXPECT_EQ(model.metadata_props(0).value(), "seed 1");
    const onnx::GraphProto &graph = model.graph();
    EXPECT_EQ(graph.name(), "mobilenet_v3_small@0.35,64");
    const auto dims = [](const onnx::ValueInfoProto &value) {
        std::vector<std::int64_t> dims;
        for (const auto &dim : value.type().tensor_type().shape().dim()) {
            dims.push_back(dim.dim_value());
        }
        return dims;
    };
    ASSERT_EQ(graph.input_size() + graph.output_size(), 2);
    EXPECT_EQ(graph.input(0).name(), "image");
    EXPECT_EQ(dims(graph.input(0)), (std::vector<std::int64_t>{1, 3, 64, 64}));
    EXPECT_EQ(graph.output(0).name(), "logits");
    EXPECT_EQ(dims(graph.output(0)), (std::vector<std::int64_t>{1, 1001}));
    EXPECT_EQ(graph.node(0).name(), "/block0/conv/Conv");
    std::set<std::string> names;
    for (const auto &node : graph.node()) {
        EXPECT_TRUE(names.insert(node.name()).second) << node.name();
    }
}

TEST(OnnxModel, OfTheSameNumbersHasTheSameBytes) {
    const Network network = Zoo().network("mobilenet_v3_small@0.35,64");
    const TensorMap checkpoint = random_checkpoint(network, 1);
    EXPECT_EQ(onnx_model(network, checkpoint, {}), onnx_model(network, checkpoint, {}));
    EXPECT_NE(onnx_model(network, checkpoint, {}),
              onnx_model(network, random_checkpoint(network, 2), {}));
}

TEST(OnnxModel, ThatTheCheckerRefusesIsABug) {
    Network network = Zoo().network("mobilenet_v2@0.35,96");
    const TensorMap checkpoint = random_checkpoint(network, 1);
    EXPECT_THROW(onnx_model(network, {}, {}), std::out_of_range);
    Network twice = network;
    twice.nodes[1].name = twice.nodes[0].name; // two tensors of one name
    EXPECT_THROW(onnx_model(twice, checkpoint, {}), std::exception);
    network.nodes[2].layer.output.channels++; // not what its weights give
    EXPECT_THROW(onnx_model(network, checkpoint, {}), std::logic_error);
}

} // namespace
} // namespace edgefront
