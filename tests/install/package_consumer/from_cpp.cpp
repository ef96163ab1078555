// The headers are C++ too.
#include <mobilenet_v2_w0p35_r64.h>
#include <mobilenet_v3_small_w0p35_r64.h>

extern "C" int shapes_agree() {
    return int(mobilenet_v2_w0p35_r64_input_count) == 64 * 64 * 3 &&
           int(mobilenet_v3_small_w0p35_r64_output_count) == 1001;
}
