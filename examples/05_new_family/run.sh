#!/usr/bin/env bash
# Two families of one's own, written with rows, definitions and expressions: README.md explains them.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
edgefront=${EDGEFRONT:-$here/../../edgefront}
cd "${1:-$(mktemp -d)}"

# The published sizes, from one file each.
for width in 0.5 1 1.3; do
    "$edgefront" describe "$here/ghostnet.json@$width" | grep -E '^(MACs|parameters)'
done
for width in 1 1.1666667; do
    "$edgefront" describe "$here/repvit_m0_9.json@$width" | grep -E '^(MACs|parameters)'
done

# Where GhostNet spends its work: the cheap halves are a small share.
"$edgefront" describe "$here/ghostnet.json" --by op

# What RepViT costs on a phone's CPU, stage by stage of the network and in total.
"$edgefront" describe "$here/repvit_m0_9.json" --by stage
"$edgefront" estimate "$here/repvit_m0_9.json" --target pixel6-cpu | tail -n 2

# A small variant on this machine, every layer compared with plain loops: yes, or exit code 1.
"$edgefront" run "$here/repvit_m0_9.json@0.5,64" --check >layers.txt
grep -c ' yes$' layers.txt

# And both for other tools.
for network in ghostnet repvit_m0_9; do
    "$edgefront" export "$here/$network.json" --to onnx -o $network.onnx
done
