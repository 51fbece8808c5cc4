// `dir:` images: the exact files, signatures, what is wiped and what never is, hostile directories.
#include "base/error.hpp"
#include "registry/transports/directory_sink.hpp"
#include "registry/transports/directory_source.hpp"
#include "tests/base/scratch.hpp"
#include "tests/contract/test_image.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <functional>
#include <thread>

namespace lade::registry {
namespace {

using test::make_image;
using test::put_image;
using test::TestImage;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

class DirTest : public testing::Test {
 protected:
  void write_image(const TestImage& image) {
    DirectorySink sink(path_);
    put_image(sink, image, "");
    sink.commit();
  }

  Directory directory() const { return Directory::open(path_); }

  std::string file(const std::string& name) const {
    return read_file(directory().path_of(name), 1 << 20);
  }

  std::string message_of(const std::function<void()>& action) const {
    try {
      action();
    } catch (const Error& error) {
      return error.what();
    }
    return "nothing was thrown";
  }

  ScratchDirectory scratch_;
  std::string path_ = scratch_->path_of("image");
};

TEST_F(DirTest, WritesTheFilesThatSkopeoWrites) {
  const TestImage image = make_image("a", {"first", "second"});
  write_image(image);
  EXPECT_THAT(directory().list(), UnorderedElementsAre("manifest.json", "version",
                                                       image.blobs[0].descriptor.digest.hex(),
                                                       image.blobs[1].descriptor.digest.hex(),
                                                       image.blobs[2].descriptor.digest.hex()));
  EXPECT_EQ(file("version"), "Directory Transport Version: 1.1\n");
  EXPECT_EQ(file("manifest.json"), image.manifest.bytes);
}

TEST_F(DirTest, NamesOtherDigestsWithTheirAlgorithm) {
  const TestImage image = make_image("a", {});
  const Digest digest = Digest::of("long", HashAlgorithm::sha512);
  const Descriptor blob{"application/octet-stream", digest, 4};
  DirectorySink sink(path_);
  StringSource bytes("long");
  sink.put_blob(blob, bytes);
  put_image(sink, image, "");
  sink.commit();
  EXPECT_EQ(file("sha512-" + digest.hex()), "long");
  EXPECT_EQ(file("version"), "Directory Transport Version: 1.2\n");
  EXPECT_EQ(test::blob_text(*std::make_unique<DirectorySource>(path_), blob), "long");
  DirectorySink again(path_);
  EXPECT_TRUE(again.has_blob(blob));
}

TEST_F(DirTest, KeepsInstancesBesideTheIndex) {
  const TestImage image = make_image("a", {"layer"});
  const RawManifest index = RawManifest::make(
      str(R"({"schemaVersion":2,"manifests":[{"mediaType":")", image.manifest.media_type,
          R"(","digest":")", image.manifest.digest.text(), R"(","size":)",
          image.manifest.bytes.size(), "}]}"),
      std::string(media_type::oci_index));
  DirectorySink sink(path_);
  put_image(sink, image, "");
  sink.put_manifest(image.manifest, image.manifest.digest);
  sink.put_manifest(index, std::string());
  sink.put_signatures(index.digest, {"of the list", "another"});
  sink.put_signatures(image.manifest.digest, {"of the instance"});
  sink.commit();
  const std::string instance = image.manifest.digest.hex();
  EXPECT_EQ(file("manifest.json"), index.bytes);
  EXPECT_EQ(file(instance + ".manifest.json"), image.manifest.bytes);
  EXPECT_EQ(file("signature-1"), "of the list");
  EXPECT_EQ(file("signature-2"), "another");
  EXPECT_EQ(file(instance + ".signature-1"), "of the instance");
  DirectorySource source(path_);
  EXPECT_EQ(source.manifest(image.manifest.digest).bytes, image.manifest.bytes);
  EXPECT_EQ(source.manifest(std::string()).media_type, media_type::oci_index);
  EXPECT_THAT(source.signatures(index.digest), ElementsAre("of the list", "another"));
  EXPECT_THAT(source.signatures(image.manifest.digest), ElementsAre("of the instance"));
}

TEST_F(DirTest, LeavesNothingOfTheImageBefore) {
  const TestImage older = make_image("older", {"base", "older"});
  const TestImage newer = make_image("newer", {"base", "newer"});
  {
    DirectorySink sink(path_);
    put_image(sink, older, "");
    sink.put_signatures(older.manifest.digest, {"old"});
    sink.commit();
  }
  directory().ensure_child("sub", 0755).write_file("file", "x", 0644);
  write_image(newer);
  std::vector<std::string> expected{"manifest.json", "version"};
  for (const auto& blob : newer.blobs) expected.push_back(blob.descriptor.digest.hex());
  EXPECT_THAT(directory().list(), testing::UnorderedElementsAreArray(expected));
}

TEST_F(DirTest, LeavesTheImageBeforeAloneUntilCommit) {
  const TestImage older = make_image("older", {"older"});
  write_image(older);
  const auto before = directory().list();
  {
    DirectorySink sink(path_);
    put_image(sink, make_image("newer", {"newer"}), "");
    EXPECT_EQ(DirectorySource(path_).manifest(std::string()).bytes, older.manifest.bytes);
  }
  EXPECT_EQ(directory().list(), before);
}

TEST_F(DirTest, LeavesNoDirectoryWithoutAnImage) {
  {
    DirectorySink sink(path_);
    put_image(sink, make_image("a", {"layer"}), "");
  }
  EXPECT_FALSE(scratch_->exists("image"));
  scratch_->ensure_child("image", 0755);
  { DirectorySink sink(path_); }
  EXPECT_TRUE(scratch_->exists("image"));
}

