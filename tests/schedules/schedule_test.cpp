#include "base/error.h"
#include "base/random.h"
#include "schedules/schedule.h"

#include <gtest/gtest.h>

namespace edgefront {
namespace {

std::string message_of(const std::string &text) {
    try {
        parse_schedule(text);
    } catch (const UserError &e) {
        return e.what();
    }
    return "";
}

TEST(Schedule, PrintsEveryKnobOnOneLine) {
    Schedule s{16, 2, 7, 1, 4, LoopOrder::channels_outer, ParallelOver::rows, 1, 0};
    const std::string line =
        "tile lanes=16 vectors=2 pixels=7 rows=1 unroll=4 order=channels_outer parallel=rows";
    EXPECT_EQ(to_string(s), line);
    s.block = 3;
    s.prefetch = 8;
    s.depth = 96;
    EXPECT_EQ(to_string(s), line + " block=3 prefetch=8 depth=96");
}

TEST(Schedule, ParseAfterPrintIsTheIdentity) {
    Random random(1);
    const auto value = [&] { return 1 + static_cast<int>(random.below(1000)); };
    for (int i = 0; i < 1000; i++) {
        const Schedule s{value(),
                         value(),
                         value(),
                         value(),
                         value(),
                         static_cast<LoopOrder>(random.below(2)),
                         static_cast<ParallelOver>(random.below(3)),
                         value(),
                         static_cast<int>(random.below(3))};
        EXPECT_EQ(parse_schedule(to_string(s)), s) << to_string(s);
    }
}

TEST(Schedule, KnobsLeftOutKeepTheirDefaultAndOrderDoesNotMatter) {
    EXPECT_EQ(parse_schedule("tile"), Schedule{});
    EXPECT_EQ(parse_schedule("tile block=1 prefetch=0"), Schedule{});
    EXPECT_EQ(parse_schedule("tile vectors=2 lanes=8"), parse_schedule("tile lanes=8 vectors=2"));
}

TEST(Schedule, AnUnknownKnobIsAnErrorThatNamesTheNearest) {
    EXPECT_NE(message_of("tile vector=2").find("did you mean 'vectors'"), std::string::npos)
        << message_of("tile vector=2");
    EXPECT_NE(message_of("tile order=pixel_outer").find("did you mean 'pixels_outer'"),
              std::string::npos);
}

TEST(Schedule, MalformedLinesAreErrors) {
    for (const char *line : {"", "lanes=4", "tile lanes", "tile lanes=", "tile lanes=0",
                             "tile lanes=-1", "tile lanes=4x", "tile lanes=99999999999",
                             "tile lanes=4 lanes=4", "tile parallel=yes", "tile =4"}) {
        EXPECT_NE(message_of(line), "") << line;
    }
}

} // namespace
} // namespace edgefront
