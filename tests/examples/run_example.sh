#!/usr/bin/env bash
# Runs an example in a folder of its own: run_example.sh TOOL EXAMPLE
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
EDGEFRONT=$1 "$2/run.sh" "$folder"
