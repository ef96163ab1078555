#include "hwmodels/technology.h"

#include <fmt/format.h>

#include <cmath>
#include <iterator>

namespace edgefront {

Technology::Technology(const JsonReader &json) {
    json.at("schema").one_of({"edgefront/technology/1"});
    name_ = json.at("name").string();
    description_ = json.at("description").string();
    if (const auto macs = json.find("pj_per_mac")) {
        for (const DataType precision : {DataType::fp32, DataType::fp16, DataType::int8}) {
            if (const auto mac = macs->find(to_string(precision))) {
                macs_[precision] = read_constant(*mac, 0, most_picojoules);
            }
        }
        macs->finish();
    }
    if (const auto price = json.find("register_pj_per_byte")) {
        register_byte_ = read_constant(*price, 0, most_picojoules);
    }
    if (const auto sizes = json.find("sram_pj_per_byte")) {
        for (const JsonReader &entry : sizes->items()) {
            const double kib = entry.at("size_kib").number(1e-3, 1e7);
            if (!sram_bytes_.empty() && kib <= sram_bytes_.rbegin()->first) {
                throw entry.at("size_kib").error("is not more than the one before");
            }
            sram_bytes_[kib] = read_constant(entry, 1e-9, most_picojoules);
        }
    }
    if (const auto dram = json.find("dram_pj_per_byte")) {
        const double least = dram->at("least").number(0, most_picojoules);
        const double most = dram->at("most").number(least, most_picojoules);
        dram_byte_ = read_constant(*dram, least, most);
        dram_byte_->provenance.source +=
            fmt::format("; published figures are between {} and {}", least, most);
    }
    json.finish();
}

Constant Technology::named(Constant constant) const {
    constant.provenance.source = name_ + ": " + constant.provenance.source;
    return constant;
}

std::optional<Constant> Technology::mac(DataType precision) const {
    const auto it = macs_.find(precision);
    return it == macs_.end() ? std::nullopt : std::optional<Constant>(named(it->second));
}

std::optional<Constant> Technology::register_byte() const {
    return register_byte_ ? std::optional<Constant>(named(*register_byte_)) : std::nullopt;
}

std::optional<Constant> Technology::dram_byte() const {
    return dram_byte_ ? std::optional<Constant>(named(*dram_byte_)) : std::nullopt;
}

std::optional<Constant> Technology::sram_byte(std::optional<double> kib) const {
    if (sram_bytes_.empty()) {
        return std::nullopt;
    }
    const auto above = kib ? sram_bytes_.lower_bound(*kib) : std::prev(sram_bytes_.end());
    if (above != sram_bytes_.end() && (!kib || above->first == *kib)) {
        return named(above->second);
    }
    if (above == sram_bytes_.begin() || above == sram_bytes_.end()) {
        Constant nearest =
            above == sram_bytes_.end() ? sram_bytes_.rbegin()->second : above->second;
        nearest.provenance.source += fmt::format(", taken for {} KiB", *kib);
        return named(nearest);
    }
    const auto below = std::prev(above);
    const double place = std::log(*kib / below->first) / std::log(above->first / below->first);
    const double ratio = above->second.value / below->second.value;
    Constant between = {below->second.value * std::pow(ratio, place), {}};
    between.provenance = {fmt::format("{} KiB between {} and {} KiB: {}", *kib, below->first,
                                      above->first, below->second.provenance.source),
                          "derived"};
    return named(between);
}

} // namespace edgefront
