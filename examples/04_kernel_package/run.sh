#!/usr/bin/env bash
# Kernels for a program of one's own: generate a package, check it, call it from C.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
edgefront=${EDGEFRONT:-$here/../../edgefront}
cd "${1:-$(mktemp -d)}"

# Library, header, packed weights, manifest.json and CMake config, for this machine. The weights
# are random unless --weights gives a safetensors file.
"$edgefront" generate "$here/../02_new_network/pocket_uib.json" --target host -o pocket_uib

# The package checks itself: every layer against plain loops.
pocket_uib/bin/selfcheck | tail -n 1

# A program that uses it is an ordinary CMake project.
cmake -S "$here" -B build -G Ninja -DCMAKE_PREFIX_PATH="$PWD/pocket_uib" -DCMAKE_BUILD_TYPE=Release >build.log
cmake --build build >>build.log
build/classify
