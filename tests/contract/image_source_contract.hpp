// What every ImageSource promises, as a typed suite. A transport joins with a class that has
//   void add(const TestImage& image, const std::string& name);  // made without lade's own sink
//   std::unique_ptr<ImageSource> open_source();
//   static constexpr PlaceTraits k_traits;      // if it cannot do all that a layout can
//   static TestImage stored(const TestImage&);  // if it does not keep the bytes: what comes back
// and INSTANTIATE_TYPED_TEST_SUITE_P(Name, ImageSourceContract, ThatClass).
#pragma once

#include "base/error.hpp"
#include "tests/contract/place.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace lade::test {

template <class Transport>
class ImageSourceContract : public testing::Test {
 protected:
  ImageSourceContract() {
    place_.add(image_, "one");
    if (traits_of<Transport>().holds_many) place_.add(other_, "two");
    source_ = place_.open_source();
    image_ = as_stored<Transport>(image_);
    other_ = as_stored<Transport>(other_);
  }

  TestImage image_ = make_image("a", {"first", std::string(300'000, 'x'), ""});
  TestImage other_ = make_image("b", {"first"});
  Transport place_;
  std::unique_ptr<ImageSource> source_;
};

TYPED_TEST_SUITE_P(ImageSourceContract);

TYPED_TEST_P(ImageSourceContract, FindsAManifestByName) {
  const RawManifest found = this->source_->manifest(name_at<TypeParam>("one"));
  EXPECT_EQ(found.bytes, this->image_.manifest.bytes);
  EXPECT_EQ(found.media_type, this->image_.manifest.media_type);
  EXPECT_EQ(found.digest, this->image_.manifest.digest);
  LADE_NEEDS(holds_many)
  EXPECT_EQ(this->source_->manifest(std::string("two")).digest, this->other_.manifest.digest);
}

TYPED_TEST_P(ImageSourceContract, FindsAManifestByDigest) {
  const RawManifest found = this->source_->manifest(this->image_.manifest.digest);
  EXPECT_EQ(found.bytes, this->image_.manifest.bytes);
  EXPECT_EQ(found.media_type, this->image_.manifest.media_type);
}

TYPED_TEST_P(ImageSourceContract, SaysThatItHasNoSuchManifest) {
  EXPECT_THROW(this->source_->manifest(std::string("three")), NotFound);
  EXPECT_THROW(this->source_->manifest(Digest::of("three")), NotFound);
}

TYPED_TEST_P(ImageSourceContract, GivesTheBytesOfBlobs) {
  for (const TestBlob& blob : this->image_.blobs) {
    EXPECT_EQ(blob_text(*this->source_, blob.descriptor), blob.bytes);
  }
}

TYPED_TEST_P(ImageSourceContract, FailsForABlobThatIsNotThere) {
  const Descriptor absent{"application/octet-stream", Digest::of("absent"), 6};
  EXPECT_THROW(blob_text(*this->source_, absent), Error);
}

TYPED_TEST_P(ImageSourceContract, GivesBlobsToSeveralThreads) {
  std::vector<std::string> texts(this->image_.blobs.size() * 3);
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      threads.emplace_back([this, &texts, i] {
        const auto& blob = this->image_.blobs[i % this->image_.blobs.size()];
        texts[i] = blob_text(*this->source_, blob.descriptor);
      });
    }
  }
  for (std::size_t i = 0; i < texts.size(); ++i) {
    EXPECT_EQ(texts[i], this->image_.blobs[i % this->image_.blobs.size()].bytes);
  }
}

REGISTER_TYPED_TEST_SUITE_P(ImageSourceContract, FindsAManifestByName, FindsAManifestByDigest,
                            SaysThatItHasNoSuchManifest, GivesTheBytesOfBlobs,
                            FailsForABlobThatIsNotThere, GivesBlobsToSeveralThreads);

}  // namespace lade::test
