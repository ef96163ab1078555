#!/usr/bin/env bash
# "What would twice the on-chip memory buy?" A target of one's own: one JSON file, no C++.
#
# coral-usb-16mib.json is based on data/targets/coral-usb.json and says only what differs: a
# weight_memory_mib of 15.2, twice the real one.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
edgefront=${EDGEFRONT:-$here/../../edgefront}
cd "${1:-$(mktemp -d)}"

# The constants and where each comes from.
"$edgefront" targets "$here/coral-usb-16mib.json"

# A small network fits either memory; weights that do not are streamed over USB every inference.
for network in mobilenet_v4_conv_small mobilenet_v4_conv_medium mobilenet_v4_conv_large; do
    for target in coral-usb "$here/coral-usb-16mib.json"; do
        "$edgefront" estimate $network --target "$target" | grep modelled
    done
done
