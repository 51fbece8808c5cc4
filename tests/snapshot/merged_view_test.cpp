// The two-layer cases, mounted as overlay and unpacked into one directory, and what else a
// container must see of an image.
#include "tests/snapshot/two_layer_cases.hpp"
#include "tests/snapshot/ways.hpp"

#include <gmock/gmock.h>

#include <iostream>
#include <tuple>

namespace lade::test {
namespace {

class MergedView : public testing::TestWithParam<std::tuple<Case, Way>> {};

TEST_P(MergedView, IsThatOfTheLayersAppliedInOneRoot) {
  LADE_NEEDS_ROOT();
  const auto& [each, way] = GetParam();
  const StoreScratch scratch;
  auto store = store::Store::open(scratch.path() + "/store");
  EXPECT_THAT(listing_by(way, scratch, store, {lower_layer().bytes(), each.upper.bytes()}),
              testing::ContainerEq(expected_view(each)));
}

INSTANTIATE_TEST_SUITE_P(TwoLayers, MergedView,
                         testing::Combine(testing::ValuesIn(cases()),
                                          testing::Values(Way::mounted, Way::flat)),
                         [](const auto& each) {
                           return str(std::get<0>(each.param).name, '_',
                                      name_of(std::get<1>(each.param)));
                         });

/// All of them, with their number.
TEST(TwoLayerList, ComesOutRight) {
  LADE_NEEDS_ROOT();
  const StoreScratch scratch;
  auto store = store::Store::open(scratch.path() + "/store");
  for (const Way way : {Way::mounted, Way::flat}) {
    std::size_t right = 0;
    for (const Case& each : cases()) {
      const auto view =
          listing_by(way, scratch, store, {lower_layer().bytes(), each.upper.bytes()});
      if (view == expected_view(each)) ++right;
    }
    std::cout << "table of two-layer cases, " << way << ": " << right << " of " << cases().size()
              << " come out right\n";
    EXPECT_EQ(right, cases().size());
  }
}

/// Layers on top of the lower one that are refused, either way.
class RefusedUpper : public testing::TestWithParam<Way> {
 protected:
  void expect_refused(const TarBuilder& upper, const std::string& part) {
    LADE_NEEDS_ROOT();
    const StoreScratch scratch;
    auto store = store::Store::open(scratch.path() + "/store");
    try {
      listing_by(GetParam(), scratch, store, {lower_layer().bytes(), upper.bytes()});
      ADD_FAILURE() << "accepted; expected: " << part;
    } catch (const InvalidData& error) {
      EXPECT_THAT(error.what(), testing::HasSubstr(part));
    }
    EXPECT_THAT(leftovers(store), testing::IsEmpty());
  }
};

TEST_P(RefusedUpper, CharacterDevice00) {
  expect_refused(TarBuilder().device("etc/passwd", '3', 0, 0), "taken for a whiteout");
}

TEST_P(RefusedUpper, HardLinkToNothing) {
  for (const auto* target : {"nowhere", "foo/nowhere", "plain/nowhere"}) {
    expect_refused(TarBuilder().hardlink("link", target), "is nowhere");
  }
  expect_refused(TarBuilder().hardlink("link", "two").hardlink("two", "link"), "is nowhere");
}

TEST_P(RefusedUpper, HardLinkToAFileOfThisLayerThatIsGone) {
  expect_refused(TarBuilder().file("foo/own", "o").file("foo", "f").hardlink("link", "foo/own"),
                 "is nowhere");
}

TEST_P(RefusedUpper, HardLinkToADirectory) {
  expect_refused(TarBuilder().hardlink("link", "foo"), "hard link to");
  expect_refused(TarBuilder().whiteout(".wh.foo").hardlink("link", "foo"), "hard link to");
  expect_refused(TarBuilder().hardlink("etc", "etc/passwd"), "in the place of its directory");
  expect_refused(TarBuilder().directory("plain").hardlink("link", "plain"),
                 "hard link to a directory");
}

INSTANTIATE_TEST_SUITE_P(Ways, RefusedUpper, testing::Values(Way::mounted, Way::flat),
                         [](const auto& each) { return name_of(each.param); });

TEST(MergedViewTest, AnImagesOwnOverlayAttributesComeThroughEveryCopy) {
  LADE_NEEDS_ROOT();
  const TarEntry forged{.pax = {{"SCHILY.xattr.trusted.overlay.opaque", "y"},
                                {"SCHILY.xattr.trusted.overlay.overlay.redirect", "r"},
                                {"SCHILY.xattr.user.overlay.metacopy", "m"}}};
  const char* all =
      " trusted.overlay.opaque=y trusted.overlay.overlay.redirect=r user.overlay.metacopy=m";
  const std::string lower = TarBuilder()
                                .directory("./", 0755, forged)
                                .directory("d", 0755, forged)
                                .file("f", "f", forged)
                                .bytes();
  const std::string upper = TarBuilder().file("d/x", "x").hardlink("link", "f").bytes();
  // The layers below are one directory, or a mount of several: their attributes read otherwise.
  for (const bool several : {false, true}) {
    const StoreScratch scratch;
    auto store = store::Store::open(scratch.path() + "/store");
    std::vector<std::string> tars = {lower};
    if (several) tars.push_back(TarBuilder().file("between", "b").bytes());
    tars.push_back(upper);
    const Tree tree = mounted_tree(store, pull(store, TestImage(tars)));
    EXPECT_THAT(tree.at("/").line, testing::HasSubstr(all)) << several;
    EXPECT_EQ(tree.at("d").line, str("dir 0755 0:0", all, " @1000000000.0")) << several;
    EXPECT_EQ(tree.at("link").line, str("file 0644 0:0 f", all, " @1000000000.0")) << several;
    EXPECT_EQ(tree.at("link").inode, tree.at("f").inode) << several;
  }
}

TEST(MergedViewTest, NamesOfOneLowerFileStayNamesOfOne) {
  LADE_NEEDS_ROOT();
  const StoreScratch scratch;
  auto store = store::Store::open(scratch.path() + "/store");
  const std::string lower = TarBuilder().file("a", "same").hardlink("b", "a").bytes();
  const std::string upper = TarBuilder().hardlink("c", "a").hardlink("e", "b").bytes();
  const Tree tree = mounted_tree(store, pull(store, TestImage({lower, upper})));
  for (const char* name : {"b", "c", "e"}) EXPECT_EQ(tree.at(name).inode, tree.at("a").inode);
}

TEST(MergedViewTest, DefaultAccessListsAreNotInheritedByWhatTheLayerBrings) {
  LADE_NEEDS_ROOT();
  const StoreScratch scratch;
  auto store = store::Store::open(scratch.path() + "/store");
  // user::rwx user:1000:rwx group::r-x mask::rwx other::---, as the kernel keeps it.
  const auto entry = [](char tag, char perm, std::string id) {
    return std::string({tag, '\0', perm, '\0'}) + id;
  };
  const std::string none = "\xff\xff\xff\xff";
  const std::string acl = std::string("\x02\0\0\0", 4) + entry('\x01', 7, none) +
                          entry('\x02', 7, std::string("\xe8\x03\0\0", 4)) +
                          entry('\x04', 5, none) + entry('\x10', 7, none) + entry('\x20', 0, none);
  const std::string layer =
      TarBuilder()
          .directory("d", 0750, {.pax = {{"SCHILY.xattr.system.posix_acl_default", acl}}})
          .file("d/f", "f", {.mode = 0600})
          .directory("d/e", 0700)
          .bytes();
  const Tree tree = mounted_tree(store, pull(store, TestImage({layer})));
  EXPECT_THAT(tree.at("d").line, testing::HasSubstr("system.posix_acl_default=\x02"));
  EXPECT_EQ(tree.at("d/f").line, "file 0600 0:0 f @1000000000.0");
  EXPECT_EQ(tree.at("d/e").line, "dir 0700 0:0 @1000000000.0");
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
