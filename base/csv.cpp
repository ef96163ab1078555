#include "base/csv.h"

#include "base/files.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace edgefront {

namespace {

std::string at_line(int line) {
    return "line " + std::to_string(line);
}

/// One record: its cells and the line it begins on.
struct Record {
    int line = 1;
    std::vector<std::string> cells;
};

/// A cursor over the text that splits it into records.
class Splitter {
public:
    Splitter(const std::string &text, const std::string &file)
        : text_(text), file_(file), at_(text.compare(0, 3, "\xef\xbb\xbf") == 0 ? 3 : 0) {}

    bool done() const { return at_ == text_.size(); }

    Record next() {
        Record record;
        record.line = line_;
        bool more = true;
        while (more) {
            record.cells.push_back(cell());
            more = !done() && text_[at_] == ',';
            at_ += more ? 1 : 0;
        }
        end_of_line();
        return record;
    }

private:
    std::string cell() {
        if (!done() && text_[at_] == '"') {
            return quoted();
        }
        const std::size_t end = std::min(text_.find_first_of(",\r\n\"", at_), text_.size());
        if (end < text_.size() && text_[end] == '"') {
            throw error("a quote inside an unquoted cell");
        }
        std::string value = text_.substr(at_, end - at_);
        at_ = end;
        return value;
    }

    std::string quoted() {
        std::string value;
        const int begun = line_;
        for (at_++;; at_++) {
            if (done()) {
                line_ = begun;
                throw error("a quoted cell has no end");
            }
            const bool quote = text_[at_] == '"';
            if (quote && at_ + 1 < text_.size() && text_[at_ + 1] == '"') {
                at_++;
            } else if (quote) {
                at_++;
                break;
            }
            line_ += text_[at_] == '\n' ? 1 : 0;
            value += text_[at_];
        }
        if (!done() && text_[at_] != ',' && text_[at_] != '\r' && text_[at_] != '\n') {
            throw error("text after a closing quote");
        }
        return value;
    }

    void end_of_line() {
        if (done()) {
            return;
        }
        at_ += text_[at_] == '\r' ? 1 : 0;
        if (done() || text_[at_] != '\n') {
            throw error("a carriage return without a line feed");
        }
        at_++;
        line_++;
    }

    UserError error(const std::string &what) const { return {{file_, at_line(line_)}, what}; }

    const std::string &text_;
    const std::string &file_;
    std::size_t at_;
    int line_ = 1;
};

/// "0.25", not "0.250000".
std::string shown(double value) {
    std::string text = std::to_string(value);
    text.erase(text.find_last_not_of('0') + 1);
    return text.back() == '.' ? text.substr(0, text.size() - 1) : text;
}

template <typename Number>
bool parse_number(const std::string &text, Number &value) {
    const char *end = text.data() + text.size();
    const auto result = std::from_chars(text.data(), end, value);
    return result.ec == std::errc() && result.ptr == end;
}

} // namespace

UserError CsvRow::error(const std::string &column, const std::string &what) const {
    return {{header_->file, at_line(line_) + ", column '" + column + "'"}, what};
}

const std::string &CsvRow::text(const std::string &column) const {
    const auto &columns = header_->columns;
    const auto it = std::find(columns.begin(), columns.end(), column);
    if (it == columns.end()) {
        throw UserError({header_->file, "line 1"},
                        "there is no column '" + column + "'" + did_you_mean(column, columns));
    }
    return cells_[static_cast<std::size_t>(it - columns.begin())];
}

double CsvRow::number(const std::string &column, double least, double most) const {
    double value = 0;
    if (!parse_number(text(column), value) || !std::isfinite(value)) {
        throw error(column, "expected a number, found '" + text(column) + "'");
    }
    if (value < least || value > most) {
        throw error(column,
                    text(column) + " is not between " + shown(least) + " and " + shown(most));
    }
    return value;
}

std::int64_t CsvRow::integer(const std::string &column, std::int64_t least,
                             std::int64_t most) const {
    std::int64_t value = 0;
    if (!parse_number(text(column), value)) {
        throw error(column, "expected an integer, found '" + text(column) + "'");
    }
    if (value < least || value > most) {
        throw error(column, text(column) + " is not between " + std::to_string(least) + " and " +
                                std::to_string(most));
    }
    return value;
}

std::optional<double> CsvRow::find_number(const std::string &column, double least,
                                          double most) const {
    if (empty(column)) {
        return std::nullopt;
    }
    return number(column, least, most);
}

std::optional<std::int64_t> CsvRow::find_integer(const std::string &column, std::int64_t least,
                                                 std::int64_t most) const {
    if (empty(column)) {
        return std::nullopt;
    }
    return integer(column, least, most);
}

std::size_t CsvRow::one_of(const std::string &column, const std::vector<std::string> &names) const {
    const auto it = std::find(names.begin(), names.end(), text(column));
    if (it == names.end()) {
        throw error(column, "'" + text(column) + "' is none of " + join(names) +
                                did_you_mean(text(column), names));
    }
    return static_cast<std::size_t>(it - names.begin());
}

CsvTable parse_csv(const std::string &text, const std::string &file,
                   const std::vector<std::string> &columns) {
    Splitter splitter(text, file);
    if (splitter.done()) {
        throw UserError({file, "line 1"}, "the file is empty, expected a header line");
    }
    const auto header = std::make_shared<CsvHeader>(CsvHeader{file, splitter.next().cells});
    if (!columns.empty() && header->columns != columns) {
        throw UserError({file, "line 1"}, "the columns are " + join(header->columns, ",") +
                                              ", expected " + join(columns, ","));
    }
    std::vector<CsvRow> rows;
    while (!splitter.done()) {
        Record record = splitter.next();
        if (record.cells.size() != header->columns.size()) {
            throw UserError({file, at_line(record.line)},
                            std::to_string(record.cells.size()) + " cells, expected " +
                                std::to_string(header->columns.size()));
        }
        rows.emplace_back(header, record.line, std::move(record.cells));
    }
    return {header, std::move(rows)};
}

CsvTable read_csv(const std::filesystem::path &path, const std::vector<std::string> &columns) {
    return parse_csv(read_file(path), path.string(), columns);
}

std::string csv_cell(const std::string &text) {
    if (text.find_first_of(",\"\n\r") == std::string::npos) {
        return text;
    }
    std::string quoted = "\"";
    for (const char c : text) {
        quoted += c == '"' ? "\"\"" : std::string(1, c);
    }
    return quoted + "\"";
}

} // namespace edgefront
