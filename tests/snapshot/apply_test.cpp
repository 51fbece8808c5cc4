// One layer alone: what it turns into, and what hostile ones must not do.
#include "snapshot/apply.hpp"

#include "tests/snapshot/harness.hpp"

#include <gmock/gmock.h>
#include <sys/resource.h>

namespace lade::test {
namespace {

using snapshot::AppliedLayer;

class ApplyTest : public testing::Test {
 protected:
  void SetUp() override { LADE_NEEDS_ROOT(); }

  AppliedLayer apply(const std::string& tar) {
    root_ = scratch_->ensure_child("root", 0755);
    StringSource source(tar);
    return snapshot::apply_layer(source, root_, {}, {{}, observer_});
  }
  AppliedLayer apply(const TarBuilder& tar) { return apply(tar.bytes()); }

  Listing listing() const {
    Listing result;
    list_into(result, root_, "");
    return result;
  }

  void expect_invalid(const std::string& tar, const std::string& part) {
    try {
      apply(tar);
      ADD_FAILURE() << "accepted; expected: " << part;
    } catch (const InvalidData& error) {
      EXPECT_THAT(error.what(), testing::HasSubstr(part));
      EXPECT_THAT(error.what(), testing::Not(testing::HasSubstr("\n")));
    }
  }

