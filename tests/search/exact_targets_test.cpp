// The exact front equals that of enumeration on every kind of target. EDGEFRONT_FULL_SIZE chooses
// between spaces of 50,000 networks with one of ten million, and ten million on the other kinds
// (label slow).
#include "search/exact.h"
#include "tests/search/exact_fixture.h"

namespace edgefront {
namespace {

/// A target whose weights spill out of its memory for some networks of the spaces here, where it
/// has one.
struct Kind {
    const char *name;
    const char *target;
    const char *memory; ///< the constant, or none
};

constexpr Kind kinds[] = {
    {"cpu", "pixel6-cpu", "cache_mib"},
    {"dsp", "hexagon690", nullptr},
    {"edgetpu_usb", "coral-usb", "weight_memory_mib"},
    {"edgetpu", "pixel8-edgetpu", "weight_memory_mib"},
    {"gpu", "pixel7-gpu", nullptr},
    {"npu", "iphone13-ane", nullptr},
};

class ExactOnKind : public ExactTest, public ::testing::WithParamInterface<Kind> {
protected:
    std::string kind_target() {
        const Kind &kind = GetParam();
        return kind.memory == nullptr ? kind.target : target(kind.target, kind.memory, 1.5);
    }
};

/// About 10^7 networks.
DesignSpace large_space(const std::string &target) {
    Json json = random_space(7, {target});
    json["widths"] = {0.5, 0.625, 0.75, 0.875, 1, 1.25, 1.5, 2};
    json["resolutions"] = {96, 112, 128, 144, 160, 176, 192, 208, 224, 240, 256};
    json["stages"][0]["depths"] = {2, 3};
    json["stages"][1]["channels"] = {96, 128, 160};
    const Json wide = {{"start_kernels", {0, 3}}, {"mid_kernels", {3}}, {"expansions", {2, 4, 6}}};
    json["stages"][1]["blocks"] = wide;
    return space_of(json);
}

TEST_P(ExactOnKind, equals_enumeration) {
    const bool large = EDGEFRONT_FULL_SIZE;
    const DesignSpace space =
        large ? large_space(kind_target()) : space_of(random_space(12, {kind_target()}));
    EXPECT_GT(space.size(), large ? 1e7 : 30000);
    EXPECT_GT(expect_equal(space), 50u);
}

const auto name_of = [](const auto &info) { return std::string(info.param.name); };

#if EDGEFRONT_FULL_SIZE
INSTANTIATE_TEST_SUITE_P(TenMillion, ExactOnKind, ::testing::ValuesIn(kinds), name_of);
#else
INSTANTIATE_TEST_SUITE_P(FiftyThousand, ExactOnKind, ::testing::ValuesIn(kinds), name_of);

TEST_F(ExactTest, equals_enumeration_on_ten_million_networks) {
    const DesignSpace space = large_space(target("coral-usb", "weight_memory_mib", 1.5));
    EXPECT_GT(space.size(), 1e7);
    EXPECT_GT(expect_equal(space), 100u);
}
#endif

} // namespace
} // namespace edgefront
