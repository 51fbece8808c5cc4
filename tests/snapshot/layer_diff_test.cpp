// Layers made of changes: what is in them, in which order, and that applying them gives the tree
// back.
#include "snapshot/layer_diff.hpp"

#include "snapshot/bundle.hpp"
#include "snapshot/flat.hpp"
#include "snapshot/tar_reader.hpp"
#include "tests/snapshot/harness.hpp"

#include <gmock/gmock.h>
#include <sys/socket.h>

namespace lade::test {
namespace {

using snapshot::LayerDiffOptions;
using snapshot::LayerEntry;
using snapshot::LayerEntryKind;
using testing::ElementsAre;

class LayerDiffTest : public testing::Test {
 protected:
  void SetUp() override {
    LADE_NEEDS_ROOT();
    root_ = scratch_->ensure_child("root", 0755);
  }

  std::string layer(std::vector<LayerEntry> entries, LayerDiffOptions options = {}) {
    const auto source =
        snapshot::make_layer(root_, std::move(entries), std::move(options), {{}, observer_});
    return read_all(*source, 1 << 20, "layer");
  }

  static LayerEntry present(const std::string& path) {
    return {path, LayerEntryKind::present, path};
  }

  static std::vector<snapshot::Entry> entries_of(const std::string& tar) {
    StringSource source(tar);
    BufferedPieces pieces(source);
    snapshot::TarReader reader(pieces);
    std::vector<snapshot::Entry> entries;
    while (auto entry = reader.next()) entries.push_back(*entry);
    return entries;
  }

  static std::vector<std::string> names_of(const std::string& tar) {
    std::vector<std::string> names;
    for (const auto& entry : entries_of(tar)) names.push_back(entry.path);
    return names;
  }

  void set_time(const std::string& path, std::int64_t seconds, long nanoseconds) {
    const timespec times[2] = {{seconds, nanoseconds}, {seconds, nanoseconds}};
    ASSERT_EQ(::utimensat(root_.fd(), path.c_str(), times, AT_SYMLINK_NOFOLLOW), 0);
  }

