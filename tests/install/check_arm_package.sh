#!/usr/bin/env bash
# Generates packages for three Arm cores, runs their self-checks in the emulator, and rebuilds one
# from its sources with a cross compiler as a CMake project does: check_arm_package.sh TOOL
set -euo pipefail
tool=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

# The emulator's CPUs lack what comes after those cores' architecture: the A53 has ARMv8.0 only, and
# there is none that is called A55 or X1.
while read -r core cpu; do
    "$tool" generate mobilenet_v3_small@0.35,64 --target "$core" -o "$core" -q >said
    grep -qx "check it with qemu-aarch64 $core/bin/selfcheck" said
    qemu-aarch64 -cpu "$cpu" "$core/bin/selfcheck" >checked || { cat checked; exit 1; }
    tail -n 1 checked
    grep -q "\"name\": \"$core\"" "$core/manifest.json"
    grep -q '"halide_target": "arm-64-linux"' "$core/manifest.json"
    [ "$(grep -c '"kind": "modelled"' "$core/manifest.json")" -gt 50 ] # the network, and each layer
done <<'END'
cortex-a55 cortex-a53
cortex-a76 cortex-a76
cortex-x1 cortex-a76
END
schedules() { sed -n 's/^ *"schedule": //p' "$1/manifest.json"; }
! cmp -s <(schedules cortex-a55) <(schedules cortex-a76)
! cmp -s <(schedules cortex-x1) <(schedules cortex-a76)

# A number that differs is found there, too.
cp cortex-a76/weights.bin damaged.bin
printf '\x7f\x7f\x7f\x7f' | dd of=damaged.bin bs=1 seek=5000 conv=notrunc 2>dd.log
status=0
qemu-aarch64 cortex-a76/bin/selfcheck damaged.bin 2>error.txt || status=$?
[ $status = 2 ]
grep damaged error.txt

mkdir moved # packages may be moved
mv cortex-a76 moved/
cat >arm.cmake <<'END'
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_EXE_LINKER_FLAGS_INIT -static)
set(CMAKE_FIND_ROOT_PATH /usr/aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64)
END
configure() { cmake -G Ninja -DCMAKE_TOOLCHAIN_FILE="$folder/arm.cmake" "$@" >configure.log; }
configure -S moved/cortex-a76/src -B selfcheck
cmake --build selfcheck >build.log || { cat build.log; exit 1; }
ctest --test-dir selfcheck --output-on-failure | grep "100% tests passed"

mkdir consumer
cat >consumer/CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.13)
project(consumer C)
find_package(mobilenet_v3_small_w0p35_r64 REQUIRED)
add_executable(consumer consumer.c)
target_link_libraries(consumer PRIVATE mobilenet_v3_small_w0p35_r64::mobilenet_v3_small_w0p35_r64)
END
cat >consumer/consumer.c <<'END'
#include <mobilenet_v3_small_w0p35_r64.h>
#include <stdio.h>
int main(int argc, char **argv) {
    mobilenet_v3_small_w0p35_r64_network *network =
        mobilenet_v3_small_w0p35_r64_create_from_file(argv[argc - 1], 2);
    puts(network ? "loaded" : mobilenet_v3_small_w0p35_r64_last_error());
    mobilenet_v3_small_w0p35_r64_destroy(network);
}
END
configure -S consumer -B consumer/build \
    -Dmobilenet_v3_small_w0p35_r64_DIR="$folder/moved/cortex-a76/lib/cmake/mobilenet_v3_small_w0p35_r64"
cmake --build consumer/build >build.log || { cat build.log; exit 1; }
qemu-aarch64 consumer/build/consumer moved/cortex-a76/weights.bin | grep -x loaded
