# Sourced by ./edgefront and ./run-tests: installs what is missing on Debian, configures, builds.
# Everything said here goes to stderr; build output goes to a terminal or, without one, to
# build/PRESET.log, whose end is shown when a step fails.

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
give_up() { say "$*"; exit 70; }

# step WHAT LOG COMMAND...
step() {
    local what=$1 log=$2
    shift 2
    if [ -t 2 ]; then
        "$@" >&2 </dev/null || give_up "$what failed"
    elif ! "$@" >>"$log" 2>&1 </dev/null; then
        tail -n 60 "$log" >&2
        give_up "$what failed; all of its output is in $log"
    fi
}

# install_packages KIND...: the Debian packages of those kinds that are missing. What another
# package provides is there (the nodejs of its makers comes with npm, and bars Debian's).
install_packages() {
    local log=$root/build/packages.log package kind kinds=" $* " missing=() there
    command -v dpkg-query >/dev/null ||
        { say "no Debian here: cmake/debian-packages.txt lists what the build needs"; return; }
    there=$(dpkg-query -W -f '${db:Status-Status}, ${Package}, ${Provides}\n' |
        sed -n 's/^installed, //p' | tr -s ', ' '\n')
    while read -r package kind _; do
        [[ $package != '#'* && $kinds == *" $kind "* ]] || continue
        grep -qxF "$package" <<<"$there" || missing+=("$package")
    done <"$root/cmake/debian-packages.txt"
    [ ${#missing[@]} -gt 0 ] || return 0

    local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600)
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null ||
            give_up "missing packages, and neither root nor sudo to install them: ${missing[*]}"
        apt=(sudo "${apt[@]}")
    fi
    say "installing Debian packages: ${missing[*]}"
    : >"$log"
    step "the update of the package lists" "$log" "${apt[@]}" update
    step "the installation of packages" "$log" \
        "${apt[@]}" -y --no-install-recommends install "${missing[@]}"
}

# build PRESET: configures and builds into build/PRESET.
build() {
    local preset=$1 log=$root/build/$1.log fresh=()
    # A checkout that was moved or copied takes its build folder along; CMake refuses to use that.
    grep -qsxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$root/build/$preset/CMakeCache.txt" ||
        fresh=(--fresh)
    say "building preset $preset$([ -t 2 ] || echo " (log: $log)")"
    : >"$log"
    cd "$root" || exit 70
    step "the configuration" "$log" cmake --preset "$preset" "${fresh[@]}"
    step "the build" "$log" cmake --build --preset "$preset" --parallel "$(nproc)"
    cd "$OLDPWD" || exit 70
}
