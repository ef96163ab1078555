#!/usr/bin/env bash
# A first sweep: search a space, look at its front, write the report.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
edgefront=${EDGEFRONT:-$here/../../edgefront}
cd "${1:-$(mktemp -d)}"

# Every network of a small space (768) is priced on a phone's CPU; run/ keeps the result. The same
# command continues a run that was interrupted.
"$edgefront" sweep "$here/../../data/spaces/tiny.json" --run run

# The front is a table: filter it, sort it, take it along as CSV.
"$edgefront" front run --where 'latency_ms:pixel6-cpu<1' --sort macs --top 5
"$edgefront" front run --format csv -o front.csv

# A point of the front stands for a network in every command.
point=$("$edgefront" front run --sort macs --top 1 --format csv | tail -n 1 | cut -d, -f1)
"$edgefront" describe --run run --point "$point" | tail -n 4
"$edgefront" estimate --run run --point "$point" --target hexagon690 | tail -n 2

# One page to send to somebody: no network access, no other files.
"$edgefront" report run -o report.html
echo "report: $PWD/report.html"
