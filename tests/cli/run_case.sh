#!/usr/bin/env bash
# Runs one case of a table of command-line cases: run_case.sh TOOL ROOT TABLE NAME
#
#   ## an unknown network names the nearest one      a case starts with its name
#   $ edgefront describe mobilenet_v22               shell lines, run by one bash in an empty folder
#   exit 2                                           the exit code of the last one
#   stderr did you mean 'mobilenet_v2'               a line of stderr matches (grep -E); repeatable
#   stdout nothing                                   or a line that matches; no line: not looked at
#
# In the folder, `data` leads to the data of the project; $root is the project.
set -euo pipefail
tool=$1 root=$2 table=$3 name=$4

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/bin" "$folder/work"
ln -s "$tool" "$folder/bin/edgefront"
ln -s "$root/data" "$folder/work/data"
awk -v name="## $name" '/^## / {inside = $0 == name; next} inside' "$table" >"$folder/case"

sed -n 's/^\$ //p' "$folder/case" >"$folder/script"
[ -s "$folder/script" ] || { echo "no case '$name' in $table"; exit 1; }
status=0
export EDGEFRONT_CACHE=${EDGEFRONT_CACHE:-$folder/cache} PATH=$folder/bin:$PATH root
(cd "$folder/work" && bash "$folder/script") \
    >"$folder/stdout" 2>"$folder/stderr" </dev/null || status=$?

failures=0
fail() { echo "FAILED: $*"; failures=$((failures + 1)); }
expected=
while read -r what rest; do
    case $what in
    '$' | '' | '#'*) ;;
    exit)
        expected=$rest
        [ "$status" = "$rest" ] || fail "exit code $status, expected $rest"
        ;;
    stdout | stderr)
        if [ "$rest" = nothing ]; then
            [ ! -s "$folder/$what" ] || fail "$what is not empty"
        else
            grep -qE -- "$rest" "$folder/$what" || fail "no line of $what matches: $rest"
        fi
        ;;
    *) fail "unknown word in the table: $what" ;;
    esac
done <"$folder/case"
[ -n "$expected" ] || fail "the case names no exit code"
[ "$failures" = 0 ] || {
    for part in script stdout stderr; do
        echo "--- $part"
        head -n 40 "$folder/$part"
    done
    exit 1
}
