// What every ImageSink promises, as a typed suite. A transport joins with a class that has
//   std::unique_ptr<ImageSink> open_sink();      // to the same place each time
//   std::unique_ptr<ImageSource> open_source();  // what has been committed there
//   static constexpr PlaceTraits k_traits;       // if it cannot do all that a layout can
//   static TestImage stored(const TestImage&);   // if it does not keep the bytes: what comes back
// and INSTANTIATE_TYPED_TEST_SUITE_P(Name, ImageSinkContract, ThatClass).
#pragma once

#include "base/error.hpp"
#include "oci/verified_source.hpp"
#include "registry/copy.hpp"
#include "tests/contract/place.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace lade::test {

template <class Transport>
class ImageSinkContract : public testing::Test {
 protected:
  void commit_image(const TestImage& image, const std::string& name) {
    const auto sink = place_.open_sink();
    put_image(*sink, image, name_at<Transport>(name));
    sink->commit();
  }

  void expect_whole(const TestImage& put, const std::string& given_name) {
    const TestImage image = as_stored<Transport>(put);
    const std::string name = name_at<Transport>(given_name);
    const auto source = place_.open_source();
    EXPECT_EQ(source->manifest(name).bytes, image.manifest.bytes);
    EXPECT_EQ(source->manifest(name).media_type, image.manifest.media_type);
    for (const TestBlob& blob : image.blobs) {
      EXPECT_EQ(blob_text(*source, blob.descriptor), blob.bytes);
    }
  }

  Transport place_;
};

TYPED_TEST_SUITE_P(ImageSinkContract);

