// What archives look like: formats, long names, numbers that do not fit, sparse files, bytes after
// the end. The rows of docs/layers.md, "Archives".
#include "base/compress.hpp"
#include "tests/snapshot/ways.hpp"

#include <gmock/gmock.h>
#include <stdlib.h>
#include <sys/wait.h>

namespace lade::test {
namespace {

int run(const std::string& command) {
  const int status = ::system((command + " >/dev/null 2>&1").c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/// `number` in the base-256 of GNU, of either sign.
std::string base256(std::int64_t number, std::size_t width) {
  std::string field(width, number < 0 ? '\xff' : '\0');
  for (std::size_t i = 0; i < 8 && i < width; ++i) {
    field[width - 1 - i] = static_cast<char>(number & 0xff);
    number >>= 8;
  }
  field[0] = static_cast<char>(field[0] | '\x80');
  return field;
}

/// A tar of one file whose header has `field` at `offset`.
std::string patched(std::size_t offset, const std::string& field) {
  std::string tar = TarBuilder().file("f", "f").bytes();
  tar.replace(offset, field.size(), field);
  std::fill_n(tar.begin() + 148, 8, ' ');
  unsigned sum = 0;
  for (std::size_t i = 0; i < 512; ++i) sum += static_cast<unsigned char>(tar[i]);
  char text[8];
  std::snprintf(text, sizeof text, "%06o", sum);
  tar.replace(148, 7, std::string(text, 7));
  return tar;
}

std::string read_all(Source& source) {
  std::string bytes;
  std::vector<std::byte> buffer(65536);
  while (const std::size_t count = source.read(buffer)) {
    bytes.append(reinterpret_cast<const char*>(buffer.data()), count);
  }
  return bytes;
}

std::string compressed(const std::string& plain, Compression format) {
  StringSource source(plain);
  return read_all(*compress(source, format));
}

class CasesFormat : public testing::Test {
 protected:
  void SetUp() override {
    LADE_NEEDS_ROOT();
    store_.emplace(store::Store::open(scratch_.path() + "/store"));
  }

  /// Of layers, mounted. Fails the test if they are not the same flat.
  Tree tree(const std::vector<std::string>& tars) {
    const Tree mounted = tree_by(Way::mounted, scratch_, *store_, tars);
    const Tree flat = tree_by(Way::flat, scratch_, *store_, tars);
    EXPECT_EQ(lines_of(flat), lines_of(mounted));
    EXPECT_EQ(links_of(flat), links_of(mounted));
    return mounted;
  }
  Tree tree(const std::string& tar) { return tree(std::vector<std::string>{tar}); }

  void expect_refused(const std::string& tar, const std::string& part) {
    for (const Way way : {Way::mounted, Way::flat}) {
      try {
        tree_by(way, scratch_, *store_, {tar});
        ADD_FAILURE() << way << ": accepted; expected: " << part;
      } catch (const Error& error) {
        EXPECT_THAT(error.what(), testing::HasSubstr(part)) << way;
      }
    }
  }

  StoreScratch scratch_;
  std::optional<store::Store> store_;
};

/// What GNU tar makes of a directory of many shapes must come out as that directory.
class CasesTarFormat : public CasesFormat, public testing::WithParamInterface<const char*> {};

TEST_P(CasesTarFormat, ComesOutAsItWentIn) {
  if (run("tar --version") != 0) GTEST_SKIP() << "tar is not installed";
  const bool old = std::string_view(GetParam()) == "v7" || std::string_view(GetParam()) == "ustar";
  const std::string source = scratch_.path() + "/source";
  const Directory root = scratch_->ensure_child("source", 0755);
  const Directory deep = root.ensure_child("deep", 0750);
  deep.write_file("caf\xe9", "latin", 0640);
  deep.write_file("caf\xc3\xa9", "utf", 0444);
  deep.write_file("line\nbreak \\ and blank ", "odd", 04755);
  root.write_file(std::string(80, 'n'), "long", 0644);
  std::string path = "deep";
  if (!old) {
    for (int i = 0; i < 6; ++i) {
      path += "/" + std::string(200, static_cast<char>('a' + i));
      Directory::ensure(source + "/" + path, 0700);
    }
    ASSERT_EQ(::symlink(std::string(1000, 't').c_str(), (source + "/" + path + "/s").c_str()), 0);
  }
  ASSERT_EQ(::link((source + "/deep/caf\xe9").c_str(), (source + "/again").c_str()), 0);
  ASSERT_EQ(::symlink("../etc/passwd", (source + "/link").c_str()), 0);
  if (std::string_view(GetParam()) != "v7") {
    ASSERT_EQ(::mkfifo((source + "/fifo").c_str(), 0620), 0);
  }
  ASSERT_EQ(run("find '" + source + "' -exec touch -h -d @1234567890 {} +"), 0);
  ASSERT_EQ(run("tar --numeric-owner --format=" + std::string(GetParam()) + " -C '" + source +
                "' -cf '" + source + ".tar' ."),
            0);
  const Tree expected = tree_of(root);
  const Tree found = tree(read_file(source + ".tar", std::size_t{1} << 24U));

  EXPECT_THAT(lines_of(found), testing::ContainerEq(lines_of(expected)));
  EXPECT_EQ(links_of(found), links_of(expected));
  EXPECT_GT(found.size(), 7U);
}

INSTANTIATE_TEST_SUITE_P(Formats, CasesTarFormat,
                         testing::Values("v7", "ustar", "oldgnu", "gnu", "pax"),
                         [](const auto& each) { return std::string(each.param); });

class CasesSparse : public CasesFormat, public testing::WithParamInterface<const char*> {};

TEST_P(CasesSparse, HasItsContentAndItsHoles) {
  if (run("tar --version") != 0) GTEST_SKIP() << "tar is not installed";
  const std::string source = scratch_.path() + "/source";
  const Directory root = scratch_->ensure_child("source", 0755);
  constexpr off_t k_size = 16 << 20;
  {
    // More pieces than fit into one header of the old format.
    const Fd file = root.open_file("sparse", O_WRONLY | O_CREAT, 0644);
    for (off_t at = 1 << 16; at < k_size; at += 1 << 18) {
      const std::string piece = str("piece at ", at);
      ASSERT_EQ(::pwrite(file.get(), piece.data(), piece.size(), at),
                static_cast<ssize_t>(piece.size()));
    }
    ASSERT_EQ(::ftruncate(file.get(), k_size), 0);
  }
  root.write_file("after", "what follows is not lost", 0644);
  ASSERT_EQ(run("tar --sparse " + std::string(GetParam()) + " -C '" + source + "' -cf '" + source +
                ".tar' sparse after"),
            0);
  const std::string tar = read_file(source + ".tar", std::size_t{1} << 24U);
  ASSERT_LT(tar.size(), 2U << 20U) << "it is a sparse archive";
  const auto look = [&](const Directory& found) {
    EXPECT_EQ(Digest::of(read_whole(found.open_file("sparse", O_RDONLY), k_size, "sparse")),
              Digest::of(read_whole(root.open_file("sparse", O_RDONLY), k_size, "sparse")));
    EXPECT_EQ(found.find_stat("sparse")->st_size, k_size);
    EXPECT_LT(found.find_stat("sparse")->st_blocks * 512, k_size / 4);
    EXPECT_EQ(read_whole(found.open_file("after", O_RDONLY), 100, "after"),
              "what follows is not lost");
  };
  for (const Way way : {Way::mounted, Way::flat}) {
    SCOPED_TRACE(way);
    with_root(way, scratch_, *store_, {tar}, look);
  }
}

std::string sparse_name(const testing::TestParamInfo<const char*>& each) {
  const std::string_view text = each.param;
  return text.ends_with("gnu") ? "gnu" : str("pax", text[text.size() - 3], text.back());
}

INSTANTIATE_TEST_SUITE_P(Formats, CasesSparse,
                         testing::Values("--format=gnu", "--format=pax --sparse-version=0.0",
                                         "--format=pax --sparse-version=0.1",
                                         "--format=pax --sparse-version=1.0"),
                         sparse_name);

TEST_F(CasesFormat, TypesOfOldArchives) {
  const Tree found = tree(TarBuilder()
                              .file("contiguous", "c", {.type = '7'})
                              .file("ancient", "a", {.type = '\0'})
                              .file("directory/", "", {.type = '\0', .mode = 0700})
                              .file("unheard-of", "u", {.type = 'Z'})
                              .bytes());
  EXPECT_EQ(found.at("contiguous").line, "file 0644 0:0 c @1000000000.0");
  EXPECT_EQ(found.at("ancient").line, "file 0644 0:0 a @1000000000.0");
  EXPECT_EQ(found.at("directory").line, "dir 0700 0:0 @1000000000.0");
  EXPECT_EQ(found.at("unheard-of").line, "file 0644 0:0 u @1000000000.0") << "as POSIX has it";
}

TEST_F(CasesFormat, GlobalPaxHeadersAreIgnored) {
  const std::string records = "18 comment=git ...\n15 path=global\n14 uid=77777\n";
  TarEntry global{.type = 'g'};
  TarBuilder tar;
  tar.add("pax_global_header", global, records);
  const Tree found = tree(tar.file("f", "f").bytes());
  EXPECT_EQ(found.at("f").line, "file 0644 0:0 f @1000000000.0");
  EXPECT_EQ(found.size(), 2U);
}

TEST_F(CasesFormat, IdsUpToTheLastButOne) {
  const Tree pax = tree(TarBuilder()
                            .file("last", "l", {.uid = 4294967294, .gid = 4294967294})
                            .file("sign", "s", {.uid = 2147483648, .gid = 2147483647})
                            .bytes());
  EXPECT_THAT(pax.at("last").line, testing::HasSubstr("4294967294:4294967294"));
  EXPECT_THAT(pax.at("sign").line, testing::HasSubstr("2147483648:2147483647"));
  EXPECT_THAT(tree(patched(108, base256(4294967294, 8))).at("f").line,
              testing::HasSubstr("4294967294:0"));
  EXPECT_THAT(tree(patched(116, base256(3000000000, 8))).at("f").line,
              testing::HasSubstr("0:3000000000"));
}

TEST_F(CasesFormat, IdsThatChownWouldTakeForAnOrderAreRefused) {  // CVE-2024-40635
  for (const char* id : {"4294967295", "4294967296", "-1", "18446744073709551616", "99999999999"}) {
    expect_refused(TarBuilder().file("f", "", {.pax = {{"uid", id}}}).bytes(), "out of range");
    expect_refused(TarBuilder().file("f", "", {.pax = {{"gid", id}}}).bytes(), "out of range");
  }
  for (const std::int64_t id :
       {std::int64_t{-1}, std::int64_t{1} << 32U, -(std::int64_t{1} << 40U)}) {
    expect_refused(patched(108, base256(id, 8)), "out of range");
  }
}

TEST_F(CasesFormat, TimesBeforeTheEpochAndBeyondAllYears) {
  const auto time_of = [&](const std::string& tar) {
    const std::string line = tree(tar).at("f").line;
    return line.substr(line.find('@'));
  };
  const auto pax = [](const char* mtime) {
    return TarBuilder().file("f", "f", {.pax = {{"mtime", mtime}}}).bytes();
  };
  EXPECT_EQ(time_of(pax("-1")), "@-1.0");
  EXPECT_EQ(time_of(pax("-1.5")), "@-2.500000000");
  EXPECT_EQ(time_of(pax("-0.25")), "@-1.750000000");
  EXPECT_EQ(time_of(pax("-2.000")), "@-2.0");
  EXPECT_EQ(time_of(pax("1.000000001")), "@1.1");
  EXPECT_EQ(time_of(pax("1.0000000019")), "@1.1") << "cut, not rounded";
  EXPECT_EQ(time_of(pax("4294967296.5")), "@4294967296.500000000");
  EXPECT_EQ(time_of(patched(136, base256(-86400, 12))), "@-86400.0");
  for (const char* huge :
       {"9223372036854775807", "99999999999999999999", "-99999999999999999999"}) {
    EXPECT_NO_THROW(time_of(pax(huge))) << huge;
  }
}

TEST_F(CasesFormat, NamesWithANulAreRefused) {
  const std::string name("f\0g", 3);
  expect_refused(TarBuilder().file("f", "f", {.pax = {{"path", name}}}).bytes(), "NUL");
  expect_refused(TarBuilder().file("f", "", {.type = '2', .pax = {{"linkpath", name}}}).bytes(),
                 "NUL");
  // Not those that mean nothing, nor values that are bytes.
  const auto xattr = TarBuilder().file("f", "f", {.pax = {{"SCHILY.xattr.user.k", name}}});
  EXPECT_THAT(tree(xattr.bytes()).at("f").line, testing::HasSubstr(" user.k=" + name));
}

// Wherever in the pieces that a tar is read in its headers begin and end.
TEST_F(CasesFormat, PaxHeadersAcrossPieces) {
  const std::string comment(3000, 'c');
  for (std::size_t before = 0; before < 4096; before += 512) {
    TarBuilder tar;
    tar.file("big", std::string(k_piece - before, 'b'));
    tar.file("f", "f", {.pax = {{"comment", comment}, {"mtime", "-1.5"}}});
    tar.file("g", "g");
    const Tree found = tree(tar.bytes());
    EXPECT_THAT(found.at("f").line, testing::EndsWith("@-2.500000000")) << before;
    EXPECT_THAT(found.at("g").line, testing::EndsWith("@1000000000.0")) << before;
    tar.file("n", "n", {.pax = {{"comment", comment}, {"path", std::string("n\0", 2)}}});
    expect_refused(tar.bytes(), "NUL");
  }
}

TEST_F(CasesFormat, NamesAsLongAsTheKernelTakes) {
  const std::string longest(255, 'n');
  std::string path;
  while (path.size() < 3500) path += longest + "/";
  const Tree found = tree(TarBuilder()
                              .file(longest, "1")
                              .file(path + "leaf", "2")
                              .symlink("s", std::string(4095, 't'))
                              .bytes());
  EXPECT_EQ(found.count(longest), 1U);
  EXPECT_EQ(found.count(path + "leaf"), 1U);
  EXPECT_EQ(found.count("s"), 1U);
  expect_refused(TarBuilder().file(longest + "n", "x").bytes(), "nnnn");
  expect_refused(TarBuilder().file(path + path, "x").bytes(), "too long");
  expect_refused(TarBuilder().symlink("long-link", std::string(4097, 't')).bytes(), "long-link");
}

TEST_F(CasesFormat, DeviceNumbersBeyondTheKernelsAreRefused) {
  expect_refused(TarBuilder().device("d", '3', 4096, 0).bytes(), "out of range");
  expect_refused(TarBuilder().device("d", '4', 1, 1048576).bytes(), "out of range");
  // 2^32 would be cut to 0 and the device to a whiteout.
  std::string tar = TarBuilder().device("f", '3', 0, 0).bytes();
  const std::string header = patched(329, base256(std::int64_t{1} << 32U, 8)).substr(0, 512);
  tar.replace(329, 8, header.substr(329, 8));
  std::fill_n(tar.begin() + 148, 8, ' ');
  unsigned sum = 0;
  for (std::size_t i = 0; i < 512; ++i) sum += static_cast<unsigned char>(tar[i]);
  char text[8];
  std::snprintf(text, sizeof text, "%06o", sum);
  tar.replace(148, 7, std::string(text, 7));
  expect_refused(tar, "out of range");
}

TEST_F(CasesFormat, TheDiffIdCoversBytesAfterTheEndAtBothLevels) {
  const std::string tar =
      TarBuilder().file("a", "a").bytes() + std::string(300000, '\0') + "after the end";
  TestImage image({tar});
  // Two members and padding, as tools that append to archives leave them.
  const std::string half = tar.substr(0, 700);
  image.blobs[0] = compressed(half, Compression::gzip) +
                   compressed(tar.substr(half.size()), Compression::gzip) + std::string(2000, '\0');
  image.seal();
  EXPECT_EQ(mounted_tree(*store_, pull(*store_, image, "gzip")).count("a"), 1U);

  image.blobs[0] = compressed(half, Compression::zstd) +
                   std::string("\x50\x2a\x4d\x18\x04\0\0\0skip", 12) +
                   compressed(tar.substr(half.size()), Compression::zstd);
  image.seal();
  EXPECT_EQ(mounted_tree(*store_, pull(*store_, image, "zstd")).count("a"), 1U);

  // The same content with other bytes after the end is another layer, be the right one here or not.
  TestImage other({tar});
  other.blobs[0] = compressed(tar + "x", Compression::gzip);
  other.seal();
  EXPECT_THROW(pull(*store_, other, "other"), Refused);
}

TEST_F(CasesFormat, WhatAWhiteoutIsGoesByItsName) {
  const std::string lower =
      TarBuilder().directory("d").file("d/a", "a").file("d/b", "b").file("d/c", "c").bytes();
  const std::string upper = TarBuilder()
                                .directory("d/.wh.a")
                                .symlink("d/.wh.b", "/etc")
                                .file("d/.wh.c", "payload")
                                .directory(".wh.etc")
                                .file(".wh.name/file", "in a directory of that name")
                                .bytes();
  const Tree found = tree({lower, upper});
  std::vector<std::string> names;
  for (const auto& [name, path] : found) names.push_back(name);
  EXPECT_THAT(names, testing::ElementsAre(".wh.name", ".wh.name/file", "/", "d"));
}

TEST_F(CasesFormat, DuplicatesAndWhatWasLinkedToTheFirst) {
  const Tree found = tree(TarBuilder()
                              .file("f", "first", {.pax = {{"SCHILY.xattr.user.k", "v"}}})
                              .hardlink("h", "f")
                              .file("f", "second")
                              .directory("d", 0700, {.pax = {{"SCHILY.xattr.user.k", "v"}}})
                              .directory("d", 0711)
                              .bytes());
  EXPECT_EQ(found.at("f").line, "file 0644 0:0 second @1000000000.0");
  EXPECT_EQ(found.at("h").line, "file 0644 0:0 first user.k=v @1000000000.0");
  EXPECT_EQ(found.at("d").line, "dir 0711 0:0 @1000000000.0");
}

TEST_F(CasesFormat, AHardLinkChangesNothingOfItsTarget) {
  TarEntry link{.type = '1', .mode = 0777, .uid = 9, .mtime = 5, .link = "f"};
  TarBuilder tar;
  tar.file("f", "f", {.mode = 04711});
  tar.add("h", link, "");
  EXPECT_EQ(tree(tar.bytes()).at("h").line, "file 4711 0:0 f @1000000000.0");
}

TEST_F(CasesFormat, DirectoriesKeepTheirTimesWhateverComesIntoThemLater) {
  const std::string lower = TarBuilder().directory("d", 0755, {.mtime = 100}).bytes();
  const std::string upper = TarBuilder()
                                .directory("new", 0500, {.mtime = 7})
                                .file("d/x", "x")
                                .file("new/a", "a")
                                .whiteout("d/.wh.gone")
                                .file("new/b/c", "c")
                                .bytes();
  const Tree found = tree({lower, upper});
  EXPECT_EQ(found.at("d").line, "dir 0755 0:0 @100.0");
  EXPECT_EQ(found.at("new").line, "dir 0500 0:0 @7.0");
  EXPECT_EQ(found.at("new/b").line, "dir 0755 0:0 @0.0") << "nobody described it";
}

}  // namespace
}  // namespace lade::test
