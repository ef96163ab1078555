// AccuracySummary (run_directory.h) as a part of front.json.
#pragma once

#include "search/run_directory.h"

namespace edgefront {

Json to_json(const AccuracySummary &summary);
AccuracySummary read_accuracy_summary(const JsonReader &json);

} // namespace edgefront
