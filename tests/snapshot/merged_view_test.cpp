// The two-layer cases as a container sees them, mounted as overlay.
#include "tests/snapshot/two_layer_cases.hpp"

#include <gmock/gmock.h>

namespace lade::test {
namespace {

class MergedView : public testing::TestWithParam<Case> {};

TEST_P(MergedView, IsThatOfTheLayersAppliedInOneRoot) {
  LADE_NEEDS_ROOT();
  const StoreScratch scratch;
  auto store = store::Store::open(scratch.path() + "/store");
  const TestImage image({lower_layer().bytes(), GetParam().upper.bytes()});

  EXPECT_THAT(merged_view(store, pull(store, image)),
              testing::ContainerEq(expected_view(GetParam())));
}

INSTANTIATE_TEST_SUITE_P(TwoLayers, MergedView, testing::ValuesIn(cases()),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(MergedViewTest, CharacterDevice00IsRefused) {
  LADE_NEEDS_ROOT();
  const StoreScratch scratch;
  auto store = store::Store::open(scratch.path() + "/store");
  const TestImage image(
      {lower_layer().bytes(), TarBuilder().device("etc/passwd", '3', 0, 0).bytes()});
  EXPECT_THROW(pull(store, image), InvalidData);
  EXPECT_THAT(leftovers(store), testing::IsEmpty());
}

TEST(MergedViewTest, HardLinkToNothingIsRefused) {
  LADE_NEEDS_ROOT();
  const StoreScratch scratch;
  auto store = store::Store::open(scratch.path() + "/store");
  for (const auto* target : {"nowhere", "foo/nowhere", "plain/nowhere"}) {
    const TestImage image({lower_layer().bytes(), TarBuilder().hardlink("link", target).bytes()});
    EXPECT_THROW(pull(store, image), InvalidData) << target;
  }
  EXPECT_THAT(leftovers(store), testing::IsEmpty());
}

TEST(MergedViewTest, TheSameLayerManyTimesAndNoLayerAtAll) {
  LADE_NEEDS_ROOT();
  const StoreScratch scratch;
  auto store = store::Store::open(scratch.path() + "/store");
  const std::string lower = lower_layer().bytes();
  const std::string middle = TarBuilder().whiteout(".wh.plain").file("tmp/x", "x").bytes();
  Listing expected = lower_view();
  expected["tmp/x"] = "file 0644 0:0 x";
  const auto stacked = pull(store, TestImage({lower, middle, lower, middle, lower}));
  EXPECT_THAT(merged_view(store, stacked), testing::ContainerEq(expected));

  const auto empty = pull(store, TestImage(std::vector<std::string>{}), "empty");
  EXPECT_THAT(merged_view(store, empty), testing::ContainerEq(Listing{{"/", "dir 0755 0:0"}}));
}

TEST(MergedViewTest, ALayerThatNeedsWhatIsBelowIsKeptForEachChain) {
  LADE_NEEDS_ROOT();
  const StoreScratch scratch;
  auto store = store::Store::open(scratch.path() + "/store");
  const std::string upper = TarBuilder().file("d/x", "x").bytes();
  const TestImage narrow({TarBuilder().directory("d", 0700).bytes(), upper});
  const TestImage wide({TarBuilder().directory("d", 0777).bytes(), upper});
  const TestImage alone({upper});
  EXPECT_EQ(merged_view(store, pull(store, alone, "alone")).at("d"), "dir 0755 0:0");
  EXPECT_EQ(merged_view(store, pull(store, narrow, "narrow")).at("d"), "dir 0700 0:0");
  EXPECT_EQ(merged_view(store, pull(store, wide, "wide")).at("d"), "dir 0777 0:0");
  EXPECT_EQ(merged_view(store, store.get_image("narrow")).at("d"), "dir 0700 0:0");
}

}  // namespace
}  // namespace lade::test
