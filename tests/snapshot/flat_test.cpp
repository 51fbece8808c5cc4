// Layers merged in one directory: attributes, digests, limits, and what hostile layers must not do
// to the host. The two-layer cases are in merged_view_test.cpp.
#include "snapshot/flat.hpp"

#include "tests/snapshot/two_layer_cases.hpp"
#include "tests/snapshot/ways.hpp"

#include <gmock/gmock.h>

#include <memory>

namespace lade::test {
namespace {

using snapshot::ContentDigests;
using snapshot::FlatOptions;

class FlatTest : public testing::Test {
 protected:
  void SetUp() override { LADE_NEEDS_ROOT(); }

  ContentDigests unpack(const std::vector<std::string>& tars, const FlatOptions& options = {}) {
    scratch_->remove_tree("root");
    root_ = scratch_->ensure_child("root", 0700);
    return unpack_tars(tars, root_, options, &observer_);
  }

  Listing listing() const { return whole_listing(root_); }

  void expect_invalid(const std::vector<std::string>& tars, const std::string& part) {
    try {
      unpack(tars);
      ADD_FAILURE() << "accepted; expected: " << part;
    } catch (const InvalidData& error) {
      EXPECT_THAT(error.what(), testing::HasSubstr(part));
    }
  }

  std::int64_t mtime(const std::string& path) const {
    struct stat st {};
    EXPECT_EQ(::lstat(root_.path_of(path).c_str(), &st), 0) << path;
    return st.st_mtim.tv_sec;
  }

