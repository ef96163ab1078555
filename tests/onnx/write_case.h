// Models with an input and what Edgefront makes of it, for compare.mjs.
#pragma once

#include "base/files.h"
#include "dsl/onnx_export.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

namespace edgefront {

inline std::string bytes_of(const std::vector<float> &values) {
    return {reinterpret_cast<const char *>(values.data()), values.size() * sizeof(float)};
}

/// FOLDER/NAME.in, NAME.out, NAME.folded.onnx, and with `keep` NAME.kept.onnx with its batch norms
/// and layer scales as operators, where it has any.
inline void write_onnx_case(const std::filesystem::path &folder, const std::string &name,
                            const Network &network, const TensorMap &checkpoint,
                            const std::vector<float> &input, const std::vector<float> &output,
                            bool keep) {
    const OnnxNotes notes{"test", "seed 1"};
    make_directory(folder);
    write_file(folder / (name + ".in"), bytes_of(input));
    write_file(folder / (name + ".out"), bytes_of(output));
    const TensorMap folded = folded_checkpoint(network, fold(network, checkpoint));
    write_file(folder / (name + ".folded.onnx"), onnx_model(network, folded, notes));
    if (keep && std::any_of(network.nodes.begin(), network.nodes.end(), [](const Node &node) {
            return node.layer_scale || node.offset == Offset::batch_norm;
        })) {
        write_file(folder / (name + ".kept.onnx"), onnx_model(network, checkpoint, notes));
    }
}

} // namespace edgefront
