// Tar archives: what the writer makes, the index finds; what other programs make; hostile ones.
#include "base/error.hpp"
#include "base/process.hpp"
#include "base/tar_format.hpp"
#include "base/tar_index.hpp"
#include "base/text.hpp"
#include "tests/base/scratch.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <cstring>

namespace lade {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TarIndex index_of(const std::string& archive) {
  const ReadAt read_at = [&](std::uint64_t offset, std::span<std::byte> buffer) {
    const std::string_view rest = std::string_view(archive).substr(offset);
    const std::size_t count = std::min(rest.size(), buffer.size());
    std::memcpy(buffer.data(), rest.data(), count);
    return count;
  };
  return TarIndex::read(read_at, archive.size(), "a.tar");
}

std::string content_of(const std::string& archive, std::string_view name) {
  const TarIndex index = index_of(archive);
  const TarEntry* entry = index.find_file(name);
  if (entry == nullptr) return "no member";
  return archive.substr(entry->offset, entry->size);
}

std::string error_of(const std::string& archive) {
  try {
    index_of(archive);
  } catch (const InvalidData& error) {
    return error.what();
  }
  return "no error";
}

std::string find_error(const std::string& archive, std::string_view name) {
  try {
    index_of(archive).find_file(name);
  } catch (const InvalidData& error) {
    return error.what();
  }
  return "no error";
}

/// An archive of small files.
class Builder {
 public:
  Builder& file(const std::string& name, std::string_view content) {
    writer_.add({.name = name}, content);
    return *this;
  }
  Builder& link(TarType type, const std::string& name, const std::string& target) {
    writer_.begin({.name = name, .type = type, .link = target});
    return *this;
  }
  std::string finish() {
    writer_.finish();
    return out_.text();
  }