  StoreScratch scratch_;
  Directory root_;
  RecordingObserver observer_;
};

TEST_F(LayerDiffTest, IsSortedAndHidesBeforeItPuts) {
  root_.ensure_child("d", 0755).write_file("b", "b", 0644);
  root_.write_file("d-", "", 0644);
  EXPECT_THAT(names_of(layer({present("d-"),
                              present("d/b"),
                              {"d/c", LayerEntryKind::removed},
                              {"d", LayerEntryKind::opaque},
                              present("d"),
                              {"a", LayerEntryKind::removed},
                              present("")})),
              ElementsAre("./", ".wh.a", "d/", "d/.wh..wh..opq", "d/.wh.c", "d/b", "d-"));
}

TEST_F(LayerDiffTest, TimesAreWholeSecondsAndNotLaterThanAsked) {
  root_.write_file("old", "x", 0644);
  root_.write_file("young", "x", 0644);
  set_time("old", 100, 999);
  set_time("young", 200, 999);
  const std::string tar = layer({present("old"), present("young")}, {.newest = 150});
  EXPECT_EQ(entries_of(tar).at(0).attributes.mtime.tv_sec, 100);
  EXPECT_EQ(entries_of(tar).at(0).attributes.mtime.tv_nsec, 0);
  EXPECT_EQ(entries_of(tar).at(1).attributes.mtime.tv_sec, 150);
  // Nothing of the host is in it, so that the same files give the same bytes.
  EXPECT_EQ(tar.find("root"), std::string::npos);
}

TEST_F(LayerDiffTest, OfSeveralNamesTheFirstHasTheContent) {
  root_.write_file("b", "content", 0644);
  ASSERT_EQ(::linkat(root_.fd(), "b", root_.fd(), "a", 0), 0);
  const auto entries = entries_of(layer({present("b"), present("a")}));
  EXPECT_EQ(entries.at(0).path, "a");
  EXPECT_EQ(entries.at(0).size, 7U);
  EXPECT_EQ(entries.at(1).type, snapshot::EntryType::hardlink);
  EXPECT_EQ(entries.at(1).target, "a");
}

TEST_F(LayerDiffTest, WhatNoLayerCanSayIsRefusedAndSocketsAreLeftOut) {
  root_.write_file(".wh.x", "", 0644);
  EXPECT_THROW(layer({present(".wh.x")}), InvalidData);
  ASSERT_EQ(::mknodat(root_.fd(), "socket", S_IFSOCK | 0600, 0), 0);
  EXPECT_THAT(names_of(layer({present("socket")})), testing::IsEmpty());
  EXPECT_THAT(observer_.notes, ElementsAre(testing::HasSubstr("socket")));
}

TEST_F(LayerDiffTest, OwnersAreMappedBackAndOnlyTheImagesAttributesKept) {
  root_.write_file("f", "", 0644);
  ASSERT_EQ(::fchownat(root_.fd(), "f", 1003, 2004, 0), 0);
  const std::string path = root_.path_of("f");
  ASSERT_EQ(::setxattr(path.c_str(), "user.k", "v", 1, 0), 0);
  const LayerDiffOptions options{
      .ownership = {.uids = {{0, 1000, 10}}, .gids = {{0, 2000, 10}}},
      .xattr_name = [](const std::string& name) {
        return name == "user.k" ? std::optional(std::string("user.other")) : std::nullopt;
      }};
  const auto entry = entries_of(layer({present("f")}, options)).at(0);
  EXPECT_EQ(entry.attributes.uid, 3U);
  EXPECT_EQ(entry.attributes.gid, 4U);
  ASSERT_EQ(entry.attributes.xattrs.size(), 1U);
  EXPECT_EQ(entry.attributes.xattrs[0].name, "user.other");
  ASSERT_EQ(::fchownat(root_.fd(), "f", 5, 5, 0), 0);
  EXPECT_THROW(layer({present("f")}, options), InvalidData);
}

TEST_F(LayerDiffTest, MaskedPathsAndOverlaysWhiteouts) {
  using ChangeKind = snapshot::RecordChange::Kind;
  snapshot::InodeRecords now;
  now["w"].whiteout = true;
  const std::vector<snapshot::RecordChange> changes{{"a/b", ChangeKind::added},
                                                    {"ab", ChangeKind::modified},
                                                    {"gone", ChangeKind::removed},
                                                    {"w", ChangeKind::added}};
  const auto entries = layer_entries(changes, now, {"/a/"});
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_EQ(entries[0].path, "ab");
  EXPECT_EQ(entries[1].kind, LayerEntryKind::removed);
  EXPECT_EQ(entries[2].kind, LayerEntryKind::removed);
}

TEST_F(LayerDiffTest, AppliedToWhatItWasMadeOfItGivesTheTreeBack) {
  TarBuilder below;
  below.directory("keep").file("keep/a", "a").file("gone", "g").directory("dir").file("dir/x", "x");
  below.file("file", "f").hardlink("name", "file").directory("was").file("was/in", "i");
  const auto unpack = [&](const std::string& name, const std::vector<std::string>& tars) {
    Directory target = scratch_->ensure_child(name, 0755);
    std::vector<std::unique_ptr<StringSource>> texts;
    std::vector<Source*> sources;
    for (const auto& tar : tars) {
      sources.push_back(texts.emplace_back(std::make_unique<StringSource>(tar)).get());
    }
    snapshot::unpack_flat(sources, target, {}, {{}, observer_});
    return target;
  };
  const auto records = [](const Directory& directory) {
    snapshot::InodeRecords result;
    snapshot::walk_tree(directory, {}, {}, [&](const auto& path, const auto& record) {
      result.emplace(path, record);
    });
    return result;
  };
  root_ = unpack("changed", {below.bytes()});
  const auto before = records(root_);
  root_.remove_file("gone");
  root_.remove_tree("dir");
  root_.write_file("dir", "a file", 0600);
  root_.remove_tree("was");
  root_.child("keep").write_file("new", "n", 0640);
  root_.remove_file("name");
  ASSERT_EQ(::linkat(root_.fd(), "dir", root_.fd(), "more", 0), 0);
  for (const auto* path : {".", "keep", "keep/new", "dir"}) set_time(path, 1234, 0);
  const auto after = records(root_);
  const std::string tar = layer(layer_entries(compare_inodes(before, after), after, {}));

  const auto again = records(unpack("again", {below.bytes(), tar}));
  EXPECT_THAT(compare_inodes(after, again), testing::IsEmpty());
  EXPECT_EQ(again.size(), after.size());
}

}  // namespace
}  // namespace lade::test
