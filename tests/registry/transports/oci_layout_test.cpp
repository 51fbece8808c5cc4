// What an OCI layout promises beyond the contract of transports: hostile directories, writers at
// the same time, writers that died.
#include "registry/transports/oci_layout.hpp"

#include "base/error.hpp"
#include "registry/transports/layout_sink.hpp"
#include "registry/transports/layout_source.hpp"
#include "tests/base/scratch.hpp"
#include "tests/contract/test_image.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <thread>

namespace lade::registry {
namespace {

using test::make_image;
using test::put_image;
using test::TestImage;
using testing::ElementsAre;
using testing::HasSubstr;

std::string message_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

class OciLayoutTest : public testing::Test {
 protected:
  /// Commits an image under a name.
  void add(const TestImage& image, const std::string& name) const {
    OciLayoutSink sink(OciLayout::ensure(path_));
    put_image(sink, image, name);
    sink.commit();
  }

  Directory layout() const { return Directory::open(path_); }
  Directory blobs() const { return layout().child("blobs").child("sha256"); }
  RawManifest read(const ManifestKey& key) const {
    return OciLayoutSource(OciLayout::open(path_)).manifest(key);
  }

  std::string read_error(const ManifestKey& key) const {
    return message_of([&] { read(key); });
  }

  /// Puts a symbolic link to a host file in the place of `name`.
  void replace_by_link(const Directory& directory, const std::string& name) const {
    directory.rename(name, *scratch_, "outside");
    ASSERT_EQ(::symlinkat(scratch_->path_of("outside").c_str(), directory.fd(), name.c_str()), 0);
  }

  static void replace_by_fifo(const Directory& directory, const std::string& name) {
    directory.remove_file(name);
    ASSERT_EQ(::mkfifoat(directory.fd(), name.c_str(), 0644), 0);
  }

