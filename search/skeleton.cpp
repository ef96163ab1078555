#include "search/skeleton.h"

#include <fmt/format.h>

namespace edgefront {

Option uib_option(const Block &uib) {
    Block block = uib;
    block.channels = 0;
    block.stride = block.repeat = 1;
    return {fmt::format("a{}_k{}_e{}", uib.start_kernel, uib.mid_kernel, uib.expansion), block};
}

const std::vector<std::string> &uib_types() {
    static const std::vector<std::string> types = {"ExtraDW", "IB", "ConvNext", "FFN"};
    return types;
}

std::string option_type(const Option &option) {
    if (option.is_uib()) {
        return uib_type(*option.block);
    }
    return option.block ? option.name : "";
}

Block Stage::placed(const Option &option, std::size_t position, std::size_t channel) const {
    Block block = *option.block;
    if (option.is_uib()) {
        block.channels = channels[channel];
        block.stride = position == 0 ? stride : 1;
    }
    return block;
}

double Stage::size() const {
    double all = 0, blocks = 1;
    std::size_t depth = 0;
    for (const int wanted : depths) {
        for (; depth < static_cast<std::size_t>(wanted); depth++) {
            blocks *= static_cast<double>(positions[depth].size());
        }
        all += blocks;
    }
    return all * static_cast<double>(channels.size());
}

double Skeleton::size() const {
    auto n = static_cast<double>(resolutions.size() * widths.size() * activations.size());
    for (const auto &stage : stages) {
        n *= stage.size();
    }
    return n;
}

std::string Skeleton::stage_name(std::size_t stage) const {
    return fmt::format("{}{}s{}", name, name.empty() ? "" : ".", stage + 1);
}

} // namespace edgefront
