#!/usr/bin/env bash
# Installs a build into an empty prefix and uses it from there: check_install.sh BUILD SOURCE
# The tool finds its own data, the libraries are found by find_package.
set -euo pipefail
build=$1 source=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cmake --install "$build" --prefix prefix >install.log
prefix/bin/edgefront networks --format csv >installed.csv
"$build/app/edgefront" networks --format csv | cmp - installed.csv
rm prefix/share/edgefront/networks/mobilenet_v2.json # not the data of the source tree
prefix/bin/edgefront describe mobilenet_v2 2>error.txt && exit 1
grep -q "unknown network 'mobilenet_v2'" error.txt
cmake -S "$source/tests/install/library_consumer" -B consumer -G Ninja \
    -DCMAKE_PREFIX_PATH="$folder/prefix" >configure.log
cmake --build consumer
consumer/consumer "$source/data/networks"
