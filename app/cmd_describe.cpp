// edgefront describe N: layers and counts, no device involved.
#include "app/command.h"
#include "reports/description.h"

#include <algorithm>

namespace edgefront {

namespace {

struct Options {
    NetworkOptions network;
    OutputOptions output;
    std::string precision = "fp32";
    std::string by = "layer";
    std::string count = "macs";
};

/// CLI11 has checked that `name` is one of `names`.
template <typename Enum>
Enum parse(const std::string &name, const std::vector<std::string> &names) {
    return static_cast<Enum>(std::find(names.begin(), names.end(), name) - names.begin());
}

int run_describe(const Options &options) {
    const Network network =
        with_type(options.network.resolve(), parse_data_type(options.precision));
    const Description description =
        describe(network, parse<Grouping>(options.by, grouping_names()));
    options.output.write(
        description_table(description, parse<Counting>(options.count, counting_names())),
        description_json(description));
    return exit_ok;
}

} // namespace

void add_describe(CLI::App &app, Session &session) {
    auto options = std::make_shared<Options>();
    CLI::App *command = app.add_subcommand("describe", "Layers and counts of a network");
    options->network.add_to(*command);
    options->output.add_to(*command);
    command->add_option("--precision", options->precision, "Element type of every tensor")
        ->check(CLI::IsMember({"fp32", "fp16", "int8"}))
        ->capture_default_str();
    command->add_option("--by", options->by, "What a row stands for")
        ->check(CLI::IsMember(grouping_names()))
        ->capture_default_str();
    command->add_option("--count", options->count, "Which work is counted (json has both)")
        ->check(CLI::IsMember(counting_names()))
        ->capture_default_str();
    command->footer(
        "A stage is a run of blocks whose outputs have the same height and width; rows by op are\n"
        "layers with the same operator and kernel.\n"
        "MACs are the multiply-adds of convolutions, fully connected layers and attention\n"
        "products. FLOPs are 2 per MAC and, with batch norms folded, 1 per output element for a\n"
        "bias, for a sum and for a product per channel, 1 to 5 for an activation (relu 1, relu6 "
        "2,\n"
        "hard_sigmoid, sigmoid and swish 4, hard_swish and gelu 5), the window for pooling, 5 for\n"
        "softmax, 6 for a norm, 7 for resizing: each addition, product, quotient, comparison,\n"
        "exponential and root counts one, as in TensorFlow's profiler.\n"
        "Bytes are inputs, weights and output of every layer, once each, in --precision (biases "
        "in\n"
        "4 bytes); MACs/byte or FLOPs/byte is the arithmetic intensity. Live bytes are all\n"
        "activations that exist while a layer runs; their peak is that of the memory plan.\n"
        "Examples:\n  edgefront describe mobilenet_v2\n"
        "  edgefront describe mobilenet_v4_conv_small --by stage --count flops --format md\n"
        "  edgefront describe mobilenet_v4_conv_small@0.5,160 --format json");
    command->callback([=, &session] { session.action = [=] { return run_describe(*options); }; });
}

} // namespace edgefront