  ScratchDirectory scratch_;
  std::string path_ = scratch_->path_of("layout");
  TestImage image_ = make_image("a", {"first", "second"});
};

// ---- making and opening

TEST_F(OciLayoutTest, MakesWhatTheSpecificationAsksFor) {
  OciLayout::ensure(path_ + "/deeper");
  const Directory made = Directory::open(path_ + "/deeper");
  EXPECT_THAT(made.list(), ElementsAre("blobs", "index.json", "oci-layout"));
  EXPECT_EQ(read_file(made.path_of("index.json"), 1000), R"({"schemaVersion":2,"manifests":[]})");
  EXPECT_THAT(read_file(made.path_of("oci-layout"), 1000), HasSubstr("1.0.0"));
  EXPECT_THAT(made.child("blobs").list(), ElementsAre("sha256"));
}

TEST_F(OciLayoutTest, MakesOneInAnEmptyDirectory) {
  scratch_->ensure_child("layout", 0755);
  add(image_, "one");
  EXPECT_EQ(read(std::string("one")).digest, image_.manifest.digest);
}

TEST_F(OciLayoutTest, LeavesAnyOtherDirectoryAlone) {
  scratch_->ensure_child("layout", 0755).write_file("precious", "data", 0644);
  EXPECT_THAT(message_of([&] { OciLayout::ensure(path_); }), HasSubstr("is left alone"));
  EXPECT_THAT(layout().list(), ElementsAre("precious"));
  EXPECT_THROW(OciLayout::open(path_), InvalidData);
  EXPECT_THROW(OciLayout::open(scratch_->path_of("absent")), NotFound);
  EXPECT_THROW(OciLayout::ensure(scratch_->path_of("layout/precious")), Error);
}

TEST_F(OciLayoutTest, RefusesAnotherVersion) {
  OciLayout::ensure(path_);
  layout().write_file("oci-layout", R"({"imageLayoutVersion":"2.0.0"})", 0644);
  EXPECT_THAT(message_of([&] { OciLayout::open(path_); }), HasSubstr("version `2.0.0`"));
}

TEST_F(OciLayoutTest, FinishesWhatAMakerThatDiedLeft) {
  OciLayout::ensure(path_);
  layout().remove_file("index.json");
  layout().remove_tree("blobs");
  add(image_, "one");
  EXPECT_EQ(read(std::string("one")).digest, image_.manifest.digest);
}

TEST_F(OciLayoutTest, WithoutACommitNothingAppearsAndNothingIsTakenAway) {
  const LayoutPlace place{path_ + "/a/b", scratch_->path_of("shared/blobs")};
  {
    OciLayoutSink sink(place, {}, LayoutFormats::oci);
    EXPECT_FALSE(sink.has_blob(image_.blobs.front().descriptor));
    put_image(sink, image_, "one");
  }
  EXPECT_THAT(scratch_->list(), testing::IsEmpty());
  scratch_->ensure_child("layout", 0755);
  { OciLayoutSink sink(place, {}, LayoutFormats::oci); }
  EXPECT_THAT(scratch_->list(), ElementsAre("layout")) << "it was there before";
  EXPECT_THAT(layout().list(), testing::IsEmpty());
  {
    OciLayoutSink failing(place, {}, LayoutFormats::oci);
    OciLayoutSink sink(place, {}, LayoutFormats::oci);
    put_image(sink, image_, "one");
    sink.commit();
  }
  EXPECT_EQ(
      OciLayoutSource(OciLayout::open(place.path).with_blobs_in(Directory::open(*place.blobs)))
          .manifest(std::string("one"))
          .digest,
      image_.manifest.digest);
  { OciLayoutSink sink(place, {}, LayoutFormats::oci); }
  EXPECT_NO_THROW(OciLayout::open(place.path));
}

TEST_F(OciLayoutTest, IsNotMadeInADirectoryThatWasRemoved) {
  const Directory gone = scratch_->ensure_child("gone", 0755);
  scratch_->remove_tree("gone");
  EXPECT_THROW(LayoutStaging{gone}, SystemError);
}

// ---- hostile layouts

TEST_F(OciLayoutTest, DoesNotFollowLinks) {
  add(image_, "one");
  const std::string layer = image_.blobs.back().descriptor.digest.hex();
  for (const std::string name : {"index.json", "oci-layout"}) {
    replace_by_link(layout(), name);
    EXPECT_THAT(read_error(std::string("one")), HasSubstr("not a regular file")) << name;
    EXPECT_THROW(OciLayoutSink(OciLayout::ensure(path_)).commit(), InvalidData) << name;
    layout().remove_file(name);
    scratch_->rename("outside", layout(), name);
  }
  replace_by_link(blobs(), layer);
  OciLayoutSource source(OciLayout::open(path_));
  EXPECT_THROW(source.blob(image_.blobs.back().descriptor), InvalidData);
  EXPECT_FALSE(OciLayoutSink(OciLayout::open(path_)).has_blob(image_.blobs.back().descriptor));
}

TEST_F(OciLayoutTest, DoesNotFollowLinkedDirectories) {
  add(image_, "one");
  for (const std::string name : {"blobs", "blobs/sha256"}) {
    const Directory parent = name == "blobs" ? layout() : layout().child("blobs");
    const std::string last = name == "blobs" ? name : "sha256";
    replace_by_link(parent, last);
    EXPECT_THAT(read_error(std::string("one")), HasSubstr("links are not followed")) << name;
    const TestImage other = make_image("b", {"other"});
    EXPECT_THROW(add(other, "other"), Error) << name;
    const std::string kept = name == "blobs" ? "outside/sha256/" : "outside/";
    EXPECT_THROW(read_file(scratch_->path_of(kept + other.manifest.digest.hex()), 1000), Error);
    parent.remove_file(last);
    scratch_->rename("outside", parent, last);
  }
}

TEST_F(OciLayoutTest, DoesNotWaitForFifos) {
  add(image_, "one");
  replace_by_fifo(blobs(), image_.blobs.back().descriptor.digest.hex());
  OciLayoutSource source(OciLayout::open(path_));
  EXPECT_THROW(source.blob(image_.blobs.back().descriptor), InvalidData);
  replace_by_fifo(blobs(), image_.manifest.digest.hex());
  EXPECT_THAT(read_error(std::string("one")), HasSubstr("not a regular file"));
  replace_by_fifo(layout(), "index.json");
  EXPECT_THAT(read_error(std::string("one")), HasSubstr("not a regular file"));
  EXPECT_THROW(add(image_, "two"), InvalidData);
  replace_by_fifo(layout(), "oci-layout");
  EXPECT_THROW(OciLayout::open(path_), InvalidData);
}

TEST_F(OciLayoutTest, DoesNotOpenDevices) {
  add(image_, "one");
  layout().remove_file("index.json");
  if (::mknodat(layout().fd(), "index.json", S_IFCHR | 0644, makedev(1, 5)) != 0) {
    GTEST_SKIP() << "making a device node needs root";
  }
  EXPECT_THAT(read_error(std::string("one")), HasSubstr("not a regular file"));
}

TEST_F(OciLayoutTest, RefusesABlobOfAnotherSizeOrDigest) {
  add(image_, "one");
  const std::string manifest = image_.manifest.digest.hex();
  std::string changed = image_.manifest.bytes;
  changed.back() = ' ';
  blobs().write_file(manifest, changed, 0644);
  EXPECT_THAT(read_error(std::string("one")), HasSubstr("does not match its digest"));
  EXPECT_THAT(read_error(image_.manifest.digest), HasSubstr("does not match its digest"));
  blobs().write_file(manifest, image_.manifest.bytes + " ", 0644);
  EXPECT_THAT(read_error(std::string("one")), HasSubstr("bytes, not the"));
  blobs().write_file(image_.blobs.back().descriptor.digest.hex(), "short", 0644);
  OciLayoutSource source(OciLayout::open(path_));
  EXPECT_THROW(source.blob(image_.blobs.back().descriptor), Refused);
}

TEST_F(OciLayoutTest, ReplacesABlobOfAnotherSize) {
  add(image_, "one");
  const auto& layer = image_.blobs.back();
  blobs().write_file(layer.descriptor.digest.hex(), "cut", 0644);
  add(image_, "one");
  OciLayoutSource source(OciLayout::open(path_));
  EXPECT_EQ(test::blob_text(source, layer.descriptor), layer.bytes);
}

TEST_F(OciLayoutTest, ReadsNothingLargerThanAManifestMayBe) {
  add(image_, "one");
  const auto grow = [](const Directory& directory, const std::string& name) {
    const Fd file = directory.open_file(name, O_WRONLY);
    ASSERT_EQ(::ftruncate(file.get(), off_t{1} << 40), 0);
  };
  // Not listed, so nothing but the file itself says how large it is.
  const Digest& unlisted = image_.blobs.front().descriptor.digest;
  grow(blobs(), unlisted.hex());
  EXPECT_THAT(read_error(unlisted), HasSubstr("larger than 4.0 MiB"));
  grow(layout(), "index.json");
  EXPECT_THAT(read_error(std::string("one")), HasSubstr("larger than 4.0 MiB"));
  grow(layout(), "oci-layout");
  EXPECT_THROW(OciLayout::open(path_), InvalidData);
}

TEST_F(OciLayoutTest, RefusesDigestsThatLeadElsewhere) {
  OciLayout::ensure(path_);
  scratch_->write_file("outside", "{}", 0644);
  layout().write_file("index.json",
                      R"({"schemaVersion":2,"manifests":[{"mediaType":"x",)"
                      R"("digest":"sha256:../../../outside","size":2}]})",
                      0644);
  EXPECT_THAT(read_error(std::string()), HasSubstr("is not a digest"));
}

TEST_F(OciLayoutTest, RefusesAManifestThatIsNotItsDigest) {
  OciLayoutSink sink(OciLayout::ensure(path_));
  RawManifest wrong = image_.manifest;
  wrong.bytes += ' ';
  EXPECT_THROW(sink.put_manifest(wrong, std::string("one")), Refused);
}

TEST_F(OciLayoutTest, RefusesNamesThatAreNotValid) {
  OciLayoutSink sink(OciLayout::ensure(path_));
  for (const std::string name : {"a b", "../x", "a\nb", "@0"}) {
    EXPECT_THROW(sink.put_manifest(image_.manifest, name), UsageError) << name;
  }
}

// ---- names and digests

TEST_F(OciLayoutTest, ReadsTheOnlyImageWithoutAName) {
  add(image_, "");
  EXPECT_EQ(read(std::string()).digest, image_.manifest.digest);
  add(make_image("b", {"x"}), "b");
  EXPECT_THROW(read(std::string()), InvalidData);
}

TEST_F(OciLayoutTest, AManifestUnderItsDigestIsKeptAndNotListed) {
  OciLayoutSink sink(OciLayout::ensure(path_));
  for (const auto& blob : image_.blobs) {
    StringSource bytes(blob.bytes);
    sink.put_blob(blob.descriptor, bytes);
  }
  sink.put_manifest(image_.manifest, image_.manifest.digest);
  sink.commit();
  EXPECT_TRUE(OciLayout::open(path_).read_index().entries().empty());
  EXPECT_EQ(read(image_.manifest.digest).media_type, media_type::oci_manifest);
}

TEST_F(OciLayoutTest, KeepsSha512BlobsApart) {
  const std::string bytes = "content";
  const Descriptor blob{"application/octet-stream", Digest::of(bytes, HashAlgorithm::sha512),
                        bytes.size()};
  OciLayoutSink sink(OciLayout::ensure(path_));
  StringSource source(bytes);
  sink.put_blob(blob, source);
  sink.commit();
  EXPECT_THAT(layout().child("blobs").child("sha512").list(), ElementsAre(blob.digest.hex()));
}

// ---- writers that stop, die and meet

TEST_F(OciLayoutTest, LeavesNothingBehind) {
  add(image_, "one");
  {
    OciLayoutSink sink(OciLayout::ensure(path_));
    put_image(sink, make_image("b", {"other"}), "two");
  }
  EXPECT_THAT(layout().list(), ElementsAre("blobs", "index.json", "oci-layout"));
  EXPECT_EQ(blobs().list().size(), image_.blobs.size() + 1);
}

TEST_F(OciLayoutTest, SweepsWhatAKilledWriterLeftButNotALivingOnes) {
  add(image_, "one");
  const int status = in_child([&] {
    OciLayoutSink sink(OciLayout::ensure(path_));
    put_image(sink, make_image("b", {"other"}), "two");
    return ::raise(SIGKILL);
  });
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(layout().list().size(), 4u);

  OciLayoutSink living(OciLayout::ensure(path_));
  put_image(living, make_image("c", {"third"}), "three");
  EXPECT_EQ(layout().list().size(), 4u);
  add(image_, "again");
  living.commit();
  EXPECT_EQ(read(std::string("three")).digest, make_image("c", {"third"}).manifest.digest);
  EXPECT_THROW(read(std::string("two")), NotFound);
}

TEST_F(OciLayoutTest, NoticesThatAReusedBlobIsGone) {
  add(image_, "one");
  OciLayoutSink sink(OciLayout::ensure(path_));
  put_image(sink, image_, "two");
  blobs().remove_file(image_.blobs.back().descriptor.digest.hex());
  EXPECT_THAT(message_of([&] { sink.commit(); }), HasSubstr("was removed"));
  EXPECT_THROW(read(std::string("two")), NotFound);
}

TEST_F(OciLayoutTest, WaitsForTheLockAndCanBeStopped) {
  add(image_, "one");
  const Fd held = layout().open_file("oci-layout", O_RDONLY);
  ASSERT_EQ(::flock(held.get(), LOCK_EX), 0);
  std::stop_source stop;
  OciLayoutSink sink(OciLayout::open(path_), stop.get_token());
  sink.put_manifest(image_.manifest, std::string("two"));
  stop.request_stop();
  EXPECT_THROW(sink.commit(), Cancelled);
  EXPECT_EQ(OciLayout::open(path_).read_index().entries().size(), 1u);
}

TEST_F(OciLayoutTest, WritersAtTheSameTimeLoseNothing) {
  constexpr int k_writers = 2;
  constexpr int k_names = 50;
  const auto write_names = [&](int writer) {
    for (int i = 0; i < k_names; ++i) {
      const std::string name = str("w", writer, '-', i);
      add(make_image(name, {"shared by all", name}), name);
    }
    return 0;
  };
  std::vector<pid_t> children;
  for (int writer = 0; writer < k_writers; ++writer) {
    const pid_t child = ::fork();
    if (child == 0) {
      int code = 1;
      try {
        code = write_names(writer);
      } catch (const std::exception& error) {
        ::dprintf(2, "writer %d: %s\n", writer, error.what());
      }
      ::_exit(code);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  EXPECT_THAT(layout().list(), ElementsAre("blobs", "index.json", "oci-layout"));
  const LayoutIndex index = OciLayout::open(path_).read_index();
  EXPECT_EQ(index.entries().size(), std::size_t{k_writers * k_names});
  OciLayoutSource source(OciLayout::open(path_));
  for (int writer = 0; writer < k_writers; ++writer) {
    for (int i = 0; i < k_names; ++i) {
      const std::string name = str("w", writer, '-', i);
      EXPECT_EQ(source.manifest(name).bytes,
                make_image(name, {"shared by all", name}).manifest.bytes);
    }
  }
}

}  // namespace
}  // namespace lade::registry
