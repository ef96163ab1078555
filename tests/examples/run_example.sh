#!/usr/bin/env bash
# Runs an example in a folder of its own: run_example.sh TOOL EXAMPLE
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/work"
EDGEFRONT=$1 EDGEFRONT_CACHE=${EDGEFRONT_CACHE:-$folder/cache} "$2/run.sh" "$folder/work"
