// Random weights keep every layer alive, folding is what batch normalisation computes, and a
// checkpoint file is taken exactly or refused.
#include "base/files.h"
#include "base/random.h"
#include "dsl/weights.h"
#include "dsl/zoo.h"
#include "tests/dsl/run_network.h"

#include <gtest/gtest.h>

#include <cmath>

namespace edgefront {
namespace {

double second_moment(const std::vector<float> &values) {
    double sum = 0;
    for (const float v : values) {
        sum += double{v} * v;
    }
    return sum / static_cast<double>(values.size());
}

class RandomWeights : public ::testing::TestWithParam<std::string> {};

TEST_P(RandomWeights, KeepEveryLayersVarianceWithinBounds) {
    Variant small;
    small.resolution = 64;
    const Network network = Zoo().network(GetParam(), small);
    const auto outputs = run_network(network, random_weights(network, 1), random_input(network, 1));
    for (std::size_t i = 0; i < outputs.size(); i++) {
        const Node &node = network.nodes[i];
        const naive_difference d =
            naive_compare(outputs[i].data(), outputs[i].data(), outputs[i].size());
        EXPECT_GT(d.variance, 1e-4) << node.name;
        EXPECT_LT(second_moment(outputs[i]), 60) << node.name;
        if (!node.layer.residual && node.layer.activation == Activation::none &&
            node.layer.has_weights()) {
            EXPECT_GT(d.variance, 0.25) << node.name;
            EXPECT_LT(d.variance, 4.0) << node.name;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Zoo, RandomWeights,
                         ::testing::Values("mobilenet_v1", "mobilenet_v2", "mobilenet_v3_large",
                                           "mobilenet_v3_small", "mobilenet_v4_conv_small",
                                           "efficientnet_b0", "mnasnet_a1"),
                         [](const auto &name) { return name.param; });

TEST(Weights, TheSameSeedGivesTheSameBytesAndAnotherSeedOthers) {
    const Network network = Zoo().network("mobilenet_v3_small@0.5,64");
    EXPECT_EQ(write_safetensors(random_checkpoint(network, 3)),
              write_safetensors(random_checkpoint(network, 3)));
    EXPECT_EQ(random_weights(network, 3).hash, random_weights(network, 3).hash);
    EXPECT_NE(random_weights(network, 3).hash, random_weights(network, 4).hash);
}

TEST(Weights, FoldingEqualsConvolutionFollowedByBatchNorm) {
    Network network = Zoo().network("mobilenet_v2@0.35,64");
    network.nodes.resize(1); // the first convolution
    const Node &node = network.nodes[0];
    const TensorMap checkpoint = random_checkpoint(network, 5);
    const auto values = [&](const std::string &part) {
        return checkpoint.at(node.name + part).values;
    };
    // Unfolded: the bare convolution, then (x - mean) / sqrt(var + eps) * gamma + beta, activation.
    TensorMap bare = checkpoint;
    const auto channels = static_cast<std::size_t>(node.layer.output.channels);
    const float undo = static_cast<float>(1 - network.batch_norm_epsilon);
    bare[node.name + ".bn.weight"].values.assign(channels, 1);
    bare[node.name + ".bn.running_var"].values.assign(channels, undo);
    bare[node.name + ".bn.running_mean"].values.assign(channels, 0);
    bare[node.name + ".bn.bias"].values.assign(channels, 0);
    Network linear = network;
    linear.nodes[0].layer.activation = Activation::none;
    const auto input = random_input(network, 5);
    std::vector<float> expected = run_network(linear, fold(linear, bare), input)[0];
    for (std::size_t i = 0; i < expected.size(); i++) {
        const std::size_t c = i % channels;
        const double normalised =
            (expected[i] - values(".bn.running_mean")[c]) /
            std::sqrt(values(".bn.running_var")[c] + network.batch_norm_epsilon);
        expected[i] = activate(
            node.layer.activation,
            static_cast<float>(normalised * values(".bn.weight")[c] + values(".bn.bias")[c]));
    }
    const std::vector<float> folded = run_network(network, fold(network, checkpoint), input)[0];
    const naive_difference d = naive_compare(expected.data(), folded.data(), folded.size());
    EXPECT_TRUE(naive_passes(&d, folded.size(), 1e-5)) << d.error << " of " << d.range;
}

TEST(Weights, FoldedNumbersAsACheckpointAreTheCheckpointWhereNothingWasFolded) {
    Network network = Zoo().network("mobilenet_v3_small@0.35,64");
    for (Node &node : network.nodes) {
        node.offset = node.offset == Offset::batch_norm ? Offset::bias : node.offset;
    }
    const TensorMap checkpoint = random_checkpoint(network, 5);
    EXPECT_EQ(folded_checkpoint(network, fold(network, checkpoint)), checkpoint);
}

TEST(Weights, PyTorchLayoutIsTransposedToTheKernels) {
    Node node;
    node.name = "x";
    node.layer.op = Op::conv2d;
    node.layer.input = {4, 4, 2};
    node.layer.output = {4, 4, 3};
    node.layer.kernel = 3;
    node.inputs = {-1};
    Network network;
    network.nodes = {node};
    FloatTensor weight{{3, 2, 3, 3}, std::vector<float>(54)};
    for (std::size_t i = 0; i < weight.values.size(); i++) {
        weight.values[i] = static_cast<float>(i);
    }
    const auto plain = fold(network, {{"x.weight", weight}}).layers[0].weights;
    for (std::size_t o = 0; o < 3; o++) {
        for (std::size_t i = 0; i < 2; i++) {
            for (std::size_t ky = 0; ky < 3; ky++) {
                for (std::size_t kx = 0; kx < 3; kx++) {
                    EXPECT_EQ(plain[((ky * 3 + kx) * 2 + i) * 3 + o],
                              weight.values[((o * 2 + i) * 3 + ky) * 3 + kx]);
                }
            }
        }
    }
}

/// A layer of 3 channels with an offset, alone in its network.
Network one_layer(Op op, Offset offset) {
    Node node;
    node.name = "x";
    node.layer.op = op;
    node.layer.input = node.layer.output = {2, 2, 3};
    node.layer.bias = offset != Offset::none;
    node.inputs = {-1};
    node.offset = offset;
    Network network;
    network.batch_norm_epsilon = 0;
    network.nodes = {node};
    return network;
}

TEST(Weights, ABatchNormAloneFoldsToAFactorAndABiasPerChannel) {
    const Network network = one_layer(Op::affine, Offset::batch_norm);
    const LayerWeights folded = fold(network, {{"x.bn.weight", {{3}, {2, 3, 4}}},
                                               {"x.bn.bias", {{3}, {5, 6, 7}}},
                                               {"x.bn.running_mean", {{3}, {1, -1, 8}}},
                                               {"x.bn.running_var", {{3}, {4, 1, 16}}}})
                                    .layers[0];
    EXPECT_EQ(folded.weights, (std::vector<float>{1, 3, 1}));
    EXPECT_EQ(folded.bias, (std::vector<float>{4, 9, -1}));
    EXPECT_EQ(checkpoint_tensors(network.nodes[0]).size(), 4u);
}

TEST(Weights, AffineAndNormsTakeTheirWeightsAndBiasesAsTheyAre) {
    for (const Op op : {Op::affine, Op::layer_norm, Op::group_norm}) {
        const Network network = one_layer(op, Offset::bias);
        const LayerWeights folded =
            fold(network, {{"x.weight", {{3}, {2, 3, 4}}}, {"x.bias", {{3}, {5, 6, 7}}}}).layers[0];
        EXPECT_EQ(folded.weights, (std::vector<float>{2, 3, 4})) << to_string(op);
        EXPECT_EQ(folded.bias, (std::vector<float>{5, 6, 7})) << to_string(op);
    }
}

TEST(Weights, ALayerScaleMultipliesWhatTheBatchNormGives) {
    Network network = one_layer(Op::depthwise_conv2d, Offset::batch_norm);
    network.nodes[0].layer_scale = true;
    const LayerWeights folded = fold(network, {{"x.weight", {{3, 1, 1, 1}, {10, 20, 30}}},
                                               {"x.bn.weight", {{3}, {2, 3, 4}}},
                                               {"x.bn.bias", {{3}, {5, 6, 7}}},
                                               {"x.bn.running_mean", {{3}, {1, -1, 8}}},
                                               {"x.bn.running_var", {{3}, {4, 1, 16}}},
                                               {"x.layer_scale", {{3}, {0.5, 2, -1}}}})
                                    .layers[0];
    EXPECT_EQ(folded.weights, (std::vector<float>{5, 120, -30}));
    EXPECT_EQ(folded.bias, (std::vector<float>{2, 18, 1}));
}

TEST(Weights, ALayerWithoutOffsetHasItsWeightsAlone) {
    const Network network = one_layer(Op::conv2d, Offset::none);
    const auto tensors = checkpoint_tensors(network.nodes[0]);
    ASSERT_EQ(tensors.size(), 1u);
    EXPECT_EQ(tensors[0].name, "x.weight");
    EXPECT_TRUE(random_weights(network, 1).layers[0].bias.empty());
}

class CheckpointFile : public ::testing::Test {
protected:
    CheckpointFile() : network_(Zoo().network("mobilenet_v3_small@0.35,64")) {
        tensors_ = random_checkpoint(network_, 2);
    }

    /// What loading the tensors as they are now says; "" when they load.
    std::string message() {
        const std::filesystem::path path = folder_.path() / "w.safetensors";
        write_file(path, write_safetensors(tensors_));
        try {
            loaded_ = load_weights(network_, path);
        } catch (const UserError &e) {
            return e.what();
        }
        return "";
    }

    Network network_;
    TemporaryFolder folder_{::testing::TempDir() + "edgefront-weights"};
    TensorMap tensors_;
    NetworkWeights loaded_;
};

TEST_F(CheckpointFile, AWholeOneGivesTheWeightsItWasWrittenFrom) {
    EXPECT_EQ(message(), "");
    EXPECT_EQ(loaded_.hash, random_weights(network_, 2).hash);
    EXPECT_EQ(loaded_.source, "file w.safetensors");
}

TEST_F(CheckpointFile, PyTorchsBatchCountersAreIgnored) {
    tensors_["block0.conv.bn.num_batches_tracked"] = {{}, {0}};
    EXPECT_EQ(message(), "");
}

TEST_F(CheckpointFile, AMissingTensorIsNamedWithItsShape) {
    tensors_.erase("block0.conv.weight");
    const std::string text = message();
    EXPECT_NE(text.find("\"block0.conv.weight\""), std::string::npos) << text;
    EXPECT_NE(text.find("missing"), std::string::npos) << text;
}

TEST_F(CheckpointFile, AnUnknownTensorIsNamedWithTheNearestKnownOne) {
    tensors_["block0.conv.bn.biass"] = {{1}, {0}};
    const std::string text = message();
    EXPECT_NE(text.find("block0.conv.bn.biass"), std::string::npos) << text;
    EXPECT_NE(text.find("did you mean 'block0.conv.bn.bias'"), std::string::npos) << text;
}

TEST_F(CheckpointFile, AShapeOfAnotherWidthAndANegativeVarianceAreRefused) {
    FloatTensor &weight = tensors_.at("block0.conv.weight");
    const FloatTensor whole = weight;
    weight.shape[0] -= 1;
    weight.values.resize(weight.values.size() / whole.shape[0] * weight.shape[0]);
    EXPECT_NE(message().find("/block0.conv.weight: expected F32 "), std::string::npos);
    weight = whole;
    tensors_.at("block0.conv.bn.running_var").values[0] = -1;
    EXPECT_NE(message().find("variance is negative"), std::string::npos);
}

} // namespace
} // namespace edgefront
