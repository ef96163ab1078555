// Rows and columns, rendered for people and for programs. Collected once, printed in any format.
#pragma once

#include "base/json_reader.h"

#include <string>
#include <vector>

namespace edgefront {

enum class Format { table, csv, json, md };
const std::vector<std::string> &format_names();
/// Throws UserError on an unknown name.
Format parse_format(const std::string &name);

struct Column {
    std::string key;   ///< csv and json name, with its unit: "latency_ms"
    std::string title; ///< for people: "latency ms"
    int decimals = -1; ///< of numbers in `table` and `md`; -1 prints the shortest exact form
};

/// Cells are JSON scalars; null prints as "-" (empty in csv).
struct Table {
    std::vector<Column> columns;
    std::vector<std::vector<Json>> rows;
    std::vector<std::string> notes; ///< lines below a `table` or `md`; not in csv and json
};

/// A cell as people read it.
std::string cell_text(const Json &cell, const Column &column);

/// csv: RFC 4180 with a header line; json: an array of objects; numbers with a "." always.
std::string render(const Table &table, Format format);

} // namespace edgefront