TEST_F(DirTest, RefusesADirectoryThatIsNotOurs) {
  const Directory other = Directory::ensure(path_, 0755);
  other.write_file("precious", "data", 0644);
  EXPECT_THAT(message_of([&] { DirectorySink sink(path_); }), HasSubstr("left alone"));
  other.write_file("version", "2.7.1\n", 0644);
  EXPECT_THAT(message_of([&] { DirectorySink sink(path_); }), HasSubstr("left alone"));
  EXPECT_THAT(other.list(), ElementsAre("precious", "version"));
}

TEST_F(DirTest, RefusesAMarkerThatIsALink) {
  const Directory other = Directory::ensure(path_, 0755);
  other.write_file("precious", "data", 0644);
  scratch_->write_file("elsewhere", "Directory Transport Version: 1.1\n", 0644);
  ASSERT_EQ(::symlinkat("../elsewhere", other.fd(), "version"), 0);
  EXPECT_THAT(message_of([&] { DirectorySink sink(path_); }), HasSubstr("not a regular file"));
  EXPECT_TRUE(other.exists("precious"));
}

TEST_F(DirTest, ReadsNoLinksAndNoFifos) {
  const TestImage image = make_image("a", {"layer"});
  write_image(image);
  const std::string blob = image.blobs.back().descriptor.digest.hex();
  scratch_->write_file("layer", "layer", 0644);
  directory().remove_file(blob);
  ASSERT_EQ(::symlinkat("../layer", directory().fd(), blob.c_str()), 0);
  DirectorySource source(path_);
  EXPECT_THROW(source.blob(image.blobs.back().descriptor), InvalidData);
  directory().remove_file(blob);
  ASSERT_EQ(::mkfifoat(directory().fd(), blob.c_str(), 0644), 0);
  EXPECT_THROW(source.blob(image.blobs.back().descriptor), InvalidData);
  EXPECT_FALSE(DirectorySink(path_).has_blob(image.blobs.back().descriptor));
  directory().remove_file("manifest.json");
  ASSERT_EQ(::mkfifoat(directory().fd(), "manifest.json", 0644), 0);
  EXPECT_THROW(source.manifest(std::string()), InvalidData);
  ASSERT_EQ(::mkfifoat(directory().fd(), "signature-1", 0644), 0);
  EXPECT_THROW(source.signatures(image.manifest.digest), InvalidData);
}

TEST_F(DirTest, FollowsNoLinkThatIsInTheWayOfAWrite) {
  const TestImage image = make_image("a", {"layer"});
  write_image(make_image("b", {"other"}));
  const std::string blob = image.blobs.back().descriptor.digest.hex();
  scratch_->write_file("victim", "precious", 0644);
  ASSERT_EQ(::symlinkat("../victim", directory().fd(), blob.c_str()), 0);
  directory().remove_file("manifest.json");
  ASSERT_EQ(::symlinkat("../victim", directory().fd(), "manifest.json"), 0);
  write_image(image);
  EXPECT_EQ(read_file(scratch_->path_of("victim"), 100), "precious");
  EXPECT_EQ(file(blob), "layer");
  EXPECT_EQ(file("manifest.json"), image.manifest.bytes);
}

TEST_F(DirTest, RefusesAnInstanceThatIsNotWhatItsNameSays) {
  const TestImage image = make_image("a", {"layer"});
  write_image(image);
  const Digest absent = Digest::of("absent");
  directory().write_file(absent.hex() + ".manifest.json", image.manifest.bytes, 0644);
  DirectorySource source(path_);
  EXPECT_THROW(source.manifest(absent), Refused);
}

TEST_F(DirTest, RefusesABlobOfAnotherSize) {
  const TestImage image = make_image("a", {"layer"});
  write_image(image);
  directory().write_file(image.blobs.back().descriptor.digest.hex(), "layer and more", 0644);
  DirectorySource source(path_);
  EXPECT_THROW(source.blob(image.blobs.back().descriptor), Refused);
}

TEST_F(DirTest, SaysThatABlobWasRemovedMeanwhile) {
  const TestImage image = make_image("a", {"layer"});
  write_image(image);
  DirectorySink sink(path_);
  put_image(sink, image, "");
  write_image(make_image("b", {"other"}));
  EXPECT_THROW(sink.commit(), NotFound);
  EXPECT_NO_THROW(DirectorySource(path_).manifest(std::string()));
}

TEST_F(DirTest, ManyWritersLeaveOneWholeImage) {
  for (int round = 0; round < 5; ++round) {
    {
      std::vector<std::jthread> writers;
      for (int i = 0; i < 4; ++i) {
        writers.emplace_back([this, i] {
          try {
            write_image(make_image(str("image ", i), {"base", str("layer ", i)}));
          } catch (const NotFound&) {
            // Another writer's image took the place of what it was to share.
          }
        });
      }
    }
    DirectorySource source(path_);
    const Manifest manifest = parse_manifest(source.manifest(std::string()).bytes);
    EXPECT_NO_THROW(test::blob_text(source, manifest.config));
    for (const Descriptor& layer : manifest.layers) EXPECT_NO_THROW(test::blob_text(source, layer));
    EXPECT_EQ(directory().list().size(), 5u);
  }
}

TEST_F(DirTest, HasNoNames) {
  write_image(make_image("a", {"layer"}));
  EXPECT_THROW(DirectorySource(path_).manifest(std::string("x")), NotFound);
  DirectorySink sink(path_);
  EXPECT_THROW(sink.put_manifest(make_image("a", {}).manifest, std::string("x")), UsageError);
}

TEST_F(DirTest, SaysThatThereIsNoImage) {
  EXPECT_THROW(DirectorySource{path_}, NotFound);
  Directory::ensure(path_, 0755);
  EXPECT_THROW(DirectorySource{path_}, NotFound);
}

}  // namespace
}  // namespace lade::registry
