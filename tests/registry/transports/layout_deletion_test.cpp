// Taking images out of layouts: shared blobs stay, blobs of others stay, what is not understood
// stays.
#include "registry/transports/layout_deletion.hpp"

#include "base/error.hpp"
#include "registry/transports/layout_sink.hpp"
#include "tests/base/scratch.hpp"
#include "tests/contract/test_image.hpp"

#include <gmock/gmock.h>

namespace lade::registry {
namespace {

using test::make_image;
using test::put_image;
using test::TestImage;
using testing::ElementsAre;
using testing::IsEmpty;

class LayoutDeletionTest : public testing::Test {
 protected:
  void write_image(const TestImage& image, const std::string& name) {
    OciLayoutSink sink(OciLayout::ensure(path_));
    put_image(sink, image, name);
    sink.commit();
  }

  LayoutDeletion remove(const ManifestKey& key, std::optional<std::size_t> position = {}) {
    return delete_layout_image(OciLayout::open(path_), key, position);
  }

  std::vector<std::string> names() const {
    const LayoutIndex index = OciLayout::open(path_).read_index();
    std::vector<std::string> names;
    for (const LayoutEntry& entry : index.entries()) names.push_back(entry.name);
    return names;
  }

  std::vector<std::string> blobs() const { return Directory::open(path_ + "/blobs/sha256").list(); }

  ScratchDirectory scratch_;
  std::string path_ = scratch_->path_of("layout");
  TestImage one_ = make_image("one", {"base", "one"});
  TestImage two_ = make_image("two", {"base", "two"});
};

TEST_F(LayoutDeletionTest, RemovesWhatOnlyThatImageNeeds) {
  write_image(one_, "one");
  write_image(two_, "two");
  const LayoutDeletion deletion = remove("one");
  EXPECT_EQ(deletion.blobs, 3u);
  EXPECT_THAT(names(), ElementsAre("two"));
  EXPECT_EQ(blobs().size(), 4u);
  EXPECT_TRUE(OciLayout::open(path_).find_blob_size(Digest::of("base")));
  remove(std::string());
  EXPECT_THAT(blobs(), IsEmpty());
}

TEST_F(LayoutDeletionTest, RemovesOneOfSeveralNames) {
  write_image(one_, "one");
  write_image(one_, "same");
  EXPECT_EQ(remove(ManifestKey(), 1).blobs, 0u);
  EXPECT_THAT(names(), ElementsAre("one"));
  EXPECT_EQ(remove(one_.manifest.digest).blobs, 4u);
}

TEST_F(LayoutDeletionTest, LeavesBlobsAloneThatNoImageHad) {
  write_image(one_, "one");
  const std::string other = Digest::of("somebody's").hex();
  Directory::open(path_ + "/blobs/sha256").write_file(other, "somebody's", 0644);
  remove("one");
  EXPECT_THAT(blobs(), ElementsAre(other));
}

TEST_F(LayoutDeletionTest, LeavesAllBlobsWhereItDoesNotUnderstand) {
  write_image(one_, "one");
  write_image(two_, "two");
  const Directory directory = Directory::open(path_ + "/blobs/sha256");
  directory.write_file(two_.manifest.digest.hex(), std::string(two_.manifest.bytes.size(), 'x'),
                       0644);
  EXPECT_EQ(remove("one").blobs, 0u);
  directory.remove_file(two_.manifest.digest.hex());
  write_image(one_, "one");
  EXPECT_EQ(remove("one").blobs, 0u);
  EXPECT_THAT(names(), ElementsAre("two"));
}

TEST_F(LayoutDeletionTest, SaysWhatIsNotThere) {
  write_image(one_, "one");
  write_image(two_, "two");
  EXPECT_THROW(remove("three"), NotFound);
  EXPECT_THROW(remove(Digest::of("three")), NotFound);
  EXPECT_THROW(remove(ManifestKey(), 2), NotFound);
  EXPECT_THROW(remove(std::string()), InvalidData);
  EXPECT_EQ(names().size(), 2u);
}

TEST_F(LayoutDeletionTest, IsSeenByAWriterThatWasToReuseABlob) {
  write_image(one_, "one");
  OciLayoutSink sink(OciLayout::open(path_));
  put_image(sink, two_, "two");
  remove("one");
  EXPECT_THROW(sink.commit(), NotFound);
  EXPECT_THAT(names(), IsEmpty());
}

}  // namespace
}  // namespace lade::registry
