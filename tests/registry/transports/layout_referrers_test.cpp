// What an OCI layout holds beside images: manifests that refer to others; and layouts that hold
// their blobs together.
#include "base/error.hpp"
#include "registry/transports/layout_sink.hpp"
#include "registry/transports/layout_source.hpp"
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

class LayoutReferrersTest : public testing::Test {
 protected:
  /// A manifest that refers to `subject`, with the first layer of `image_`.
  RawManifest referrer_to(const RawManifest& subject, const std::string& label) const {
    const Descriptor& blob = image_.blobs.back().descriptor;
    const std::string type(media_type::oci_manifest);
    return RawManifest::make(
        str(R"({"schemaVersion":2,"mediaType":")", type, R"(","artifactType":"a/)", label,
            R"(","config":{"mediaType":"a/config","digest":")", blob.digest.text(), R"(","size":)",
            blob.size, R"(},"layers":[],"annotations":{"label":")", label,
            R"("},"subject":{"mediaType":")", type, R"(","digest":")", subject.digest.text(),
            R"(","size":)", subject.bytes.size(), "}}"),
        type);
  }

  OciLayoutSource source() const { return OciLayoutSource(OciLayout::open(path_)); }

  ScratchDirectory scratch_;
  std::string path_ = scratch_->path_of("layout");
  TestImage image_ = make_image("a", {"layer"});
};

TEST_F(LayoutReferrersTest, AreListedWithoutANameAndFoundAgain) {
  const RawManifest referrer = referrer_to(image_.manifest, "sbom");
  OciLayoutSink sink(OciLayout::ensure(path_));
  ASSERT_TRUE(sink.takes_referrers());
  put_image(sink, image_, "app");
  sink.put_manifest(referrer, referrer.digest);
  sink.put_manifest(make_image("unlisted", {}).manifest, Digest::of("unlisted"));
  sink.commit();
  const auto entries = OciLayout::open(path_).read_index().entries();
  ASSERT_EQ(entries.size(), 2u) << "what refers to nothing is not listed by its digest";
  EXPECT_EQ(entries[1].name, "");
  EXPECT_EQ(entries[1].descriptor.artifact_type, "a/sbom");
  EXPECT_EQ(entries[1].descriptor.annotations->at("label"), "sbom");
  const auto found = source().list_referrers(image_.manifest.digest);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].digest, referrer.digest);
  EXPECT_EQ(found[0].artifact_type, "a/sbom");
  EXPECT_THAT(source().list_referrers(referrer.digest), IsEmpty());
}

TEST_F(LayoutReferrersTest, AreFoundByTheTagThatOtherToolsWrite) {
  const RawManifest referrer = referrer_to(image_.manifest, "sbom");
  const std::string type(media_type::oci_index);
  const RawManifest list = RawManifest::make(
      str(R"({"schemaVersion":2,"mediaType":")", type, R"(","manifests":[{"mediaType":")",
          referrer.media_type, R"(","digest":")", referrer.digest.text(), R"(","size":)",
          referrer.bytes.size(), "}]}"),
      type);
  OciLayoutSink sink(OciLayout::ensure(path_));
  put_image(sink, image_, "app");
  sink.put_manifest(list, "sha256-" + image_.manifest.digest.hex());
  sink.commit();
  const auto found = source().list_referrers(image_.manifest.digest);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].digest, referrer.digest);
}

TEST_F(LayoutReferrersTest, AreNotWhatALayoutWithoutANameMeans) {
  const RawManifest referrer = referrer_to(image_.manifest, "sbom");
  OciLayoutSink sink(OciLayout::ensure(path_));
  put_image(sink, image_, "app");
  sink.put_manifest(referrer, referrer.digest);
  sink.put_manifest(referrer_to(image_.manifest, "sig"),
                    "sha256-" + image_.manifest.digest.hex() + ".sig");
  sink.commit();
  EXPECT_EQ(source().manifest(std::string()).digest, image_.manifest.digest);
  OciLayoutSink more(OciLayout::open(path_));
  put_image(more, make_image("b", {"layer"}), "other");
  more.commit();
  EXPECT_THROW(source().manifest(std::string()), InvalidData);
}

TEST_F(LayoutReferrersTest, ALayoutTakesWhatItsSpecificationNames) {
  const OciLayoutSink any(OciLayout::ensure(path_));
  EXPECT_TRUE(any.accepts(media_type::docker_manifest));
  const OciLayoutSink oci(OciLayout::ensure(path_), {}, LayoutFormats::oci);
  EXPECT_FALSE(oci.accepts(media_type::docker_manifest));
  EXPECT_FALSE(oci.accepts(media_type::docker_list));
  EXPECT_TRUE(oci.accepts(media_type::oci_manifest));
  EXPECT_TRUE(oci.accepts(media_type::oci_index));
}

TEST_F(LayoutReferrersTest, LayoutsCanHoldTheirBlobsTogether) {
  const std::string shared = scratch_->path_of("shared");
  for (const char* name : {"one", "two"}) {
    OciLayoutSink sink(
        OciLayout::ensure(scratch_->path_of(name)).with_blobs_in(Directory::ensure(shared, 0755)));
    EXPECT_EQ(sink.has_blob(image_.blobs.back().descriptor), std::string_view(name) == "two");
    put_image(sink, image_, "app");
    sink.commit();
    const Directory layout = Directory::open(scratch_->path_of(name));
    EXPECT_THAT(layout.child("blobs").child("sha256").list(), IsEmpty());
    EXPECT_THAT(layout.list(), ElementsAre("blobs", "index.json", "oci-layout"));
  }
  EXPECT_THAT(Directory::open(shared).list(), ElementsAre("sha256"));
  OciLayoutSource source(
      OciLayout::open(scratch_->path_of("one")).with_blobs_in(Directory::open(shared)));
  EXPECT_EQ(source.manifest(std::string("app")).bytes, image_.manifest.bytes);
  EXPECT_EQ(test::blob_text(source, image_.blobs.back().descriptor), "layer");
  OciLayoutSource alone(OciLayout::open(scratch_->path_of("one")));
  EXPECT_THROW(alone.manifest(std::string("app")), NotFound);
}

}  // namespace
}  // namespace lade::registry