  StoreScratch scratch_;
  Directory root_;
  RecordingObserver observer_;
};

TEST_F(FlatTest, DirectoriesHaveTheTimesOfTheTopmostEntryAndNewOnesTheEpoch) {
  TarBuilder lower;
  lower.directory("a", 0755, {.mtime = 100}).file("a/x", "x").directory("b", 0755, {.mtime = 200});
  TarBuilder upper;
  upper.whiteout("a/.wh.x").file("b/y", "y").file("new/z", "z", {.mtime = 300});
  unpack({lower.bytes(), upper.bytes()});
  EXPECT_EQ(mtime("a"), 100);
  EXPECT_EQ(mtime("b"), 200);
  EXPECT_EQ(mtime("new"), 0);
  EXPECT_EQ(mtime("new/z"), 300);
  EXPECT_EQ(mtime("."), 0);
}

TEST_F(FlatTest, ADirectoryThatAWhiteoutHidesTakesNothingFromBelow) {
  TarBuilder lower;
  lower.directory("d", 0700, {.uid = 5}).directory("d/e", 0711, {.uid = 6}).file("d/e/x", "x");
  // Whatever comes first.
  for (const auto& upper : {TarBuilder().file("d/e/y", "y").whiteout(".wh.d").bytes(),
                            TarBuilder().whiteout(".wh.d").file("d/e/y", "y").bytes()}) {
    unpack({lower.bytes(), upper});
    EXPECT_EQ(listing().at("d"), "dir 0755 0:0");
    EXPECT_EQ(listing().at("d/e"), "dir 0755 0:0");
    EXPECT_EQ(listing().count("d/e/x"), 0U);
  }
}

TEST_F(FlatTest, DigestsAreThoseOfTheFilesThatAreThere) {
  const auto digests = unpack({TarBuilder().file("a", "one").file("b", "").bytes(),
                               TarBuilder().file("a", "two").hardlink("c", "a").bytes()});
  for (const auto& [name, text] : {std::pair{"a", "two"}, {"b", ""}, {"c", "two"}}) {
    EXPECT_EQ(digests.at(root_.find_stat(name)->st_ino), Digest::of(text).hex()) << name;
  }
}

TEST_F(FlatTest, LinksLeadNowhereButIntoTheRoot) {
  scratch_->ensure_child("outside", 0755);
  const std::string outside = scratch_->path_of("outside");
  TarBuilder lower;
  lower.symlink("absolute", outside).symlink("climbing", "../../../../../.." + outside);
  lower.symlink("up", "..").symlink("magic", "/proc/self/root");
  TarBuilder upper;
  upper.file("absolute/one", "1").file("climbing/two", "2").file("up/three", "3");
  upper.file("magic/four", "4").whiteout("absolute/.wh.host").whiteout("climbing/.wh..wh..opq");
  scratch_->child("outside").write_file("host", "host", 0600);
  unpack({lower.bytes(), upper.bytes()});
  EXPECT_THAT(scratch_->child("outside").list(), testing::ElementsAre("host"));
  EXPECT_FALSE(scratch_->exists("three"));
  EXPECT_NE(::access("/four", F_OK), 0);
  EXPECT_EQ(listing().at("three"), "file 0644 0:0 3");
}

TEST_F(FlatTest, WhiteoutsDoNotReachOutside) {
  scratch_->ensure_child("outside", 0755).write_file("host", "host", 0600);
  const std::string outside = scratch_->path_of("outside");
  TarBuilder lower;
  lower.symlink("link", outside);
  for (const auto& upper : {TarBuilder().whiteout("link/.wh.host").bytes(),
                            TarBuilder().whiteout("link/.wh..wh..opq").bytes(),
                            TarBuilder().directory("link").whiteout("link/.wh.host").bytes(),
                            TarBuilder().whiteout(".wh.link").bytes()}) {
    unpack({lower.bytes(), upper});
    EXPECT_THAT(scratch_->child("outside").list(), testing::ElementsAre("host"));
  }
  expect_invalid({lower.bytes(), TarBuilder().whiteout("../outside/.wh.host").bytes()}, "..");
}

TEST_F(FlatTest, ADirectoryReplacedByALinkIsNotWrittenThrough) {  // CVE-2025-47290
  scratch_->ensure_child("outside", 0755);
  TarBuilder lower;
  lower.directory("a").directory("a/b").file("a/b/first", "1");
  TarBuilder upper;
  upper.file("a/b/again", "1").symlink("a", scratch_->path_of("outside"));
  upper.file("a/b/second", "2");
  upper.directory("d").file("d/x", "x").symlink("l", "d").file("l/y", "y").symlink("l", "/");
  upper.file("l/z", "z");
  unpack({lower.bytes(), upper.bytes()});
  EXPECT_THAT(scratch_->child("outside").list(), testing::IsEmpty());
  EXPECT_EQ(listing().at("z"), "file 0644 0:0 z");
  EXPECT_EQ(listing().count("d/z"), 0U);
}

TEST_F(FlatTest, HardLinksAndModesDoNotReachOutside) {  // CVE-2021-32760
  scratch_->write_file("host", "host", 0600);
  const std::string host = scratch_->path_of("host");
  unpack({TarBuilder().symlink("s", host).hardlink("h", "s").bytes()});
  EXPECT_EQ(listing().at("h"), str("link 0:0 ", host));
  expect_invalid({TarBuilder().hardlink("stolen", host).bytes()}, "is nowhere");
  expect_invalid({TarBuilder().symlink("p", scratch_->path()).bytes(),
                  TarBuilder().hardlink("stolen", "p/host").bytes()},
                 "is nowhere");
  EXPECT_EQ(scratch_->find_stat("host")->st_mode & 07777U, 0600U);
  EXPECT_EQ(scratch_->find_stat("host")->st_nlink, 1U);
}

TEST_F(FlatTest, WhatALayerRemovedIsOutOfItsReachAndGoneInTheEnd) {
  const std::string lower = TarBuilder().file("f", "f").directory("d").file("d/x", "x").bytes();
  // Where removed files wait is a name that no entry has, but a link's target may.
  const auto upper = [] {
    return TarBuilder().whiteout(".wh.f").whiteout(".wh.d").symlink("s", ".wh..wh.lade");
  };
  expect_invalid({lower, upper().file("s/0", "evil").bytes()}, "bookkeeping");
  unpack({lower, upper().whiteout("s/.wh.0").whiteout("s/.wh..wh..opq").hardlink("h", "f").bytes(),
          TarBuilder().file("after", "a").bytes()});
  EXPECT_THAT(root_.list(), testing::UnorderedElementsAre("s", "h", "after"));
  EXPECT_EQ(listing().at("h"), "file 0644 0:0 f");
  // The next layer's links mean what is there then.
  expect_invalid({lower, upper().bytes(), TarBuilder().hardlink("h", "f").bytes()}, "is nowhere");
  expect_invalid({lower, upper().hardlink("h", "s/0").bytes()}, "is nowhere");
}

TEST_F(FlatTest, WhatIsRemovedIsCounted) {
  // Ten names of 200 bytes below; one marker removes them all.
  TarBuilder lower;
  std::string path = std::string(190, 'd');
  for (int i = 0; i < 10; ++i) lower.file(str(path, "/name", i), "");
  const std::string upper = TarBuilder().symlink("l", path).whiteout("l/.wh..wh..opq").bytes();
  const auto below = lower.bytes();
  EXPECT_NO_THROW(unpack({below, upper}, {.limits = {.names = 2200}}));
  const std::string many = TarBuilder()
                               .symlink("l", path)
                               .file("l/new", "")
                               .whiteout("l/.wh..wh..opq")
                               .file("l/newer", "")
                               .bytes();
  EXPECT_THROW(unpack({below, many}, {.limits = {.names = 2200}}), InvalidData);
}

TEST_F(FlatTest, AFileOfALowerLayerIsNotWrittenThroughItsLinks) {
  unpack({TarBuilder().file("a", "old").hardlink("b", "a").bytes(),
          TarBuilder().file("a", "new").bytes()});
  EXPECT_EQ(listing().at("a"), "file 0644 0:0 new");
  EXPECT_EQ(listing().at("b"), "file 0644 0:0 old");
}

TEST_F(FlatTest, TheRootMayNotBecomeALink) {  // CVE-2021-29136
  expect_invalid({TarBuilder().symlink("./", "/etc").bytes()}, "the root is not a directory");
  expect_invalid({"", TarBuilder().file(".", "x").bytes()}, "the root is not a directory");
}

TEST_F(FlatTest, ForgedWhiteoutsAreRefused) {
  expect_invalid({TarBuilder().device("w", '3', 0, 0).bytes()}, "taken for a whiteout");
}

TEST_F(FlatTest, OpaqueMarkersCostNoMoreThanTheirEntries) {  // GHSA-rp3h-jf77-q9p4
  // Each marker asks for everything below to be gone through. Marked as gone through, a directory
  // of this layer costs nothing a second time; otherwise these are 64 million lookups, which takes
  // longer than a test may.
  TarBuilder lower;
  TarBuilder upper;
  std::string path = "d";
  std::vector<std::string> paths{path};
  for (int i = 0; i < 20; ++i) paths.push_back(path += "/d");
  for (int i = 0; i < 8000; ++i) upper.file(str(path, "/f", i), "");
  for (auto at = paths.rbegin(); at != paths.rend(); ++at) upper.whiteout(*at + "/.wh..wh..opq");
  for (int i = 0; i < 8000; ++i) upper.whiteout(path + "/.wh..wh..opq");
  unpack({lower.file(path + "/below", "").bytes(), upper.bytes()});
  EXPECT_EQ(root_.resolve_in_root(path, O_PATH).valid(), true);
  EXPECT_EQ(listing().count(path + "/below"), 0U);
}

TEST_F(FlatTest, WhatALayerMayCostIsBounded) {
  const std::string tar = TarBuilder().file("one", "1").file("two", "2").bytes();
  EXPECT_NO_THROW(unpack({tar}, {.limits = {.entries = 2, .tar_size = tar.size(), .names = 6}}));
  EXPECT_THROW(unpack({tar}, {.limits = {.tar_size = tar.size() - 1}}), InvalidData);
  EXPECT_THROW(unpack({tar}, {.limits = {.entries = 1}}), InvalidData);
  EXPECT_THROW(unpack({tar}, {.limits = {.names = 5}}), InvalidData);
  TarEntry sparse;
  sparse.pax = {
      {"GNU.sparse.size", "4096"}, {"GNU.sparse.numblocks", "1"}, {"GNU.sparse.map", "0,1"}};
  const std::string holes = TarBuilder().file("sparse", "x", sparse).bytes();
  EXPECT_NO_THROW(unpack({holes}, {.limits = {.holes = 4095}}));
  EXPECT_THROW(unpack({holes}, {.limits = {.holes = 4094}}), InvalidData);
}

TEST_F(FlatTest, LinksToDirectoriesAreKeptIfAsked) {
  TarBuilder lower;
  lower.directory("usr").directory("usr/lib").symlink("lib", "usr/lib").symlink("broken", "no");
  lower.symlink("abs", "/usr");
  TarBuilder upper;
  upper.directory("lib", 0711).file("lib/x", "x").directory("broken").directory("abs", 0700);
  unpack({lower.bytes(), upper.bytes()}, {.links = snapshot::DirectoryLinks::kept});
  EXPECT_EQ(listing().at("lib"), "link 0:0 usr/lib");
  EXPECT_EQ(listing().at("usr/lib"), "dir 0711 0:0");
  EXPECT_EQ(listing().at("usr/lib/x"), "file 0644 0:0 x");
  EXPECT_EQ(listing().at("broken"), "dir 0755 0:0");
  EXPECT_EQ(listing().at("usr"), "dir 0700 0:0");
}

TEST_F(FlatTest, OwnersAreMapped) {
  const FlatOptions options{.ownership = {.uids = {{0, 1000, 10}}, .gids = {{0, 2000, 10}}}};
  unpack({TarBuilder().file("a", "a", {.mode = 04755, .uid = 3, .gid = 4}).bytes()}, options);
  EXPECT_EQ(listing().at("a"), "file 4755 1003:2004 a");
  EXPECT_EQ(listing().at("/"), "dir 0755 1000:2000");
  const std::string beyond = TarBuilder().file("b", "b", {.uid = 10}).bytes();
  EXPECT_THROW(unpack({beyond}, options), InvalidData);
}

TEST_F(FlatTest, WithoutPrivilegesOwnersAreRememberedAndDevicesAreFiles) {
  TarBuilder tar;
  tar.file("a", "a", {.uid = 3}).device("null", '3', 1, 3).directory("d", 0500, {.gid = 4});
  unpack({tar.file("d/x", "x").bytes()},
         {.ownership = {.uids = {{0, 0, 1}}, .gids = {{0, 0, 1}}, .rootless = true}});
  EXPECT_EQ(listing().at("null"), "file 0000 0:0 ");
  EXPECT_THAT(listing().at("a"), testing::StartsWith("file 0644 0:0 a user.rootlesscontainers="));
  EXPECT_THAT(listing().at("d"), testing::StartsWith("dir 0500 0:0 user.rootlesscontainers="));
  EXPECT_EQ(listing().at("d/x"), "file 0644 0:0 x");
}

/// Serves blobs from memory.
class MemorySource final : public ImageSource {
 public:
  explicit MemorySource(const TestImage& image) : image_(image) {}
  RawManifest manifest(const ManifestKey&) override { return image_.raw(); }
  std::unique_ptr<Source> blob(const Descriptor& descriptor) override {
    for (std::size_t i = 0; i < image_.layers.size(); ++i) {
      if (image_.layers[i].digest == descriptor.digest) {
        return std::make_unique<StringSource>(image_.blobs[i]);
      }
    }
    throw NotFound("no such blob");
  }

