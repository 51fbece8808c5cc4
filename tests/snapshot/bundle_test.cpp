// What a bundle writes down about itself, and what is removed of one that was not finished.
#include "snapshot/bundle.hpp"

#include "snapshot/mtree.hpp"
#include "snapshot/rootless_owner.hpp"
#include "tests/snapshot/harness.hpp"

#include <gmock/gmock.h>

namespace lade::test {
namespace {

using snapshot::BundleMeta;
using ChangeKind = snapshot::RecordChange::Kind;
using snapshot::InodeRecords;

Descriptor manifest_descriptor() {
  return {std::string(media_type::oci_manifest),
          Digest::of("m"),
          1,
          {},
          std::map<std::string, std::string>{{"org.opencontainers.image.ref.name", "a"}}};
}

TEST(BundleMetaTest, IsReadAsItWasWritten) {
  const BundleMeta meta{{manifest_descriptor()}, {{{0, 1000, 2}}, {{0, 2000, 3}}, true}};
  const BundleMeta read = snapshot::parse_bundle_meta(snapshot::write_bundle_meta(meta));
  EXPECT_EQ(read.path, meta.path);
  EXPECT_EQ(read.ownership, meta.ownership);
}

TEST(BundleMetaTest, OtherVersionsAndFormsAreRefused) {
  const std::string text = snapshot::write_bundle_meta({{manifest_descriptor()}, {}});
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string changed = text;
    changed.replace(changed.find(from), from.size(), to);
    return changed;
  };
  EXPECT_THROW(snapshot::parse_bundle_meta(with(":\"2\"", ":\"3\"")), InvalidData);
  EXPECT_THROW(snapshot::parse_bundle_meta(with("{\"umoci", "{\"whiteout_mode\":1,\"umoci")),
               InvalidData);
  EXPECT_NO_THROW(snapshot::parse_bundle_meta(with("{\"umoci", "{\"whiteout_mode\":0,\"umoci")));
  EXPECT_THROW(snapshot::parse_bundle_meta(with("sha256:", "sha256:../")), InvalidData);
}

TEST(MtreeTest, NamesOfAllBytesAreReadAsTheyWereWritten) {
  std::string name;
  for (int c = 1; c < 256; ++c) name += static_cast<char>(c);
  EXPECT_EQ(snapshot::unescape_mtree(snapshot::escape_mtree(name)), name);
  EXPECT_THAT(snapshot::escape_mtree(name), testing::Not(testing::HasSubstr(" ")));
}

TEST(MtreeTest, AllEscapesOfVisAreRead) {
  EXPECT_EQ(snapshot::unescape_mtree(R"(a\040b\s\n\^A\M-a\M^A\\\#)"), "a b \n\x01\xe1\x81\\#");
  EXPECT_THROW(snapshot::unescape_mtree("a\\"), InvalidData);
  EXPECT_THROW(snapshot::unescape_mtree("\\M-"), InvalidData);
}

TEST(MtreeTest, WhatUmociWritesIsUnderstood) {
  const InodeRecords records = snapshot::parse_mtree(
      "#          user: root\n#      keywords: size,type\n\n# .\n"
      "/set type=file nlink=1 mode=0664 uid=0 gid=0\n"
      ". size=420 type=dir mode=0755 nlink=17 tar_time=0.000000000\n"
      "    bin size=7 type=link mode=0777 link=usr/bin tar_time=17.000000000\n\n"
      "# etc\netc size=1380 type=dir mode=0755 nlink=30 tar_time=1.000000000\n"
      "    a\\040b size=3 gid=42 mode=04755 \\\n tar_time=2.000000000 sha256digest=abc "
      "xattr.user.x=eQ==\n"
      "..\n..\n");
  ASSERT_EQ(records.size(), 4U);
  EXPECT_EQ(records.at("").type, snapshot::InodeType::directory);
  EXPECT_EQ(records.at("bin").target, "usr/bin");
  const auto& file = records.at("etc/a b");
  EXPECT_EQ(file.type, snapshot::InodeType::file);
  EXPECT_EQ(file.links, 1U);
  EXPECT_EQ(file.gid, 42U);
  EXPECT_EQ(file.mode, 04755U);
  EXPECT_EQ(file.mtime, 2);
  EXPECT_EQ(file.sha256, "abc");
  EXPECT_EQ(file.xattrs.at("user.x"), "y");
}

TEST(MtreeTest, MalformedOnesAreRefused) {
  for (const auto* text :
       {"..\n", ". size=x\n", ". mode=9\n", "a xattr.user.x=*\n", "../x type=dir\n"}) {
    EXPECT_THROW(snapshot::parse_mtree(text), InvalidData) << text;
  }
}

TEST(OwnerTest, IsRememberedAsOthersReadIt) {
  EXPECT_EQ(snapshot::encode_owner({1, 300}), std::string("\x08\x01\x10\xac\x02"));
  // 0 is "not said".
  EXPECT_EQ(snapshot::encode_owner({0, 1}), std::string("\x08\xff\xff\xff\xff\x0f\x10\x01"));
  for (const snapshot::RememberedOwner owner :
       {snapshot::RememberedOwner{0, 1}, {7, 0}, {1, 300}}) {
    EXPECT_EQ(snapshot::decode_owner(snapshot::encode_owner(owner)), owner);
  }
  for (const auto* bytes : {"\x08", "\x18\x01", "\x08\xff\xff\xff\xff\xff\xff"}) {
    EXPECT_EQ(snapshot::decode_owner(bytes), std::nullopt);
  }
}

TEST(IdMapTest, RangesThatWrapOrAreEmptyAreRefused) {
  EXPECT_EQ(snapshot::parse_id_range("0:1000"), (snapshot::IdRange{0, 1000, 1}));
  EXPECT_EQ(snapshot::parse_id_range("0:0:4294967295").size, 4294967295U);
  for (const auto* text : {"", "0", "0:1:2:3", "0:1:0", "a:1", "-1:0", "0:4294967295",
                           "1:0:4294967295", "4294967296:0", "0:1:"}) {
    EXPECT_THROW(snapshot::parse_id_range(text), UsageError) << text;
  }
}

class BundleTest : public testing::Test {
 protected:
  std::string path() const { return scratch_.path() + "/bundle"; }
  StoreScratch scratch_;
};

TEST_F(BundleTest, OneThatIsNotKeptLeavesNothing) {
  { const snapshot::NewBundle bundle(path()); }
  EXPECT_FALSE(scratch_->exists("bundle"));
  scratch_->ensure_child("bundle", 0755).write_file("mine", "x", 0644);
  {
    snapshot::NewBundle bundle(path());
    bundle.write("config.json", "{}");
    bundle.describe({{manifest_descriptor()}, {}}, {}, {});
  }
  EXPECT_THAT(scratch_->child("bundle").list(), testing::ElementsAre("mine"));
}

TEST_F(BundleTest, WhatIsThereAlreadyIsLeftAlone) {
  for (const auto* name : {"rootfs", "config.json"}) {
    scratch_->remove_tree("bundle");
    scratch_->ensure_child("bundle", 0755).write_file(name, "mine", 0644);
    EXPECT_THROW(snapshot::NewBundle{path()}, Error) << name;
    EXPECT_THAT(scratch_->child("bundle").list(), testing::ElementsAre(name));
  }
}

TEST_F(BundleTest, ARootFileSystemAloneTakesAnEmptyDirectoryAndLeavesItSo) {
  scratch_->ensure_child("empty", 0755);
  {
    const snapshot::NewRootfs rootfs(scratch_->path_of("empty"));
    rootfs.directory().write_file("x", "x", 0644);
  }
  EXPECT_THAT(scratch_->child("empty").list(), testing::IsEmpty());
  { const snapshot::NewRootfs rootfs(scratch_->path_of("new")); }
  EXPECT_FALSE(scratch_->exists("new"));
  scratch_->child("empty").write_file("mine", "x", 0644);
  EXPECT_THROW(snapshot::NewRootfs{scratch_->path_of("empty")}, Error);
  EXPECT_TRUE(scratch_->child("empty").exists("mine"));
}

TEST_F(BundleTest, ChangesAreFoundAndNothingElse) {
  snapshot::NewBundle bundle(path());
  const Directory& root = bundle.rootfs();
  for (const auto* name : {"gone", "changed", "same", "replaced"})
    root.write_file(name, name, 0644);
  root.ensure_child("d", 0755).ensure_child("e", 0755).write_file("f", "f", 0644);
  root.ensure_child("d-", 0755);
  bundle.describe({{manifest_descriptor()}, {}}, {}, {});
  bundle.keep();
  const snapshot::Bundle opened = snapshot::Bundle::open(path());
  const auto changes_now = [&] {
    InodeRecords now;
    snapshot::walk_tree(opened.rootfs(), {}, {},
                        [&](const auto& at, const auto& record) { now.emplace(at, record); });
    std::vector<std::string> lines;
    for (const auto& change : compare_inodes(opened.read_specification(), now)) {
      const char kind = change.kind == ChangeKind::added      ? 'A'
                        : change.kind == ChangeKind::modified ? 'C'
                                                              : 'D';
      lines.push_back(str(kind, ' ', change.path));
    }
    return lines;
  };
  EXPECT_THAT(changes_now(), testing::IsEmpty());

  const timespec times[2] = {{5, 0}, {5, 0}};
  const auto keep_time = [&](const std::string& at) {
    ::utimensat(root.fd(), at.c_str(), times, AT_SYMLINK_NOFOLLOW);
  };
  root.remove_file("gone");
  root.remove_tree("d");
  root.write_file("d", "a file now", 0644);
  root.write_file("changed", "CHANGED", 0644);
  root.remove_file("replaced");
  root.ensure_child("replaced", 0755).write_file("in", "in", 0644);
  keep_time("same");
  keep_time(".");
  EXPECT_THAT(changes_now(), testing::ElementsAre("C ", "C changed", "C d", "D gone", "C replaced",
                                                  "A replaced/in", "C same"));
}

}  // namespace
}  // namespace lade::test