TYPED_TEST_P(ImageSinkContract, KeepsEveryByte) {
  const TestImage image = make_image("a", {"first", std::string(300'000, 'x'), ""});
  this->commit_image(image, "one");
  this->expect_whole(image, "one");
}

TYPED_TEST_P(ImageSinkContract, ShowsNothingOfAnUpdateBeforeCommit) {
  LADE_NEEDS(is_updated)
  LADE_NEEDS(holds_many)
  const TestImage image = make_image("a", {"layer"});
  this->commit_image(make_image("other", {"something"}), "other");
  {
    const auto sink = this->place_.open_sink();
    put_image(*sink, image, "one");
    EXPECT_THROW(this->place_.open_source()->manifest(std::string("one")), NotFound);
  }
  EXPECT_THROW(this->place_.open_source()->manifest(std::string("one")), NotFound);
  EXPECT_FALSE(this->place_.open_sink()->has_blob(image.blobs.back().descriptor));
}

TYPED_TEST_P(ImageSinkContract, ShowsNothingBeforeCommit) {
  const TestImage image = make_image("a", {"layer"});
  const std::string name = name_at<TypeParam>("one");
  const auto look = [&] { this->place_.open_source()->manifest(name); };
  {
    const auto sink = this->place_.open_sink();
    put_image(*sink, image, name);
    EXPECT_THROW(look(), NotFound);
  }
  EXPECT_THROW(look(), NotFound);
  this->commit_image(image, "one");
  this->expect_whole(image, "one");
}

TYPED_TEST_P(ImageSinkContract, KnowsTheBlobsThatItHas) {
  const TestImage image = make_image("a", {"layer"});
  const Descriptor& layer = image.blobs.back().descriptor;
  const auto sink = this->place_.open_sink();
  EXPECT_FALSE(sink->has_blob(layer));
  put_image(*sink, image, name_at<TypeParam>("one"));
  EXPECT_TRUE(sink->has_blob(layer));
  sink->commit();
  LADE_NEEDS(is_updated)
  EXPECT_TRUE(this->place_.open_sink()->has_blob(layer));
  Descriptor longer = layer;
  ++longer.size;
  EXPECT_FALSE(this->place_.open_sink()->has_blob(longer));
}

TYPED_TEST_P(ImageSinkContract, TakesABlobAgainWhoseStreamFailed) {
  const TestImage image = make_image("a", {std::string(200'000, 'x')});
  const TestBlob& layer = image.blobs.back();
  const auto sink = this->place_.open_sink();
  for (const std::string& wrong : {layer.bytes.substr(1), std::string(200'000, 'y')}) {
    StringSource bytes(wrong);
    VerifiedSource verified(bytes, layer.descriptor);
    EXPECT_THROW(sink->put_blob(layer.descriptor, verified), Refused);
    EXPECT_FALSE(sink->has_blob(layer.descriptor));
  }
  put_image(*sink, image, name_at<TypeParam>("one"));
  sink->commit();
  this->expect_whole(image, "one");
}

TYPED_TEST_P(ImageSinkContract, ReplacesAnImage) {
  LADE_NEEDS(is_updated)
  const TestImage newer = make_image("newer", {"base", "newer"});
  this->commit_image(make_image("older", {"base", "older"}), "one");
  this->commit_image(newer, "one");
  this->expect_whole(newer, "one");
}

TYPED_TEST_P(ImageSinkContract, HoldsSeveralImages) {
  LADE_NEEDS(holds_many)
  const TestImage first = make_image("first", {"base", "first"});
  const TestImage second = make_image("second", {"base", "second"});
  const auto sink = this->place_.open_sink();
  put_image(*sink, first, "one");
  put_image(*sink, second, "two");
  sink->commit();
  this->expect_whole(first, "one");
  this->expect_whole(second, "two");
}

TYPED_TEST_P(ImageSinkContract, MovesANameToTheNewerImage) {
  LADE_NEEDS(is_updated)
  LADE_NEEDS(holds_many)
  const TestImage older = make_image("older", {"base", "older"});
  const TestImage newer = make_image("newer", {"base", "newer"});
  this->commit_image(older, "one");
  this->commit_image(older, "kept");
  this->commit_image(newer, "one");
  this->expect_whole(newer, "one");
  this->expect_whole(older, "kept");
}

TYPED_TEST_P(ImageSinkContract, CommitsTheSameImageAgain) {
  LADE_NEEDS(is_updated)
  const TestImage image = make_image("a", {"layer"});
  this->commit_image(image, "one");
  this->commit_image(image, "one");
  this->expect_whole(image, "one");
}

TYPED_TEST_P(ImageSinkContract, TakesBlobsFromSeveralThreads) {
  std::vector<std::string> layers;
  for (int i = 0; i < 16; ++i) layers.emplace_back(50'000, static_cast<char>('a' + i));
  const TestImage image = make_image("a", layers);
  const auto sink = this->place_.open_sink();
  {
    std::vector<std::jthread> threads;
    for (const TestBlob& blob : image.blobs) {
      threads.emplace_back([&] {
        if (sink->has_blob(blob.descriptor)) return;
        StringSource bytes(blob.bytes);
        sink->put_blob(blob.descriptor, bytes);
      });
    }
  }
  put_image(*sink, image, name_at<TypeParam>("one"));
  sink->commit();
  this->expect_whole(image, "one");
}

TYPED_TEST_P(ImageSinkContract, EndsACopy) {
  LADE_NEEDS(is_updated)
  const TestImage image = make_image("a", {"first", "second"});
  this->commit_image(image, "one");
  NullObserver observer;
  const auto source = this->place_.open_source();
  const auto sink = this->place_.open_sink();
  const auto result = registry::copy_image(*source, *sink,
                                           {.source_key = name_at<TypeParam>("one"),
                                            .sink_key = name_at<TypeParam>("two"),
                                            .platform = {"linux", "amd64", "", ""}},
                                           {{}, observer});
  EXPECT_EQ(result.blobs_fetched, 0u);
  EXPECT_EQ(result.blobs_reused, image.blobs.size());
  this->expect_whole(image, "two");
}

REGISTER_TYPED_TEST_SUITE_P(ImageSinkContract, KeepsEveryByte, ShowsNothingBeforeCommit,
                            ShowsNothingOfAnUpdateBeforeCommit, KnowsTheBlobsThatItHas,
                            TakesABlobAgainWhoseStreamFailed, ReplacesAnImage, HoldsSeveralImages,
                            MovesANameToTheNewerImage, CommitsTheSameImageAgain,
                            TakesBlobsFromSeveralThreads, EndsACopy);

}  // namespace lade::test
