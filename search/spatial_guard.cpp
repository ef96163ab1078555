#include "search/spatial_guard.h"

#include <algorithm>
#include <numeric>

namespace edgefront {

namespace {

/// A tensor's pixel sees `field` input pixels along a side; neighbours are `jump` apart.
struct View {
    int field = 1;
    int jump = 1;
};

View windowed(View view, const Layer &layer) {
    view.field += (layer.reach() - 1) * view.jump;
    view.jump *= layer.stride;
    return view;
}

/// Bilinear values are made of neighbouring pixels.
View resized(View view, const Layer &layer) {
    if (layer.input.height != layer.output.height) {
        view.field += view.jump;
        view.jump = std::max(1, view.jump * layer.input.height / layer.output.height);
    }
    return view;
}

} // namespace

SpatialMixing spatial_mixing(const Network &network) {
    const auto blocks = static_cast<std::size_t>(network.nodes.back().block) + 1;
    std::vector<int> field_after(blocks, 1);
    SpatialMixing mixing;
    mixing.mixing_layers.assign(blocks, 0);
    std::vector<View> views;
    for (const auto &node : network.nodes) {
        const Layer &layer = node.layer;
        // What any input sees, on the map of the first one: attention's keys may lie further apart.
        View view;
        for (std::size_t i = 0; i < node.inputs.size(); i++) {
            const int input = node.inputs[i];
            const View other = input < 0 ? View{} : views[static_cast<std::size_t>(input)];
            view = {std::max(view.field, other.field), i == 0 ? other.jump : view.jump};
        }
        int &mixing_layers = mixing.mixing_layers[static_cast<std::size_t>(node.block)];
        switch (layer.op) {
        case Op::conv2d:
        case Op::depthwise_conv2d:
            view = windowed(view, layer);
            mixing_layers += layer.kernel > 1;
            break;
        case Op::max_pool:
        case Op::average_pool: view = windowed(view, layer); break;
        case Op::resize_bilinear: view = resized(view, layer); break;
        case Op::attention_context:
            // By the whole input, whatever stood before: what blocks add must not depend on it.
            view.field += std::max(network.input.height, network.input.width);
            mixing_layers++;
            break;
        case Op::fully_connected:
        case Op::global_average_pool:
        case Op::channel_scale:
        case Op::elementwise:
        case Op::affine:
        case Op::layer_norm:
        case Op::group_norm:
        case Op::softmax:
        case Op::attention_scores:
        case Op::concat:
        case Op::slice:
        case Op::channel_shuffle:
        case Op::reshape:
        case Op::unfold:
        case Op::fold: break;
        }
        views.push_back(view);
        field_after[static_cast<std::size_t>(node.block)] = view.field;
    }
    mixing.reach.resize(blocks);
    std::adjacent_difference(field_after.begin(), field_after.end(), mixing.reach.begin());
    mixing.reach.front() -= 1;
    return mixing;
}

int receptive_field(const SpatialMixing &mixing) {
    return std::accumulate(mixing.reach.begin(), mixing.reach.end(), 1);
}

bool mixes_space(const SpatialMixing &mixing, int resolution,
                 const std::vector<BlockRange> &stages) {
    const auto mixes = [&](const BlockRange &stage) {
        return std::any_of(mixing.mixing_layers.begin() + stage.first,
                           mixing.mixing_layers.begin() + stage.end, [](int n) { return n > 0; });
    };
    return receptive_field(mixing) >= resolution &&
           std::all_of(stages.begin(), stages.end(), mixes);
}

} // namespace edgefront