  StoreScratch scratch_;
  Directory root_;
  RecordingObserver observer_;
};

TEST_F(ApplyTest, NoBytesAndOnlyZeroBlocksAreEmptyLayers) {
  EXPECT_EQ(apply(std::string()).entries, 0U);
  EXPECT_EQ(apply(std::string(1024, '\0')).entries, 0U);
  EXPECT_EQ(apply(std::string(10240, '\0')).tar_size, 10240U);
}

TEST_F(ApplyTest, WhatIsNoTarIsCalledSo) {
  expect_invalid("this is not a tar", "layer is not a tar archive");
  expect_invalid(std::string(5000, 'x'), "layer is not a tar archive");
  expect_invalid("<html><body>404</body></html>" + std::string(2000, ' '), "not a tar archive");
}

TEST_F(ApplyTest, ATarThatBreaksOffIsRefused) {
  const std::string tar = TarBuilder().file("a", std::string(5000, 'a')).bytes();
  expect_invalid(tar.substr(0, 3000), "tar");
  expect_invalid(TarBuilder().file("a", "a").bytes().substr(0, 700), "tar");
}

TEST_F(ApplyTest, AHeaderWithAWrongChecksumIsRefused) {
  std::string tar = TarBuilder().file("a", "a").file("b", "b").bytes();
  tar[1024 + 100] = '7';
  expect_invalid(tar, "after `a`");
}

TEST_F(ApplyTest, TheDiffIdCoversWhatComesAfterTheEnd) {
  const std::string tar = TarBuilder().file("a", "a").bytes() + std::string(300000, '\0') + "junk";
  const AppliedLayer layer = apply(tar);
  EXPECT_EQ(layer.diff_id.digest, Digest::of(tar));
  EXPECT_EQ(layer.tar_size, tar.size());
}

TEST_F(ApplyTest, AttributesAreKeptWhateverTheUmask) {
  const mode_t before = ::umask(0077);
  apply(TarBuilder()
            .directory("d", 01777, {.uid = 3, .gid = 4})
            .file("d/suid", "s", {.mode = 06755, .uid = 1, .gid = 2})
            .file("readonly", "r", {.mode = 0400})
            .file("big", "b", {.uid = 4294967294, .gid = 2147483648})
            .device("null", '3', 1, 3)
            .device("disk", '4', 8, 1)
            .device("pipe", '6', 0, 0)
            .symlink("s", "anywhere"));
  ::umask(before);
  EXPECT_THAT(listing(), testing::ContainerEq(Listing{{"d", "dir 1777 3:4"},
                                                      {"d/suid", "file 6755 1:2 s"},
                                                      {"readonly", "file 0400 0:0 r"},
                                                      {"big", "file 0644 4294967294:2147483648 b"},
                                                      {"null", "char 0600 0:0 1:3"},
                                                      {"disk", "block 0600 0:0 8:1"},
                                                      {"pipe", "fifo 0600 0:0 0:0"},
                                                      {"s", "link 0:0 anywhere"}}));
}

TEST_F(ApplyTest, TimesAreKeptToTheNanosecond) {
  apply(TarBuilder()
            .directory("d", 0755, {.pax = {{"mtime", "12.5"}}})
            .file("d/f", "f", {.pax = {{"mtime", "1600000000.123456789"}}})
            .file("old", "o", {.pax = {{"mtime", "-5"}}})
            .symlink("l", "t"));
  EXPECT_EQ(root_.find_stat("d")->st_mtim.tv_sec, 12);
  EXPECT_EQ(root_.find_stat("d")->st_mtim.tv_nsec, 500'000'000);
  EXPECT_EQ(root_.child("d").find_stat("f")->st_mtim.tv_nsec, 123'456'789);
  EXPECT_EQ(root_.find_stat("old")->st_mtim.tv_sec, -5);
  EXPECT_EQ(root_.find_stat("l")->st_mtim.tv_sec, 1'000'000'000);
}

TEST_F(ApplyTest, FileCapabilitiesSurviveTheChangeOfOwner) {
  const std::string cap("\x01\0\0\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
  apply(TarBuilder().file(
      "ping", "p", {.mode = 04755, .uid = 5, .pax = {{"SCHILY.xattr.security.capability", cap}}}));
  EXPECT_EQ(listing().at("ping"), str("file 4755 5:0 p security.capability=", cap));
}

TEST_F(ApplyTest, OnlyAttributesThatAreAnImagesBusinessAreSet) {
  apply(TarBuilder().file("f", "f",
                          {.pax = {{"SCHILY.xattr.user.a", "1"},
                                   {"SCHILY.xattr.security.selinux", "x"},
                                   {"RHT.security.selinux", "y"},
                                   {"SCHILY.xattr.security.ima", "x"},
                                   {"SCHILY.xattr.security.evm", "x"},
                                   {"SCHILY.xattr.trusted.overlay.metacopy", "m"},
                                   {"SCHILY.xattr.trusted.other", "t"}}}));
  EXPECT_EQ(listing().at("f"),
            "file 0644 0:0 f trusted.other=t trusted.overlay.overlay.metacopy=m user.a=1");
}

TEST_F(ApplyTest, NamesAreBytes) {
  const std::string latin = "caf\xe9";
  const std::string utf = "caf\xc3\xa9-\xe2\x82\xac";
  const std::string deep = std::string(120, 'n') + "/" + std::string(200, 'm') + "\xe9";
  apply(TarBuilder()
            .file(latin, "1")
            .file(utf, "2", {.pax = {{"path", utf}}})
            .file(latin + "2", "3", {.pax = {{"path", latin + "2"}}})
            .file(deep, "4"));
  EXPECT_THAT(listing(), testing::AllOf(testing::Contains(testing::Key(latin)),
                                        testing::Contains(testing::Key(utf)),
                                        testing::Contains(testing::Key(latin + "2")),
                                        testing::Contains(testing::Key(deep))));
}

TEST_F(ApplyTest, HolesStayHoles) {
  const std::string data(4096, 'd');
  TarEntry sparse;
  sparse.pax = {{"GNU.sparse.major", "1"},
                {"GNU.sparse.minor", "0"},
                {"GNU.sparse.name", "hole"},
                {"GNU.sparse.realsize", "1073741824"}};
  std::string map = "1\n536870912\n4096\n";
  map.resize(512, '\0');
  apply(TarBuilder().file("x", map + data, sparse));
  const auto st = *root_.find_stat("hole");
  EXPECT_EQ(st.st_size, 1073741824);
  EXPECT_LT(st.st_blocks, 100);
  const Fd file = root_.open_file("hole", O_RDONLY);
  char byte = 0;
  ASSERT_EQ(::pread(file.get(), &byte, 1, 536870912 + 4095), 1);
  EXPECT_EQ(byte, 'd');
}

TEST_F(ApplyTest, LaterEntriesReplaceEarlierOnes) {
  apply(TarBuilder()
            .directory("d")
            .file("d/x", "x")
            .symlink("s", "d")
            .file("f", "f")
            .hardlink("h", "f")
            .file("d", "file now")
            .directory("s", 0700)
            .file("f", "new"));
  EXPECT_THAT(listing(),
              testing::ContainerEq(Listing{{"d", "file 0644 0:0 file now"},
                                           {"s", "dir 0700 0:0 trusted.overlay.opaque=y"},
                                           {"f", "file 0644 0:0 new"},
                                           {"h", "file 0644 0:0 f"}}));
}

TEST_F(ApplyTest, HardLinksToLinksAndOverTheirTargets) {
  apply(TarBuilder()
            .symlink("s", "/etc/passwd")
            .hardlink("hs", "s")
            .file("f", "f")
            .hardlink("f", "f"));
  EXPECT_EQ(listing().at("hs"), "link 0:0 /etc/passwd");
  EXPECT_EQ(root_.find_stat("hs")->st_ino, root_.find_stat("s")->st_ino);
  EXPECT_EQ(listing().at("f"), "file 0644 0:0 f");
}

// --- attacks -------------------------------------------------------------------------------------

TEST_F(ApplyTest, NamesThatLeaveTheRootAreRefused) {
  for (const auto* name : {"../x", "a/../../x", "/../x", "a/.."}) {
    expect_invalid(TarBuilder().file(name, "x").bytes(), "`..` is refused");
  }
  expect_invalid(TarBuilder().file("a", "a").hardlink("l", "../../etc/passwd").bytes(),
                 "`..` is refused");
  EXPECT_FALSE(scratch_->exists("x"));
}

TEST_F(ApplyTest, AbsoluteNamesAreTakenFromTheRoot) {
  apply(TarBuilder().file("/lade-absolute", "x").file("//./b//c", "y"));
  EXPECT_EQ(listing().at("lade-absolute"), "file 0644 0:0 x");
  EXPECT_EQ(listing().at("b/c"), "file 0644 0:0 y");
  EXPECT_NE(::access("/lade-absolute", F_OK), 0);
}

TEST_F(ApplyTest, LinksLeadNowhereButIntoTheRoot) {
  scratch_->ensure_child("outside", 0755);
  const std::string outside = scratch_->path_of("outside");
  apply(TarBuilder()
            .symlink("absolute", outside)
            .file("absolute/one", "1")
            .symlink("climbing", "../../../../../.." + outside)
            .file("climbing/two", "2")
            .symlink("up", "..")
            .file("up/three", "3")
            .symlink("magic", "/proc/self/root")
            .file("magic/four", "4"));
  EXPECT_THAT(scratch_->child("outside").list(), testing::IsEmpty());
  EXPECT_FALSE(scratch_->exists("three"));
  EXPECT_NE(::access("/four", F_OK), 0);
  const Listing found = listing();
  EXPECT_EQ(found.at("three"), "file 0644 0:0 3");
  EXPECT_EQ(found.at(outside.substr(1) + "/one"), "file 0644 0:0 1");
  EXPECT_EQ(found.at(outside.substr(1) + "/two"), "file 0644 0:0 2");
}

TEST_F(ApplyTest, ADirectoryReplacedByALinkIsNotWrittenThrough) {  // CVE-2025-47290
  scratch_->ensure_child("outside", 0755);
  apply(TarBuilder()
            .directory("a")
            .directory("a/b")
            .file("a/b/first", "1")
            .symlink("a", scratch_->path_of("outside"))
            .file("a/b/second", "2")
            .directory("d")
            .file("d/x", "x")
            .symlink("l", "d")
            .file("l/y", "y")
            .symlink("l", "/")
            .file("l/z", "z"));
  EXPECT_THAT(scratch_->child("outside").list(), testing::IsEmpty());
  EXPECT_EQ(listing().at("z"), "file 0644 0:0 z");
  EXPECT_EQ(listing().count("d/z"), 0U);
}

TEST_F(ApplyTest, HardLinksAndModesDoNotReachOutside) {  // CVE-2021-32760
  scratch_->write_file("host", "host", 0600);
  const std::string host = scratch_->path_of("host");
  apply(TarBuilder().symlink("s", host).hardlink("h", "s"));
  const AppliedLayer layer = apply(TarBuilder().hardlink("stolen", host));
  EXPECT_THAT(layer.missing_links, testing::ElementsAre("stolen"));
  EXPECT_EQ(scratch_->find_stat("host")->st_mode & 07777U, 0600U);
  EXPECT_EQ(scratch_->find_stat("host")->st_nlink, 1U);
}

TEST_F(ApplyTest, AttributesOfALinkAreItsOwn) {  // CVE-2021-41089
  scratch_->write_file("host", "host", 0600);
  const struct stat before = *scratch_->find_stat("host");
  const std::string host = scratch_->path_of("host");
  apply(TarBuilder().file("s", "", {.type = '2', .mode = 04755, .uid = 1, .gid = 2, .link = host}));
  EXPECT_EQ(listing().at("s"), "link 1:2 " + host);
  const struct stat after = *scratch_->find_stat("host");
  EXPECT_EQ(after.st_uid, before.st_uid);
  EXPECT_EQ(after.st_gid, before.st_gid);
  EXPECT_EQ(after.st_mode, before.st_mode);
  EXPECT_EQ(after.st_mtim.tv_sec, before.st_mtim.tv_sec);
}

TEST_F(ApplyTest, TheRootMayNotBecomeALink) {  // CVE-2021-29136
  expect_invalid(TarBuilder().symlink("./", "/etc").bytes(), "the root is not a directory");
  expect_invalid(TarBuilder().symlink(".", "/etc").bytes(), "the root is not a directory");
  expect_invalid(TarBuilder().file(".", "x").bytes(), "the root is not a directory");
}

TEST_F(ApplyTest, WhiteoutsThatHideNoNameAreRefused) {
  for (const auto* name : {".wh.", "d/.wh.", ".wh..", ".wh..."}) {
    expect_invalid(TarBuilder().file(name, "").bytes(), "hides no name");
  }
}

TEST_F(ApplyTest, ForgedWhiteoutsAndImpossibleNumbersAreRefused) {
  expect_invalid(TarBuilder().device("w", '3', 0, 0).bytes(), "taken for a whiteout");
  expect_invalid(TarBuilder().file("f", "", {.uid = 4294967295}).bytes(), "out of range");
  expect_invalid(TarBuilder().file("f", "", {.gid = 1ULL << 40}).bytes(), "out of range");
  expect_invalid(TarBuilder().file("f", "").hardlink("h", ".wh..wh.plnk/1.2").bytes(), "aufs");
  expect_invalid(TarBuilder().directory("d").hardlink("h", "d").bytes(), "directory");
}

TEST_F(ApplyTest, ARingOfLinksEnds) {
  EXPECT_THROW(apply(TarBuilder().symlink("a", "b").symlink("b", "a").file("a/x", "x")), Error);
}

TEST_F(ApplyTest, DepthAndRepetitionCostNoMoreThanTheirEntries) {
  // As many open files as a layer of this shape would need if it kept its directories open.
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  rlimit few = before;
  few.rlim_cur = 300;
  ::setrlimit(RLIMIT_NOFILE, &few);
  TarBuilder tar;
  std::string path = "d";
  for (int i = 0; i < 900; ++i) path += "/d";
  tar.file(path + "/leaf", "x");
  for (int i = 0; i < 2000; ++i) {
    tar.file(str("many", i, "/f"), "x").whiteout("opaque/.wh..wh..opq");
  }
  EXPECT_EQ(apply(tar).entries, 4001U);
  ::setrlimit(RLIMIT_NOFILE, &before);
}

TEST_F(ApplyTest, StopsWhenAskedTo) {
  std::stop_source stop;
  stop.request_stop();
  root_ = scratch_->ensure_child("root", 0755);
  StringSource source(TarBuilder().file("a", "a").bytes());
  EXPECT_THROW(snapshot::apply_layer(source, root_, {}, {stop.get_token(), observer_}), Cancelled);
}

TEST_F(ApplyTest, WhatTheSourceThrowsComesThrough) {
  class Failing final : public Source {
   public:
    std::size_t read(std::span<std::byte> buffer) override {
      if (count_++ > 0) throw Refused("the digest does not match");
      const std::string start = TarBuilder().file("a", std::string(200000, 'a')).bytes();
      std::memcpy(buffer.data(), start.data(), 1024);
      return 1024;
    }
    int count_ = 0;
  };
  root_ = scratch_->ensure_child("root", 0755);
  Failing source;
  EXPECT_THROW(snapshot::apply_layer(source, root_, {}, {{}, observer_}), Refused);
}

}  // namespace
}  // namespace lade::test
