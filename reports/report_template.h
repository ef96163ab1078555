// The page of a report with holes (mustache): reports/templates/report.html, built in.
#pragma once

namespace edgefront {

const char *report_template();

} // namespace edgefront
