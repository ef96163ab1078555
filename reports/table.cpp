#include "reports/table.h"

#include "base/csv.h"
#include "base/error.h"

#include <fmt/format.h>

#include <algorithm>

namespace edgefront {

const std::vector<std::string> &format_names() {
    static const std::vector<std::string> names = {"table", "csv", "json", "md"};
    return names;
}

Format parse_format(const std::string &name) {
    const auto &names = format_names();
    const auto it = std::find(names.begin(), names.end(), name);
    if (it == names.end()) {
        throw UserError("unknown format '" + name + "', expected one of " + join(names) +
                        did_you_mean(name, names));
    }
    return static_cast<Format>(it - names.begin());
}

std::string cell_text(const Json &cell, const Column &column) {
    if (cell.is_null()) {
        return "-";
    }
    if (cell.is_string()) {
        return cell.get<std::string>();
    }
    if (cell.is_number() && column.decimals >= 0) {
        return fmt::format("{:.{}f}", cell.get<double>(), column.decimals);
    }
    // Shortest exact form; 569, not 569.0.
    return cell.is_number_float() ? fmt::format("{}", cell.get<double>()) : cell.dump();
}

namespace {

std::string for_csv(const Json &cell) {
    if (cell.is_null()) {
        return "";
    }
    if (!cell.is_string()) {
        return cell.dump();
    }
    return csv_cell(cell.get<std::string>());
}

/// A bar would end the cell of a Markdown table.
std::string escape_bars(const std::string &text) {
    std::string escaped;
    for (const char c : text) {
        escaped += c == '|' ? "\\|" : std::string(1, c);
    }
    return escaped;
}

/// Characters, not bytes, of UTF-8 text.
std::size_t display_width(const std::string &text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    }));
}

std::string render_for_people(const Table &table, bool markdown) {
    const std::size_t n = table.columns.size();
    std::vector<std::vector<std::string>> cells(1);
    std::vector<bool> numeric(n, !table.rows.empty());
    for (const auto &column : table.columns) {
        cells[0].push_back(column.title);
    }
    for (const auto &row : table.rows) {
        cells.emplace_back();
        for (std::size_t i = 0; i < n; i++) {
            const std::string cell = cell_text(row[i], table.columns[i]);
            cells.back().push_back(markdown ? escape_bars(cell) : cell);
            numeric[i] = numeric[i] && (row[i].is_number() || row[i].is_null());
        }
    }
    std::vector<std::size_t> widths(n, 0);
    for (const auto &row : cells) {
        for (std::size_t i = 0; i < n; i++) {
            widths[i] = std::max(widths[i], display_width(row[i]));
        }
    }
    std::string out;
    for (std::size_t r = 0; r < cells.size(); r++) {
        std::string line = markdown ? "|" : "";
        for (std::size_t i = 0; i < n; i++) {
            const std::string pad(widths[i] - display_width(cells[r][i]), ' ');
            const std::string cell = numeric[i] ? pad + cells[r][i] : cells[r][i] + pad;
            line += markdown ? " " + cell + " |" : (i > 0 ? "  " : "") + cell;
        }
        line.erase(line.find_last_not_of(' ') + 1);
        out += line + "\n";
        if (r == 0 && markdown) {
            out += "|";
            for (std::size_t i = 0; i < n; i++) {
                out += std::string(widths[i] + 1, '-') + (numeric[i] ? ":|" : "-|");
            }
            out += "\n";
        }
    }
    for (const auto &note : table.notes) {
        out += (markdown ? "\n" : "") + note + "\n";
    }
    return out;
}

} // namespace

std::string render(const Table &table, Format format) {
    std::string out;
    switch (format) {
    case Format::table: return render_for_people(table, false);
    case Format::md: return render_for_people(table, true);
    case Format::csv: {
        for (std::size_t i = 0; i < table.columns.size(); i++) {
            out += (i > 0 ? "," : "") + table.columns[i].key;
        }
        out += "\n";
        for (const auto &row : table.rows) {
            for (std::size_t i = 0; i < row.size(); i++) {
                out += (i > 0 ? "," : "") + for_csv(row[i]);
            }
            out += "\n";
        }
        return out;
    }
    case Format::json: {
        Json rows = Json::array();
        for (const auto &row : table.rows) {
            Json object = Json::object();
            for (std::size_t i = 0; i < row.size(); i++) {
                object[table.columns[i].key] = row[i];
            }
            rows.push_back(std::move(object));
        }
        return rows.dump(2) + "\n";
    }
    }
    return out;
}

} // namespace edgefront
