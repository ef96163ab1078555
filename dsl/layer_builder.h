// Layers one at a time: their shapes, padding and names, and the check that they fit.
#pragma once

#include "dsl/family.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace edgefront {

/// A tensor on the way: which node made it (-1: the network's input) and its shape.
struct Tensor {
    int node = -1;
    Shape shape;
};

struct ConvOptions {
    int kernel = 1;
    int stride = 1;
    Activation activation = Activation::none;
    Offset offset = Offset::batch_norm;
    int groups = 1;
    int dilation = 1;
    std::optional<Padding> padding; ///< the family's when empty
    int start = 0;                  ///< the first pixel, down and across
    const Tensor *residual = nullptr;
    bool layer_scale = false;
    bool count_padding = false;
};

/// Appends layers to a network, each made of the tensor it is given. Throws UserError, at the place
/// of the row, for layers that cannot be.
class LayerBuilder {
public:
    LayerBuilder(const Family &family, const Variant &variant);

    /// Where the layers that follow belong.
    struct Row {
        int block = 0;
        std::string block_name; ///< Node::block_name
        std::string path;       ///< "block3", or of a row within a definition "block3.branch"
        bool bare = false;      ///< its only layer is named `path`, others `path`.role
        Where where;
    };
    void begin(Row row) { row_ = std::move(row); }
    const Row &row() const { return row_; }

    /// Any layer; `inputs` in the order of Node::inputs.
    Tensor add(const std::string &role, Layer layer, const std::vector<Tensor> &inputs,
               Offset offset = Offset::none, bool layer_scale = false);

    Tensor convolution(const std::string &role, const Tensor &in, int channels,
                       const ConvOptions &options);
    Tensor depthwise(const std::string &role, const Tensor &in, const ConvOptions &options);
    Tensor pool(const std::string &role, Op op, const Tensor &in, const ConvOptions &options);
    Tensor global_pool(const std::string &role, const Tensor &in);
    /// Over everything there is: a map that still has pixels takes a convolution of its own size,
    /// which is what a fully connected layer on the flattened map computes.
    Tensor connected(const std::string &role, const Tensor &in, int channels, Activation activation,
                     bool bias);
    /// Pool, squeeze, excite, scale; both 1x1 convolutions have a bias and no batch norm.
    /// `block_input`: the channels that SqueezeExcite::Of::input means.
    Tensor squeeze_excite(const std::string &prefix, const Tensor &in, int block_input,
                          const SqueezeExcite &se);

    const Family &family() const { return family_; }
    const Variant &variant() const { return variant_; }
    double width() const { return width_; } ///< the multiplier that all rules see
    bool empty() const { return network_.nodes.empty(); }
    const Network &network() const { return network_; }

    /// By name of the node.
    const std::map<std::string, Tensor> &layers() const { return layers_; }

    /// An error of the present row.
    UserError error(const std::string &what) const;

    Network take();

private:
    Tensor windowed(const std::string &role, Op op, const Tensor &in, int channels,
                    const ConvOptions &options);

    const Family &family_;
    const Variant &variant_;
    double width_;
    Network network_;
    Row row_;
    std::map<std::string, Tensor> layers_;
    bool stem_kernel_used_ = false;
};

} // namespace edgefront
