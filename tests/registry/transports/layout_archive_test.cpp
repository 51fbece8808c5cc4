// oci-archives: adding to one that is there, what is kept and what goes, two writers at once,
// hostile archives.
#include "base/error.hpp"
#include "base/tar_writer.hpp"
#include "registry/transports/layout_archive_sink.hpp"
#include "tests/base/scratch.hpp"
#include "tests/contract/test_image.hpp"

#include <gmock/gmock.h>

#include <functional>
#include <thread>

namespace lade::registry {
namespace {

using test::make_image;
using test::put_image;
using test::TestImage;
using testing::ElementsAre;
using testing::HasSubstr;

class LayoutArchiveTest : public testing::Test {
 protected:
  void write_image(const TestImage& image, const std::string& name) {
    LayoutArchiveSink sink(path_);
    put_image(sink, image, name);
    sink.commit();
  }

  LayoutArchive open() const { return LayoutArchive(ArchiveFile::open(path_, {})); }

  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const LayoutEntry& entry : open().index().entries()) names.push_back(entry.name);
    return names;
  }

  std::string error_of(const std::function<void()>& action) const {
    try {
      action();
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }

  void write_members(const std::vector<TarMember>& members,
                     const std::vector<std::string>& contents) {
    StringSink out;
    TarWriter writer(out);
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (members[i].type == TarType::file) {
        writer.add(members[i], contents[i]);
      } else {
        writer.begin(members[i]);
      }
    }
    writer.finish();
    scratch_->write_file("a.tar", out.text(), 0644);
  }

  ScratchDirectory scratch_;
  std::string path_ = scratch_->path_of("a.tar");
};

TEST_F(LayoutArchiveTest, AddsToWhatIsThere) {
  const TestImage one = make_image("one", {"base", "one"});
  const TestImage two = make_image("two", {"base", "two"});
  write_image(one, "one");
  write_image(two, "two");
  EXPECT_THAT(names(), ElementsAre("one", "two"));
  EXPECT_EQ(open().blobs().size(), 7u);  // 2 manifests, 2 configurations, 3 layers
  EXPECT_THAT(scratch_->list(), ElementsAre("a.tar"));
}

TEST_F(LayoutArchiveTest, DropsWhatNothingRefersToAnyMore) {
  write_image(make_image("one", {"base", "one"}), "one");
  write_image(make_image("two", {"base", "two"}), "one");
  EXPECT_THAT(names(), ElementsAre("one"));
  EXPECT_EQ(open().blobs().size(), 4u);
}

TEST_F(LayoutArchiveTest, KeepsAllWhereItDoesNotUnderstand) {
  const std::string entry =
      str(R"({"mediaType":"application/vnd.example+json","digest":")", Digest::of("odd").text(),
          R"(","size":3,"annotations":{"org.opencontainers.image.ref.name":"odd"}})");
  const std::string blobs = "blobs/sha256/";
  write_members({{.name = "oci-layout"},
                 {.name = "index.json"},
                 {.name = blobs + Digest::of("odd").hex()},
                 {.name = blobs + Digest::of("part").hex()}},
                {R"({"imageLayoutVersion":"1.0.0"})",
                 str(R"({"schemaVersion":2,"manifests":[)", entry, "]}"), "odd", "part"});
  write_image(make_image("one", {"one"}), "one");
  EXPECT_THAT(names(), ElementsAre("odd", "one"));
  EXPECT_TRUE(open().find_blob_size(Digest::of("part")));
}

TEST_F(LayoutArchiveTest, LosesNothingOfAnotherWriter) {
  LayoutArchiveSink first(path_);
  put_image(first, make_image("one", {"base", "one"}), "one");
  write_image(make_image("two", {"base", "two"}), "two");
  first.commit();
  EXPECT_THAT(names(), ElementsAre("two", "one"));
}

TEST_F(LayoutArchiveTest, LosesNothingOfManyWriters) {
  {
    std::vector<std::jthread> writers;
    for (int i = 0; i < 8; ++i) {
      writers.emplace_back([this, i] {
        write_image(make_image(str("image ", i), {"base", str("layer ", i)}), str("tag", i));
      });
    }
  }
  EXPECT_EQ(names().size(), 8u);
  EXPECT_EQ(open().blobs().size(), 8u * 3 + 1);
}