 private:
  StringSink out_;
  TarWriter writer_{out_};
};

/// Makes a header's checksum right again.
void seal(std::string& archive, std::size_t header) {
  std::memset(archive.data() + header + tar::k_checksum.offset, ' ', tar::k_checksum.size);
  unsigned sum = 0;
  for (std::size_t i = 0; i < tar::k_block; ++i) {
    sum += static_cast<unsigned char>(archive[header + i]);
  }
  std::string digits;
  for (int shift = 15; shift >= 0; shift -= 3) {
    digits += static_cast<char>('0' + ((sum >> shift) & 7));
  }
  archive.replace(header + tar::k_checksum.offset, 7, digits + '\0');
}

/// Changes bytes of the first header.
std::string with_field(std::string archive, tar::Field field, std::string_view value) {
  archive.replace(field.offset, value.size(), value);
  seal(archive, 0);
  return archive;
}

TEST(Tar, FindsWhatWasWritten) {
  const std::string archive = Builder().file("a", "first").file("b/c", "").file("d", "x").finish();
  EXPECT_EQ(archive.size() % tar::k_block, 0u);
  EXPECT_EQ(content_of(archive, "a"), "first");
  EXPECT_EQ(content_of(archive, "b/c"), "");
  EXPECT_EQ(content_of(archive, "./d"), "x");
  EXPECT_EQ(content_of(archive, "e"), "no member");
}

TEST(Tar, WritesTheHeaderOfGoPrograms) {
  const std::string archive = Builder().file("name", "12345678").finish();
  EXPECT_EQ(archive.substr(0, 5), std::string("name\0", 5));
  EXPECT_EQ(archive.substr(100, 8), std::string("0000644\0", 8));
  EXPECT_EQ(archive.substr(124, 12), std::string("00000000010\0", 12));
  EXPECT_EQ(archive.substr(154, 2), std::string("\0 ", 2));
  EXPECT_EQ(archive.substr(257, 8), std::string("ustar\00000", 8));
  EXPECT_EQ(archive.size(), 4 * tar::k_block);
}

TEST(Tar, HoldsLongNamesAndLargeNumbers) {
  const std::string deep = std::string(90, 'd') + "/" + std::string(90, 'f');
  const std::string longer = std::string(200, 'n');
  const std::string odd = "sn\xc3\xb6w \xff";
  StringSink out;
  TarWriter writer(out);
  for (const std::string& name : {deep, longer, odd}) writer.add({.name = name}, name);
  writer.begin({.name = "link", .type = TarType::symlink, .link = longer});
  writer.begin({.name = "large", .size = std::uint64_t{9} << 30});
  writer.skip(std::uint64_t{9} << 30);
  const std::string headers = out.text();
  const std::uint64_t size = headers.size() + (std::uint64_t{9} << 30);
  const ReadAt read_at = [&](std::uint64_t offset, std::span<std::byte> buffer) {
    std::fill(buffer.begin(), buffer.end(), std::byte{0});
    if (offset < headers.size()) {
      const std::size_t count = std::min<std::size_t>(buffer.size(), headers.size() - offset);
      std::memcpy(buffer.data(), headers.data() + offset, count);
      return count;
    }
    return buffer.size();
  };
  const TarIndex index = TarIndex::read(read_at, size, "large.tar");
  for (const std::string& name : {deep, longer, odd}) {
    const TarEntry* entry = index.find_file(name);
    ASSERT_NE(entry, nullptr) << name;
    EXPECT_EQ(headers.substr(entry->offset, entry->size), name);
  }
  ASSERT_NE(index.find_file("large"), nullptr);
  EXPECT_EQ(index.find_file("large")->size, std::uint64_t{9} << 30);
  EXPECT_EQ(index.entries()[3].link, longer);
}

TEST(Tar, IsReadByOtherPrograms) {
  const ScratchDirectory scratch;
  const std::string longer = std::string(150, 'n') + "/" + std::string(150, 'm');
  StringSink out;
  TarWriter writer(out);
  writer.add({.name = "short", .mode = 0640, .mtime = {1, 500'000'000}}, "content");
  writer.add({.name = longer}, "of a long name");
  writer.begin({.name = "dir/", .type = TarType::directory, .mode = 0755});
  writer.begin({.name = "dir/link", .type = TarType::symlink, .link = "../short"});
  writer.finish();
  scratch->write_file("a.tar", out.text(), 0644);
  const auto listed =
      call_program({.path = "/usr/bin/tar",
                    .arguments = {"tvf", scratch->path_of("a.tar"), "--full-time", "--utc"}});
  EXPECT_EQ(listed.exit_code, 0) << listed.errors;
  EXPECT_THAT(listed.output, HasSubstr("-rw-r-----"));
  EXPECT_THAT(listed.output, HasSubstr("1970-01-01 00:00:01.5"));
  EXPECT_THAT(listed.output, HasSubstr(longer));
  EXPECT_THAT(listed.output, HasSubstr("dir/link -> ../short"));
}

TEST(Tar, ReadsWhatOtherProgramsWrite) {
  const ScratchDirectory scratch;
  const std::string longer(150, 'n');
  scratch->write_file("short", "content", 0644);
  scratch->write_file(longer, "of a long name", 0644);
  ASSERT_EQ(::symlinkat("short", scratch->fd(), "link"), 0);
  ASSERT_EQ(::linkat(scratch->fd(), "short", scratch->fd(), "hard", 0), 0);
  for (const std::string format : {"gnu", "pax", "ustar", "v7"}) {
    SCOPED_TRACE(format);
    const bool is_old = format == "v7" || format == "ustar";
    std::vector<std::string> arguments{"cf",
                                       scratch->path_of("a.tar"),
                                       "--format=" + format,
                                       "-C",
                                       scratch->path(),
                                       "./hard",
                                       "short",
                                       "link"};
    if (!is_old) arguments.push_back(longer);
    const auto made = call_program({.path = "/usr/bin/tar", .arguments = arguments});
    ASSERT_EQ(made.exit_code, 0) << made.errors;
    const std::string archive = read_file(scratch->path_of("a.tar"), 1 << 20);
    for (const char* name : {"hard", "short", "link"}) {
      EXPECT_EQ(content_of(archive, name), "content");
    }
    if (!is_old) {
      EXPECT_EQ(content_of(archive, longer), "of a long name");
    }
  }
}

TEST(Tar, LeavesSparseFilesOut) {
  const ScratchDirectory scratch;
  const Fd file = scratch->open_file("sparse", O_WRONLY | O_CREAT, 0644);
  for (int i = 0; i < 60; ++i) {
    ASSERT_EQ(::pwrite(file.get(), "x", 1, off_t{i} << 20), 1);
  }
  scratch->write_file("after", "content", 0644);
  for (const std::string format : {"gnu", "pax"}) {
    const auto made =
        call_program({.path = "/usr/bin/tar",
                      .arguments = {"cSf", scratch->path_of("a.tar"), "--format=" + format, "-C",
                                    scratch->path(), "sparse", "after"}});
    ASSERT_EQ(made.exit_code, 0) << made.errors;
    const std::string archive = read_file(scratch->path_of("a.tar"), 16 << 20);
    EXPECT_EQ(content_of(archive, "after"), "content");
    EXPECT_EQ(content_of(archive, "sparse"), "no member");
  }
}

TEST(Tar, FollowsLinksWithinTheArchive) {
  const std::string archive = Builder()
                                  .file("blob", "content")
                                  .link(TarType::symlink, "id/layer.tar", "../blob")
                                  .link(TarType::symlink, "second", "id/layer.tar")
                                  .link(TarType::hard_link, "dir/hard", "blob")
                                  .finish();
  EXPECT_EQ(content_of(archive, "id/layer.tar"), "content");
  EXPECT_EQ(content_of(archive, "second"), "content");
  EXPECT_EQ(content_of(archive, "dir/hard"), "content");
}

TEST(Tar, FollowsNoLinkOutOfTheArchive) {
  const std::string archive = Builder()
                                  .link(TarType::symlink, "up", "../etc/passwd")
                                  .link(TarType::symlink, "absolute", "/etc/passwd")
                                  .link(TarType::hard_link, "hard", "../../etc/passwd")
                                  .link(TarType::symlink, "round", "round")
                                  .link(TarType::symlink, "nowhere", "absent")
                                  .link(TarType::directory, "dir/", "")
                                  .finish();
  EXPECT_THAT(find_error(archive, "up"), HasSubstr("outside the archive"));
  EXPECT_THAT(find_error(archive, "absolute"), HasSubstr("outside the archive"));
  EXPECT_THAT(find_error(archive, "hard"), HasSubstr("outside the archive"));
  EXPECT_THAT(find_error(archive, "round"), HasSubstr("circles"));
  EXPECT_THAT(find_error(archive, "nowhere"), HasSubstr("`absent`, which is not there"));
  EXPECT_THAT(find_error(archive, "dir"), HasSubstr("is not a file"));
  EXPECT_THAT(find_error(archive, "../x"), HasSubstr("leads out of the archive"));
}

TEST(Tar, LeavesOutNamesThatLeadOutOfTheArchive) {
  const std::string archive = Builder().file("../../etc/x", "evil").file("a", "good").finish();
  EXPECT_EQ(index_of(archive).entries().size(), 1u);
}

TEST(Tar, RefusesToChooseBetweenTwoMembers) {
  const std::string archive = Builder().file("a", "1").file("b", "x").file("./a", "2").finish();
  EXPECT_THAT(find_error(archive, "a"), HasSubstr("two members called `a`"));
  EXPECT_EQ(content_of(archive, "b"), "x");
}

TEST(Tar, SaysThatAnArchiveIsTruncated) {
  const std::string archive = Builder().file("a", std::string(5000, 'x')).file("b", "y").finish();
  for (std::size_t size = 1; size < archive.size(); ++size) {
    // Whole members without the end's marker are a whole archive, as for other programs.
    const std::size_t first = tar::k_block + 5000;
    const std::size_t second = tar::k_block + 5120 + tar::k_block + 1;
    const bool is_whole = (size >= first && size <= tar::k_block + 5120) || size >= second;
    const bool is_in_marker = is_whole && size > second + 511;
    if (is_in_marker && size % tar::k_block != 0) continue;
    if (is_whole) {
      EXPECT_EQ(error_of(archive.substr(0, size)), "no error") << size;
    } else {
      EXPECT_THAT(error_of(archive.substr(0, size)), HasSubstr("ends in the middle")) << size;
    }
  }
  EXPECT_THAT(error_of(""), HasSubstr("it is empty"));
}

TEST(Tar, RefusesDamagedHeaders) {
  const std::string archive = Builder().file("a", "content").finish();
  std::string wrong = archive;
  wrong[0] = 'b';
  EXPECT_THAT(error_of(wrong), HasSubstr("checksum"));
  EXPECT_THAT(error_of(std::string(2048, 'x')), HasSubstr("not a valid tar archive"));
  EXPECT_THAT(error_of(with_field(archive, tar::k_size, "0000009")), HasSubstr("not octal"));
  EXPECT_THAT(error_of(with_field(archive, tar::k_size, "77777777777")), HasSubstr("middle"));
  const std::string huge("\x80\x00\x00\x00\x7f\xff\xff\xff\xff\xff\xff\xff", 12);
  EXPECT_THAT(error_of(with_field(archive, tar::k_size, huge)), HasSubstr("middle"));
  const std::string negative(12, '\xff');
  EXPECT_THAT(error_of(with_field(archive, tar::k_size, negative)), HasSubstr("too large"));
}

TEST(Tar, RefusesHugeExtendedHeaders) {
  for (const char* type : {"x", "L", "K"}) {
    const std::string archive =
        with_field(Builder().file("a", std::string(2 << 20, 'x')).finish(), tar::k_type, type);
    EXPECT_THAT(error_of(archive), HasSubstr("extended header has 2097152 bytes"));
  }
}

TEST(Tar, RefusesMalformedRecords) {
  for (const std::string record :
       {"x", "5 a=b", "99 a=b\n", "1 a=b\n", "0 a\n", "6 abc\n", "18446744073709551615 a=b\n",
        "11 size=-1\n", "15 size=1e100\n", "28 size=99999999999999999999\n"}) {
    const std::string archive = with_field(Builder().file("a", record).finish(), tar::k_type, "x");
    EXPECT_THAT(error_of(archive), HasSubstr("a PAX record")) << record;
  }
}

TEST(Tar, RefusesLinksWithContent) {
  const std::string archive = with_field(Builder().file("a", "x").finish(), tar::k_type, "2");
  EXPECT_THAT(error_of(archive), HasSubstr("a link has content"));
}

TEST(Tar, TakesASizeFromTheRecords) {
  StringSink out;
  TarWriter writer(out);
  writer.add({.name = "a", .size = 3, .records = {{"size", "3"}}}, "abc");
  writer.finish();
  std::string archive = out.text();
  archive.replace(1024 + tar::k_size.offset, 11, "00000000000");
  seal(archive, 1024);
  EXPECT_EQ(content_of(archive, "a"), "abc");
}

TEST(TarWriter, HoldsTheWriterToItsHeaders) {
  StringSink out;
  TarWriter writer(out);
  writer.begin({.name = "a", .size = 2});
  EXPECT_THROW(writer.write(as_bytes("abc")), Error);
  writer.write(as_bytes("a"));
  EXPECT_THROW(writer.begin({.name = "b"}), Error);
  EXPECT_THROW(writer.finish(), Error);
  writer.write(as_bytes("b"));
  EXPECT_THROW(writer.begin({.name = std::string("b\0c", 3)}), InvalidData);
}

}  // namespace
}  // namespace lade
