#!/usr/bin/env bash
# A device of one's own takes one file and a table of what was measured on it.
#
# pocket-gpu.json has the constants of its data sheet, each with its source; latencies.csv has
# latencies measured there (here: made up). Rows marked "calibrate" may be fitted, at most one
# constant for two of them; rows marked "validate" tell how good the result is.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
edgefront=${EDGEFRONT:-$here/../../edgefront}
cd "${1:-$(mktemp -d)}"

# Fits two constants and writes the file anew; the fit's own errors are kept in it. "held out" is
# what a fit without the row says about it.
"$edgefront" calibrate --target "$here/pocket-gpu.json" --latencies "$here/latencies.csv" \
    --fit memory_gb_per_s,inference_overhead_us -o pocket-gpu.json

# The rows that the fit has not seen, with two simple formulas beside the model, and where the
# modelled time goes when it misses.
"$edgefront" compare latency --target ./pocket-gpu.json --latencies "$here/latencies.csv" \
    --split validate --explain

# From now on it is a target like any other; in a data folder of one's own ($EDGEFRONT_DATA) its
# name is enough.
"$edgefront" estimate mobilenet_v3_large --target ./pocket-gpu.json | tail -n 12
