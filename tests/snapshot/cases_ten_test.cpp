// Ten two-layer images that engines get wrong or refuse, and what a container must see of each. The
// count is printed; docs/layers.md has the table of who gets how many.
#include "tests/snapshot/ways.hpp"

#include <gmock/gmock.h>

#include <functional>
#include <iostream>

namespace lade::test {
namespace {

const TarBuilder& lower_layer() {
  static const TarBuilder lower = TarBuilder()
                                      .directory("foo")
                                      .file("foo/old", "old")
                                      .directory("etc")
                                      .file("etc/passwd", "root")
                                      .directory("tmp", 01777)
                                      .directory("victim")
                                      .file("victim/v", "v");
  return lower;
}

const Listing k_lower = {{"/", "dir 0755 0:0"},
                         {"foo", "dir 0755 0:0"},
                         {"foo/old", "file 0644 0:0 old"},
                         {"etc", "dir 0755 0:0"},
                         {"etc/passwd", "file 0644 0:0 root"},
                         {"tmp", "dir 1777 0:0"},
                         {"victim", "dir 0755 0:0"},
                         {"victim/v", "file 0644 0:0 v"}};

/// The lower layer's view without `gone`, with `changed`.
Listing but(const std::vector<std::string>& gone, const Listing& changed) {
  Listing view = k_lower;
  for (const auto& path : gone) view.erase(path);
  for (const auto& [path, line] : changed) view[path] = line;
  return view;
}

struct TwoLayers {
  const char* name;
  TarBuilder upper;
  std::optional<Listing> view;  ///< nothing: such a layer is refused
};

std::vector<TwoLayers> ten() {
  const auto tar = [] { return TarBuilder(); };
  const Listing only_new = but({"foo/old"}, {{"foo/new", "file 0644 0:0 new"}});
  const Listing old_and_new = but({}, {{"foo/new", "file 0644 0:0 new"}});
  return {
      {"whiteout, directory, file in it",
       tar().whiteout(".wh.foo").directory("foo").file("foo/new", "new"), only_new},
      {"whiteout, file in it", tar().whiteout(".wh.foo").file("foo/new", "new"), only_new},
      {"directory, file in it, whiteout",
       tar().directory("foo").file("foo/new", "new").whiteout(".wh.foo"), only_new},
      {"whiteout of a file of the same layer",
       tar().directory("foo").file("foo/new", "new").whiteout("foo/.wh.new"), old_and_new},
      {"opaque marker after the entries",
       tar().directory("foo").file("foo/new", "new").whiteout("foo/.wh..wh..opq"), only_new},
      {"hard link to a file of the layer below", tar().hardlink("link", "etc/passwd"),
       but({}, {{"link", "file 0644 0:0 root x2"}, {"etc/passwd", "file 0644 0:0 root x2"}})},
      {"file in a directory that has no entry", tar().file("tmp/x", "x"),
       but({}, {{"tmp/x", "file 0644 0:0 x"}})},
      {"forged whiteout: character device 0:0", tar().device("etc/passwd", '3', 0, 0),
       std::nullopt},
      {"forged opaque attribute",
       tar()
           .directory("victim", 0755, {.pax = {{"SCHILY.xattr.trusted.overlay.opaque", "y"}}})
           .file("victim/n", "n"),
       but({},
           {{"victim", "dir 0755 0:0 trusted.overlay.opaque=y"}, {"victim/n", "file 0644 0:0 n"}})},
      {"whiteout below a whiteout", tar().whiteout(".wh.foo").whiteout("foo/.wh.old"),
       but({"foo", "foo/old"}, {})},
  };
}

class TenCases : public testing::TestWithParam<Way> {};

TEST_P(TenCases, ComeOutRight) {
  LADE_NEEDS_ROOT();
  const StoreScratch scratch;
  auto store = store::Store::open(scratch.path() + "/store");
  std::size_t right = 0;
  const auto cases = ten();
  for (const TwoLayers& each : cases) {
    SCOPED_TRACE(each.name);
    std::optional<Listing> view;
    try {
      view = listing_by(GetParam(), scratch, store, {lower_layer().bytes(), each.upper.bytes()});
    } catch (const InvalidData& error) {
      EXPECT_FALSE(each.view) << error.what();
    }
    EXPECT_EQ(view, each.view);
    if (view == each.view) ++right;
  }
  std::cout << "two-layer cases, " << GetParam() << ": " << right << " of " << cases.size()
            << " come out right\n";
  EXPECT_EQ(right, 10U);
}

INSTANTIATE_TEST_SUITE_P(Ways, TenCases, testing::Values(Way::mounted, Way::flat),
                         [](const auto& each) { return name_of(each.param); });

}  // namespace
}  // namespace lade::test
