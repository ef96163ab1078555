// edgefront export N --to onnx -o F: the network with its numbers for other tools.
#include "app/command.h"
#include "base/error.h"
#include "base/files.h"
#include "dsl/onnx_export.h"

#include <fmt/format.h>

#include <algorithm>

namespace edgefront {

namespace {

struct Options {
    NumberedOptions numbered;
    std::string format;
    std::string batch_norm = "fold";
    std::string precision = "fp32";
    std::string path;
};

/// Throws UserError unless `value` is one of `known`.
void check(const std::string &what, const std::string &value,
           const std::vector<std::string> &known) {
    if (std::find(known.begin(), known.end(), value) == known.end()) {
        throw UserError("unknown " + what + " '" + value + "', expected " + join(known, " or ") +
                        did_you_mean(value, known));
    }
}

int run_export(const Options &options) {
    check("format", options.format, {"onnx"});
    check("treatment of batch norms", options.batch_norm, {"fold", "keep"});
    if (parse_data_type(options.precision) != DataType::fp32) {
        throw UserError("models are exported in fp32 only, not in " + options.precision);
    }
    const Network network = options.numbered.network.resolve();
    TensorMap numbers = options.numbered.checkpoint(network);
    if (options.batch_norm == "fold") {
        numbers = folded_checkpoint(network, fold(network, numbers));
    }
    const std::string source = options.numbered.source();
    const std::string model = onnx_model(network, std::move(numbers), {EDGEFRONT_VERSION, source});
    write_file(options.path, model);
    OutputOptions().write(
        fmt::format("{}: {} as ONNX, input \"image\" 1x{}x{}x{}, weights from {} ({:.1f} MB)\n",
                    options.path, network.name, network.input.channels, network.input.height,
                    network.input.width, source, static_cast<double>(model.size()) * 1e-6));
    return exit_ok;
}

} // namespace

void add_export(CLI::App &app, Session &session) {
    auto options = std::make_shared<Options>();
    CLI::App *command = app.add_subcommand("export", "Write a network as a model of another tool");
    options->numbered.add_to(*command);
    command->add_option("--to", options->format, "onnx")->required();
    command
        ->add_option("--batch-norm", options->batch_norm,
                     "fold: into the weights, as kernels have them; keep: as operators, with the "
                     "checkpoint's own tensors")
        ->capture_default_str();
    command->add_option("--precision", options->precision, "fp32")->capture_default_str();
    command->add_option("-o,--output", options->path, "File of the model")->required();
    command->footer(
        "ONNX: opset 17, batch 1, input \"image\" [1, 3, H, W], output \"logits\".\n"
        "Examples:\n  edgefront export mobilenet_v2 --to onnx -o mobilenet_v2.onnx\n"
        "  edgefront export mobilenet_v3_small@1.0,160 --weights w.safetensors --batch-norm keep "
        "--to onnx -o v3.onnx");
    command->callback([=, &session] { session.action = [=] { return run_export(*options); }; });
}

} // namespace edgefront
