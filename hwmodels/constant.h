// A number about a device, where it comes from, and which numbers a model asks for.
#pragma once

#include "base/json_reader.h"

#include <string>
#include <vector>

namespace edgefront {

/// Where a number comes from.
struct Provenance {
    std::string source;     ///< paper, data sheet, "least squares on 5 calibrate rows"...
    std::string confidence; ///< one of `confidence_names`
};

/// documented (seen in the source), derived (arithmetic from such values), recalled (commonly
/// published, not re-read), measured (on the very device), counted (instructions of a prototype),
/// fitted (by `edgefront calibrate`), assumed (no source; a choice that is named).
const std::vector<std::string> &confidence_names();

struct Constant {
    double value = 0;
    Provenance provenance;
};

/// A constant a model asks for: its key carries the unit.
struct ConstantSpec {
    enum Trait : unsigned {
        optional = 1,      ///< may be absent
        per_precision = 2, ///< the file has "<key>_<precision>" for each of its precisions
        whole = 4,         ///< an integer
        rate = 8,          ///< may be fitted; enters a latency as 1 / value
        time = 16,         ///< may be fitted; enters a latency as itself
        // Prices that a target's technology knows (hwmodels/technology.h).
        mac_price = 32,
        register_price = 64,
        /// Of a memory as large as the constant that begins alike says: of "cache_pj_per_byte" that
        /// is "cache_mib" or "cache_kib". Without one, of the largest the technology lists.
        sram_price = 128,
        dram_price = 256,
    };
    std::string key;
    double least = 0;
    double most = 0;
    std::string meaning;
    unsigned traits = 0;

    bool is(Trait trait) const { return (traits & trait) != 0; }
};

/// From an object that has "source" and "confidence".
Provenance read_provenance(const JsonReader &json);
Json write_provenance(const Provenance &provenance);
/// {"value": 2.5, "source": "...", "confidence": "..."}
Constant read_constant(const JsonReader &json, double least, double most);
Json write_constant(const Constant &constant);
bool operator==(const Constant &a, const Constant &b);

/// 16 for 16.0, as people write it.
Json plain_number(double value);

} // namespace edgefront
