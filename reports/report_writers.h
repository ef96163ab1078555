// A collected report as a file. Every format shows the same points and the same numbers.
#pragma once

#include "reports/run_report.h"

#include <string>

namespace edgefront {

/// One self-contained page: no script, font, image or style from elsewhere; works without scripts
/// and follows the reader's light or dark setting. Well-formed XML.
std::string write_html(const RunReport &report);

/// GitHub-flavoured Markdown.
std::string write_markdown(const RunReport &report);

/// The charts of the front and their legend as a stand-alone picture.
std::string write_svg(const RunReport &report);

/// One chart of the front: x against y, indices of objectives.
std::string panel_svg(const RunReport &report, std::size_t x, std::size_t y);

} // namespace edgefront
