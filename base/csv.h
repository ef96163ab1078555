// Strict comma-separated tables (RFC 4180, a header line first): the published figures and the
// tables a sweep writes. A row knows its file and line, so every complaint names the place.
//
//   for (const CsvRow &row : read_csv("latency.csv", {"target", "latency_ms"}).rows()) {
//       const double ms = row.number("latency_ms", 0, 1e6);
//   }
#pragma once

#include "base/error.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace edgefront {

/// Names of the columns and of the file; shared by the rows of a table.
struct CsvHeader {
    std::string file;
    std::vector<std::string> columns;
};

class CsvRow {
public:
    CsvRow(std::shared_ptr<const CsvHeader> header, int line, std::vector<std::string> cells)
        : header_(std::move(header)), line_(line), cells_(std::move(cells)) {}

    /// Asking for a column the header lacks is an error as well.
    const std::string &text(const std::string &column) const;
    bool empty(const std::string &column) const { return text(column).empty(); }
    double number(const std::string &column, double least, double most) const;
    std::int64_t integer(const std::string &column, std::int64_t least, std::int64_t most) const;
    /// As above, or nothing when the cell is empty.
    std::optional<double> find_number(const std::string &column, double least, double most) const;
    std::optional<std::int64_t> find_integer(const std::string &column, std::int64_t least,
                                             std::int64_t most) const;
    /// A cell that must be one of `names`; returns its index.
    std::size_t one_of(const std::string &column, const std::vector<std::string> &names) const;

    int line() const { return line_; }
    /// An error at this cell.
    UserError error(const std::string &column, const std::string &what) const;

private:
    std::shared_ptr<const CsvHeader> header_;
    int line_;
    std::vector<std::string> cells_; ///< as many as columns
};

class CsvTable {
public:
    CsvTable(std::shared_ptr<const CsvHeader> header, std::vector<CsvRow> rows)
        : header_(std::move(header)), rows_(std::move(rows)) {}
    const std::vector<std::string> &columns() const { return header_->columns; }
    const std::vector<CsvRow> &rows() const { return rows_; }

private:
    std::shared_ptr<const CsvHeader> header_;
    std::vector<CsvRow> rows_;
};

/// Parses a whole table, without the byte order mark that spreadsheets put before it. With
/// `columns` the header must be exactly these, in this order. Throws UserError for a wrong header,
/// a row of another length, a stray or an open quote.
CsvTable parse_csv(const std::string &text, const std::string &file,
                   const std::vector<std::string> &columns = {});
CsvTable read_csv(const std::filesystem::path &path, const std::vector<std::string> &columns = {});

/// The text as one cell: quoted when it has to be.
std::string csv_cell(const std::string &text);

} // namespace edgefront
