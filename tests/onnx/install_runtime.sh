#!/usr/bin/env bash
# Puts ONNX Runtime for node, as package-lock.json pins it, into a folder: install_runtime.sh FOLDER
# A folder that has it already is left alone. No package's own install script is run. Exits with 77,
# for CTest a skipped test, where npm does not reach its registry; a failure of any other kind, or
# with EDGEFRONT_ONNX_RUNTIME=required, is one.
set -euo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
folder=$1
loads() { (cd "$folder" && node -e 'require("onnxruntime-node")'); }

mkdir -p "$folder"
if cmp -s "$here/package-lock.json" "$folder/installed-lock.json" && loads; then
    exit 0
fi
for program in node npm; do
    command -v $program >/dev/null || { echo "FAILED: no $program; apt install nodejs npm"; exit 1; }
done
rm -f "$folder/installed-lock.json" # what is there now may not be what is pinned
cp "$here/package.json" "$here/package-lock.json" "$folder"
(cd "$folder" && npm ci --ignore-scripts --no-audit --no-fund) || {
    if [ "${EDGEFRONT_ONNX_RUNTIME:-}" != required ] && ! npm ping >/dev/null 2>&1; then
        echo "SKIPPED: npm does not reach its registry, so no exported model was compared with ONNX Runtime"
        exit 77
    fi
    echo "FAILED: npm cannot install onnxruntime-node, which exported models are compared with"
    exit 1
}
loads
cp "$here/package-lock.json" "$folder/installed-lock.json"