TEST_F(LayoutArchiveTest, SaysThatABlobWasRemovedMeanwhile) {
  const TestImage image = make_image("one", {"one"});
  write_image(image, "one");
  LayoutArchiveSink sink(path_);
  put_image(sink, image, "again");
  scratch_->remove_file("a.tar");
  write_image(make_image("two", {"two"}), "two");
  EXPECT_THROW(sink.commit(), NotFound);
  EXPECT_THAT(names(), ElementsAre("two"));
}

TEST_F(LayoutArchiveTest, LeavesOtherFilesAlone) {
  scratch_->write_file("a.tar", "precious", 0644);
  EXPECT_THAT(error_of([&] { LayoutArchiveSink sink(path_); }), HasSubstr("left alone"));
  EXPECT_EQ(read_file(path_, 100), "precious");
  write_members({{.name = "file"}}, {"of a user"});
  const std::string before = read_file(path_, 1 << 20);
  EXPECT_THAT(error_of([&] { LayoutArchiveSink sink(path_); }), HasSubstr("left alone"));
  EXPECT_EQ(read_file(path_, 1 << 20), before);
}

TEST_F(LayoutArchiveTest, IsTheSameEveryTime) {
  write_image(make_image("one", {"one"}), "one");
  const std::string first = read_file(path_, 1 << 20);
  scratch_->remove_file("a.tar");
  write_image(make_image("one", {"one"}), "one");
  EXPECT_EQ(read_file(path_, 1 << 20), first);
}

TEST_F(LayoutArchiveTest, RefusesBlobsThatLeadOutside) {
  const TestImage image = make_image("one", {"one"});
  const std::string name = "blobs/sha256/" + image.manifest.digest.hex();
  write_members({{.name = "oci-layout"},
                 {.name = "index.json"},
                 {.name = name, .type = TarType::symlink, .link = "../../../etc/passwd"}},
                {R"({"imageLayoutVersion":"1.0.0"})",
                 str(R"({"schemaVersion":2,"manifests":[{"mediaType":")", image.manifest.media_type,
                     R"(","digest":")", image.manifest.digest.text(), R"(","size":)",
                     image.manifest.bytes.size(), "}]}"),
                 ""});
  LayoutArchiveSource source(open());
  EXPECT_THAT(error_of([&] { source.manifest(std::string()); }), HasSubstr("outside the archive"));
}

TEST_F(LayoutArchiveTest, RefusesABlobThatIsNotWhatItsNameSays) {
  const TestImage image = make_image("one", {"one"});
  std::string wrong = image.manifest.bytes;
  wrong.back() = ' ';
  write_members({{.name = "oci-layout"},
                 {.name = "index.json"},
                 {.name = "blobs/sha256/" + image.manifest.digest.hex()}},
                {R"({"imageLayoutVersion":"1.0.0"})",
                 str(R"({"schemaVersion":2,"manifests":[{"mediaType":")", image.manifest.media_type,
                     R"(","digest":")", image.manifest.digest.text(), R"(","size":)",
                     image.manifest.bytes.size(), "}]}"),
                 wrong});
  LayoutArchiveSource source(open());
  EXPECT_THROW(source.manifest(std::string()), Refused);
  EXPECT_THROW(source.manifest(image.manifest.digest), Refused);
}

TEST_F(LayoutArchiveTest, SaysWhatIsNoLayout) {
  write_members({{.name = "index.json"}}, {R"({"schemaVersion":2,"manifests":[]})"});
  EXPECT_THAT(error_of([&] { open(); }), HasSubstr("has no member `oci-layout`"));
  write_members({{.name = "oci-layout"}, {.name = "index.json"}},
                {R"({"imageLayoutVersion":"2.0.0"})", R"({"schemaVersion":2,"manifests":[]})"});
  EXPECT_THAT(error_of([&] { open(); }), HasSubstr("is of version `2.0.0`"));
}

}  // namespace
}  // namespace lade::registry
