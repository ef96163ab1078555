#!/usr/bin/env bash
# Generates two packages, builds a consumer project against them with find_package, runs it, and
# rebuilds a package's self-check from its sources: check_package.sh TOOL SOURCE
set -euo pipefail
tool=$1 source=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"$tool" generate mobilenet_v2@0.35,64 --target host -o packages/first --measure
"$tool" generate mobilenet_v3_small@0.35,64 --target host -o packages/second
mkdir moved
mv packages moved/ # packages may be moved
packages=$folder/moved/packages

cmake -S "$source/tests/install/package_consumer" -B consumer -G Ninja \
    -DCMAKE_PREFIX_PATH="$packages/first;$packages/second" >configure.log
cmake --build consumer >build.log || { cat build.log; exit 1; }
consumer/consumer

"$packages/first/bin/selfcheck" | tail -n 1
cmake -S "$packages/second/src" -B selfcheck -G Ninja >configure.log
cmake --build selfcheck >build.log || { cat build.log; exit 1; }
ctest --test-dir selfcheck --output-on-failure | grep "100% tests passed"

# What the self-check is for: numbers that differ are found, and weights that are damaged refused.
cp "$packages/second/weights.bin" damaged.bin
printf '\x7f\x7f\x7f\x7f' | dd of=damaged.bin bs=1 seek=5000 conv=notrunc 2>dd.log
status=0
selfcheck/selfcheck damaged.bin 2>error.txt || status=$?
[ $status = 2 ]
grep damaged error.txt
grep -q '"kind": "measured"' "$packages/first/manifest.json"
grep -q '"kind": "modelled"' "$packages/first/manifest.json"
