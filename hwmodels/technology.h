// What a process node's multiply-adds and memories take: data/technologies/*.json (schema
// data/schema/technology.schema.json). Targets name one instead of repeating its prices.
#pragma once

#include "base/json_reader.h"
#include "dsl/tensor.h"
#include "hwmodels/constant.h"

#include <map>
#include <optional>
#include <string>

namespace edgefront {

/// Prices in picojoules. What is asked of it names the technology in its source.
class Technology {
public:
    /// Strict, as targets are.
    explicit Technology(const JsonReader &json);

    const std::string &name() const { return name_; }
    const std::string &description() const { return description_; }

    /// A multiply-add, multiplication and accumulation: arithmetic alone, registers come on top.
    std::optional<Constant> mac(DataType precision) const;
    /// A byte read from or written to a register file.
    std::optional<Constant> register_byte() const;
    /// A byte of an SRAM of so many KiB; without a size, of the largest listed. Between two listed
    /// sizes a power of the size; beyond them, the price of the nearest.
    std::optional<Constant> sram_byte(std::optional<double> kib) const;
    /// A byte of DRAM. Published figures are far apart: the source ends in their band.
    std::optional<Constant> dram_byte() const;

private:
    Constant named(Constant constant) const;

    std::string name_;
    std::string description_;
    std::map<DataType, Constant> macs_;
    std::optional<Constant> register_byte_;
    std::map<double, Constant> sram_bytes_; ///< by KiB
    std::optional<Constant> dram_byte_;
};

/// What the price of a multiply-add or byte may be.
inline constexpr double most_picojoules = 1e5;

} // namespace edgefront