 private:
  const TestImage& image_;
};

TEST_F(FlatTest, BlobsAndDiffIdsAreVerified) {
  const TestImage image({lower_layer().bytes()});
  MemorySource source(image);
  const Directory root = scratch_->ensure_child("verified", 0700);
  const auto unpack_layer = [&](snapshot::FlatLayer layer) {
    root.remove_tree("x");
    const Directory target = root.ensure_child("x", 0700);
    snapshot::unpack_flat(source, {std::move(layer)}, target, {}, {{}, observer_});
  };
  const DiffId right{Digest::of(image.tars[0])};
  unpack_layer({image.layers[0], right});
  EXPECT_THROW(unpack_layer({image.layers[0], DiffId{Digest::of("other")}}), Refused);
  Descriptor shorter = image.layers[0];
  --shorter.size;
  EXPECT_THROW(unpack_layer({shorter, right}), Refused);
  Descriptor config = image.layers[0];
  config.media_type = media_type::oci_config;
  EXPECT_THROW(unpack_layer({config, right}), InvalidData);
}

TEST_F(FlatTest, WhatIsWrongAtTheEndOfALayerIsToldAndWaitedForByNobody) {
  // That a link names nothing is known when the layer has been read to its end.
  for (const std::vector<std::string>& tars :
       {std::vector{TarBuilder().hardlink("h", "absent").bytes()},
        std::vector{TarBuilder().hardlink("h", "absent").bytes(), lower_layer().bytes()}}) {
    const TestImage image(tars);
    MemorySource source(image);
    std::vector<snapshot::FlatLayer> layers;
    for (std::size_t i = 0; i < tars.size(); ++i) {
      layers.push_back({image.layers[i], DiffId{Digest::of(image.tars[i])}});
    }
    const Directory target = scratch_->ensure_child(str("end", tars.size()), 0700);
    EXPECT_THROW(snapshot::unpack_flat(source, layers, target, {}, {{}, observer_}), InvalidData);
  }
}

}  // namespace
}  // namespace lade::test
