#include "search/spatial_guard.h"

#include <algorithm>
#include <numeric>

namespace edgefront {

SpatialMixing spatial_mixing(const Network &network) {
    /// A tensor's pixel sees `field` input pixels along a side; neighbours are `jump` apart.
    struct View {
        int field = 1;
        int jump = 1;
    };
    const auto blocks = static_cast<std::size_t>(network.nodes.back().block) + 1;
    std::vector<int> field_after(blocks, 1);
    SpatialMixing mixing;
    mixing.mixing_layers.assign(blocks, 0);
    std::vector<View> views;
    for (const auto &node : network.nodes) {
        const auto data = node.inputs.front();
        View view = data < 0 ? View{} : views[static_cast<std::size_t>(data)];
        const auto block = static_cast<std::size_t>(node.block);
        switch (node.layer.op) {
        case Op::conv2d:
        case Op::depthwise_conv2d:
            view.field += (node.layer.reach() - 1) * view.jump;
            view.jump *= node.layer.stride;
            mixing.mixing_layers[block] += node.layer.kernel > 1;
            break;
        case Op::max_pool:
            view.field += (node.layer.kernel - 1) * view.jump;
            view.jump *= node.layer.stride;
            break;
        case Op::fully_connected:
        case Op::global_average_pool:
        case Op::average_pool:
        case Op::elementwise:
        case Op::affine:
        case Op::layer_norm:
        case Op::group_norm:
        case Op::softmax:
        case Op::attention_scores:
        case Op::attention_context:
        case Op::concat:
        case Op::slice:
        case Op::channel_shuffle:
        case Op::reshape:
        case Op::unfold:
        case Op::fold:
        case Op::resize_bilinear:
        case Op::channel_scale: break;
        }
        views.push_back(view);
        field_after[block] = view.field;
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
