#include "base/error.h"
#include "base/files.h"
#include "base/random.h"
#include "base/units.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace edgefront {
namespace {

namespace fs = std::filesystem;

TEST(Units, keep_their_unit_and_their_ratio_is_a_number) {
    const Seconds t = Seconds(2e-3) + Seconds(1e-3);
    EXPECT_DOUBLE_EQ(milliseconds(t), 3.0);
    EXPECT_DOUBLE_EQ(t / Seconds(1.5e-3), 2.0);
    EXPECT_EQ((Bytes(3) * 4 - Bytes(2)).count(), 10);
    EXPECT_LT(Macs(1), Macs(2));
}

TEST(NearestName, finds_slips_and_rejects_strangers) {
    EXPECT_EQ(nearest_name("mobilnet_v2", {"mobilenet_v1", "mobilenet_v2"}), "mobilenet_v2");
    EXPECT_EQ(nearest_name("resnet", {"mobilenet_v1", "mobilenet_v2"}), "");
    EXPECT_EQ(did_you_mean("xyz", {}), "");
}

TEST(Random, gives_the_published_splitmix64_sequence) {
    // First outputs for seed 1234567, from the reference implementation's documentation.
    Random random(1234567);
    EXPECT_EQ(random.next(), 6457827717110365317u);
    EXPECT_EQ(random.next(), 3203168211198807973u);
}

TEST(Random, normal_numbers_have_mean_zero_and_variance_one) {
    Random random(7);
    double sum = 0, squares = 0;
    constexpr int n = 100000;
    for (int i = 0; i < n; i++) {
        const double x = random.normal();
        sum += x;
        squares += x * x;
    }
    EXPECT_NEAR(sum / n, 0, 0.02);
    EXPECT_NEAR(squares / n, 1, 0.02);
}

TEST(Random, task_seeds_depend_on_run_and_task) {
    EXPECT_NE(derive_seed(1, "a"), derive_seed(2, "a"));
    EXPECT_NE(derive_seed(1, "a"), derive_seed(1, "b"));
    EXPECT_EQ(stable_hash_hex(""), "ef46db3751d8e999"); // XXH64 of nothing, from its specification
}

class Files : public ::testing::Test {
protected:
    TemporaryFolder temporary_{::testing::TempDir() + "edgefront-files"};
    const fs::path &folder_ = temporary_.path();
};

TEST_F(Files, what_is_written_is_read_back_and_no_temporary_stays) {
    write_file(folder_ / "a.txt", "one");
    write_file(folder_ / "a.txt", std::string("two\0!", 5));
    EXPECT_EQ(read_file(folder_ / "a.txt"), std::string("two\0!", 5));
    EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1);
}

TEST_F(Files, a_full_disk_is_an_error_that_names_the_file) {
    try {
        write_file("/dev/full", "x");
        FAIL() << "no error";
    } catch (const UserError &e) {
        EXPECT_STREQ(e.what(), "/dev/full: cannot write: No space left on device");
    }
}

TEST_F(Files, a_missing_folder_is_an_error_and_leaves_nothing) {
    EXPECT_THROW(write_file(folder_ / "no" / "a.txt", "x"), UserError);
    EXPECT_TRUE(fs::is_empty(folder_));
    EXPECT_THROW(read_file(folder_ / "b.txt"), UserError);
    EXPECT_THROW(read_file(folder_), UserError);
}

TEST_F(Files, a_symbolic_link_stays_a_link) {
    write_file(folder_ / "a.txt", "old");
    fs::create_symlink(folder_ / "a.txt", folder_ / "link");
    write_file(folder_ / "link", "new");
    EXPECT_TRUE(fs::is_symlink(folder_ / "link"));
    EXPECT_EQ(read_file(folder_ / "a.txt"), "new");
}

} // namespace
} // namespace edgefront
