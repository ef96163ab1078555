#!/usr/bin/env bash
# A network of one's own: one JSON file, no C++.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
edgefront=${EDGEFRONT:-$here/../../edgefront}
cd "${1:-$(mktemp -d)}"

# Its layers, parameters, multiply-adds and peak activation memory.
"$edgefront" describe "$here/pocket_uib.json"

# A narrower variant for larger images: FILE@WIDTH,RESOLUTION.
"$edgefront" describe "$here/pocket_uib.json@0.5,192" --format json -o pocket_half.json

# What it costs on two devices; the last lines are the totals.
for target in pixel6-cpu coral-usb; do
    "$edgefront" estimate "$here/pocket_uib.json" --target $target | tail -n 2
done
