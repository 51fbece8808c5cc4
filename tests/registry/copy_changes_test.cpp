// Copies that are more than one image as it is: lists and parts of them, other formats, layers
// compressed anew, what refers to an image, several destinations.
#include "registry/copy.hpp"
#include "registry/schema1.hpp"
#include "tests/registry/fixture.hpp"
#include "tests/registry/memory_places.hpp"

#include <gmock/gmock.h>

#include <filesystem>

namespace lade::registry {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Which = Instances::Which;

class CopyChangesTest : public testing::Test {
 protected:
  CopyChangesTest() {
    request_ = {.source_key = "app",
                .sink_key = "copied",
                .platform = {"linux", "amd64", "", ""},
                .changes = {.scratch = scratch_.path()},
                .jobs = 3,
                .retry = {.attempts = 2, .first_delay = std::chrono::milliseconds(1)}};
  }

  CopyResult copy() { return copy_image(source_, sink_, request_, {{}, observer_}); }

  /// A list of two images that share a layer.
  Descriptor add_pair(const ImageMaker& maker = {}, std::string_view type = media_type::oci_index) {
    amd_ = maker.add(source_, "amd", {"base", "amd"});
    arm_ = maker.add(source_, "arm", {"base", "arm"});
    return add_list(source_, {list_entry(*amd_, "linux/amd64"), list_entry(*arm_, "linux/arm64")},
                    "app", type);
  }
  Manifest copied(const std::string& key = "copied") {
    return parse_manifest(sink_.manifest(key).bytes);
  }
  /// All blobs of an image arrived, and its layers are what its configuration says.
  void expect_whole(const RawManifest& raw, const std::vector<std::string>& layers) {
    const Manifest manifest = parse_manifest(raw.bytes);
    auto state = sink_.state();
    EXPECT_TRUE(state->blobs.contains(manifest.config.digest));
    ASSERT_EQ(manifest.layers.size(), layers.size());
    for (std::size_t i = 0; i < layers.size(); ++i) {
      const std::string bytes = state->blobs[manifest.layers[i].digest];
      EXPECT_EQ(bytes.size(), manifest.layers[i].size);
      EXPECT_EQ(plain_text(bytes), layers[i]);
    }
  }

  Scratch scratch_;
  MemorySource source_;
  MemorySink sink_;
  NoteObserver observer_;
  CopyRequest request_;
  std::optional<Descriptor> amd_;
  std::optional<Descriptor> arm_;
};

// ---- lists

TEST_F(CopyChangesTest, AListAndAllInItWithSharedBlobsOnce) {
  const Descriptor list = add_pair();
  request_.instances = {Which::all};
  const CopyResult result = copy();
  EXPECT_EQ(result.manifest.digest, list.digest);
  EXPECT_EQ(result.images, 2u);
  EXPECT_EQ(result.listed, 2u);
  EXPECT_EQ(result.blobs_fetched, 5u);
  for (const auto& [digest, bytes] : source_.blobs) EXPECT_EQ(source_.reads(digest), 1);
  EXPECT_THAT(sink_.keys(), ElementsAre(amd_->digest.text(), arm_->digest.text(), "copied"));
  EXPECT_TRUE(sink_.committed());
}

TEST_F(CopyChangesTest, APartOfAList) {
  add_pair();
  request_.instances = {Which::subset, {{"linux", "arm64", "", ""}}};
  const CopyResult result = copy();
  EXPECT_THAT(sink_.keys(), ElementsAre(arm_->digest.text(), "copied"));
  const Index index = parse_index(sink_.manifest("copied").bytes);
  ASSERT_EQ(index.manifests.size(), 1u);
  EXPECT_EQ(index.manifests[0].digest, arm_->digest);
  EXPECT_EQ(result.images, 1u);
  EXPECT_EQ(result.listed, 2u);
  EXPECT_NE(result.manifest.digest, result.source.digest);
  EXPECT_EQ(sink_.state()->blobs.size(), 3u) << "nothing of the other image";
}

TEST_F(CopyChangesTest, OnlyTheIndex) {
  add_pair();
  request_.instances = {Which::index_only};
  copy();
  EXPECT_THAT(sink_.state()->events, ElementsAre("manifest", "commit"));
}

TEST_F(CopyChangesTest, APartIsNotWhatPreservesDigests) {
  add_pair();
  request_.instances = {Which::subset, {{"linux", "arm64", "", ""}}};
  request_.changes.digests = Digests::preserve;
  EXPECT_THAT(error_of<InvalidData>([&] { copy(); }).what(), HasSubstr("to be preserved"));
  EXPECT_FALSE(sink_.committed());
  request_.instances.platforms.push_back({"linux", "amd64", "", ""});
  EXPECT_EQ(copy().manifest.digest, source_.manifests.at("app").digest) << "all of it is no part";
}

// ---- formats

TEST_F(CopyChangesTest, AListInAnotherFormat) {
  add_pair({.format = ManifestFormat::v2s2}, media_type::docker_list);
  request_.instances = {Which::all};
  request_.changes.format = ManifestFormat::oci;
  copy();
  const RawManifest list = sink_.manifest("copied");
  EXPECT_EQ(list.media_type, media_type::oci_index);
  for (const Descriptor& entry : parse_index(list.bytes).manifests) {
    EXPECT_EQ(entry.media_type, media_type::oci_manifest);
    const RawManifest image = sink_.manifest(entry.digest.text());
    EXPECT_EQ(image.bytes.size(), entry.size);
    expect_whole(image, {"base", entry.platform->architecture == "amd64" ? "amd" : "arm"});
  }
  EXPECT_EQ(sink_.state()->blobs.size(), 5u) << "the configurations that were are not there";
  EXPECT_THAT(observer_.notes(), HasSubstr("converted to the OCI format"));
}

TEST_F(CopyChangesTest, TheDestinationSaysWhatItCanHold) {
  ImageMaker{.format = ManifestFormat::v2s2}.add(source_, "app", {"layer"}, "app");
  sink_.accepted = {std::string(media_type::oci_manifest), std::string(media_type::oci_index)};
  EXPECT_EQ(copy().manifest.media_type, media_type::oci_manifest);
  EXPECT_THAT(observer_.notes(), HasSubstr("converted to the OCI format"));
  expect_whole(sink_.manifest("copied"), {"layer"});
}

TEST_F(CopyChangesTest, WhereDigestsAreToBePreservedNothingIsConverted) {
  ImageMaker{.format = ManifestFormat::v2s2}.add(source_, "app", {"layer"}, "app");
  sink_.accepted = {std::string(media_type::oci_manifest)};
  request_.changes.digests = Digests::preserve;
  EXPECT_THROW(copy(), InvalidData);
  EXPECT_THAT(sink_.state()->events, IsEmpty());
}

TEST_F(CopyChangesTest, TheFormatThatItHasAlreadyChangesNothing) {
  const Descriptor image = ImageMaker().add(source_, "app", {"layer"}, "app");
  request_.changes.format = ManifestFormat::oci;
  request_.changes.digests = Digests::preserve;
  EXPECT_EQ(copy().manifest.digest, image.digest);
}

TEST_F(CopyChangesTest, AFormatThatIsNotTakenIsFollowedByTheOther) {
  for (const HttpError::Details& answer :
       {HttpError::Details{.status = 415}, {.status = 400, .code = "MANIFEST_INVALID"}}) {
    ImageMaker{.format = ManifestFormat::v2s2}.add(source_, "app", {"layer"}, "app");
    sink_.on_manifest = [&](const RawManifest& raw) {
      if (raw.media_type == media_type::docker_manifest) throw HttpError(answer, "not taken");
    };
    EXPECT_EQ(copy().manifest.media_type, media_type::oci_manifest);
    expect_whole(sink_.manifest("copied"), {"layer"});
    EXPECT_THAT(observer_.notes(), HasSubstr("not taken"));
    request_.changes.digests = Digests::preserve;
    EXPECT_THROW(copy(), HttpError);
    request_.changes = {};
    request_.changes.format = ManifestFormat::v2s2;
    EXPECT_THROW(copy(), HttpError) << "what was asked for is not exchanged";
    request_.changes = {};
  }
}

TEST_F(CopyChangesTest, OtherFailuresDoNotChangeTheFormat) {
  ImageMaker{.format = ManifestFormat::v2s2}.add(source_, "app", {"layer"}, "app");
  sink_.on_manifest = [](const RawManifest&) {
    throw HttpError({.status = 404, .code = "MANIFEST_BLOB_UNKNOWN"}, "no such blob");
  };
  EXPECT_THROW(copy(), HttpError);
  EXPECT_THAT(observer_.notes(), Not(HasSubstr("converted")));
}

TEST_F(CopyChangesTest, Schema1IsRead) {
  const std::string layer = compressed_text("the layer", Compression::gzip);
  source_.add_blob(layer, "");
  const auto entry = [](const Digest& digest) {
    return str(R"({"blobSum":")", digest.text(), "\"}");
  };
  source_.add_manifest(
      str(R"({"schemaVersion":1,"fsLayers":[)", entry(Digest::of("nothing")), ',',
          entry(Digest::of(layer)),
          R"(],"history":[{"v1Compatibility":"{\"id\":\"2\",\"parent\":\"1\",\"throwaway\":true,)"
          R"(\"os\":\"linux\",\"architecture\":\"amd64\"}"},{"v1Compatibility":"{\"id\":\"1\"}"}]})"),
      media_type::docker_schema1, "app");
  EXPECT_EQ(copy().manifest.media_type, media_type::docker_manifest);
  expect_whole(sink_.manifest("copied"), {"the layer"});
  const Digest config = copied().config.digest;
  EXPECT_THAT(sink_.state()->blobs[config], HasSubstr(Digest::of("the layer").text()));
  request_.changes.format = ManifestFormat::oci;
  EXPECT_EQ(copy().manifest.media_type, media_type::oci_manifest);
  expect_whole(sink_.manifest("copied"), {"the layer"});
  request_.changes = {.digests = Digests::preserve};
  EXPECT_THROW(copy(), InvalidData);
}

// ---- compression

TEST_F(CopyChangesTest, LayersAreCompressedAnew) {
  for (const Compression to : {Compression::zstd, Compression::none, Compression::gzip}) {
    const Compression from = to == Compression::gzip ? Compression::none : Compression::gzip;
    ImageMaker{.compression = from}.add(source_, "app", {"one", std::string(300'000, 'x')}, "app");
    request_.changes.recompression = Recompression{.to = to};
    copy();
    expect_whole(sink_.manifest("copied"), {"one", std::string(300'000, 'x')});
    for (const Descriptor& layer : copied().layers) {
      EXPECT_EQ(layer.media_type, layer_media_type({to}, ManifestFormat::oci));
    }
  }
  EXPECT_TRUE(std::filesystem::is_empty(scratch_.path())) << "temporary files are gone";
}

TEST_F(CopyChangesTest, WhatIsCompressedThatWayAlreadyStays) {
  const Descriptor image = ImageMaker().add(source_, "app", {"one"}, "app");
  request_.changes.recompression = Recompression{.to = Compression::gzip, .level = 9};
  EXPECT_EQ(copy().manifest.digest, image.digest);
  request_.changes.recompression =
      Recompression{.to = Compression::zstd, .which = Recompression::Which::uncompressed};
  EXPECT_EQ(copy().manifest.digest, image.digest);
}

TEST_F(CopyChangesTest, DockersFormatHasNoZstd) {
  ImageMaker{.format = ManifestFormat::v2s2}.add(source_, "app", {"one"}, "app");
  request_.changes.recompression = Recompression{.to = Compression::zstd};
  EXPECT_EQ(copy().manifest.media_type, media_type::oci_manifest);
  expect_whole(sink_.manifest("copied"), {"one"});
  request_.changes.format = ManifestFormat::v2s2;
  EXPECT_THAT(error_of<InvalidData>([&] { copy(); }).what(), HasSubstr("zstd"));
}

TEST_F(CopyChangesTest, AListFollowsItsLayers) {
  add_pair();
  request_.instances = {Which::all};
  request_.changes.recompression = Recompression{.to = Compression::zstd};
  copy();
  for (const Descriptor& entry : parse_index(sink_.manifest("copied").bytes).manifests) {
    const RawManifest image = sink_.manifest(entry.digest.text());
    expect_whole(image, {"base", entry.platform->architecture == "amd64" ? "amd" : "arm"});
  }
  for (const auto& [digest, bytes] : source_.blobs) EXPECT_EQ(source_.reads(digest), 1);
}

TEST_F(CopyChangesTest, ALayerThatIsNotWhatItsConfigurationSaysIsRefused) {
  ImageMaker{.diff_id = Digest::of("something else").text()}.add(source_, "app", {"one"}, "app");
  EXPECT_NO_THROW(copy()) << "what is not looked into is not compared";
  request_.changes.recompression = Recompression{.to = Compression::zstd};
  EXPECT_THAT(error_of<Refused>([&] { copy(); }).what(),
              HasSubstr("but the configuration says `" + Digest::of("something else").text()));
}

TEST_F(CopyChangesTest, ALayerThatIsSaidToBeTwoThingsIsRefused) {
  const Descriptor right = ImageMaker().add(source_, "right", {"one"});
  const Descriptor wrong =
      ImageMaker{.diff_id = Digest::of("two").text()}.add(source_, "wrong", {"one"});
  add_list(source_, {list_entry(right, "linux/amd64"), list_entry(wrong, "linux/arm64")}, "app");
  request_.instances = {Which::all};
  request_.changes.recompression = Recompression{.to = Compression::zstd};
  EXPECT_THAT(error_of<Refused>([&] { copy(); }).what(), HasSubstr("two different things"));
}

TEST_F(CopyChangesTest, ALayerThatIsNotWhatItsDigestSaysIsRefused) {
  ImageMaker().add(source_, "app", {"one"}, "app");
  for (auto& [digest, bytes] : source_.blobs) {
    if (bytes.starts_with("\x1f\x8b")) bytes = compressed_text("eno", Compression::gzip);
  }
  request_.changes.recompression = Recompression{.to = Compression::zstd};
  EXPECT_THROW(copy(), Refused);
  EXPECT_THAT(sink_.state()->manifests, IsEmpty());
}

TEST_F(CopyChangesTest, CompressingAnewDoesNotPreserveDigests) {
  ImageMaker().add(source_, "app", {"one"}, "app");
  request_.changes.recompression = Recompression{.to = Compression::zstd};
  request_.changes.digests = Digests::preserve;
  EXPECT_THROW(copy(), InvalidData);
  EXPECT_THAT(sink_.state()->events, IsEmpty());
}

TEST_F(CopyChangesTest, AConfigurationForAnotherNumberOfLayersIsRefused) {
  const Descriptor good = ImageMaker().add(source_, "app", {"one"});
  const Manifest manifest = parse_manifest(source_.manifest(good.digest).bytes);
  const std::string layer = ImageMaker().descriptor(manifest.layers[0]);
  source_.add_manifest(
      str(R"({"schemaVersion":2,"mediaType":")", media_type::oci_manifest, R"(","config":)",
          ImageMaker().descriptor(manifest.config), R"(,"layers":[)", layer, ',', layer, "]}"),
      media_type::oci_manifest, "app");
  request_.changes.recompression = Recompression{.to = Compression::zstd};
  EXPECT_THAT(error_of<InvalidData>([&] { copy(); }).what(), HasSubstr("is of 1 layers"));
}

// ---- foreign layers

TEST_F(CopyChangesTest, ForeignLayersAreLeftOutWhereThatIsAllowed) {
  const Descriptor config = source_.add_blob("{}", media_type::docker_config);
  source_.add_manifest(
      str(R"({"schemaVersion":2,"mediaType":")", media_type::docker_manifest, R"(","config":)",
          ImageMaker().descriptor(config),
          R"(,"layers":[{"mediaType":"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",)"
          R"("size":5,"digest":")",
          Digest::of("x").text(), R"(","urls":["https://example.com/x"]}]})"),
      media_type::docker_manifest, "app");
  EXPECT_THROW(copy(), NotFound);
  request_.foreign_layers = ForeignLayers::leave_out;
  copy();
  EXPECT_EQ(sink_.state()->blobs.size(), 1u);
}

// ---- referrers

class ReferrersCopyTest : public CopyChangesTest {
 protected:
  ReferrersCopyTest() { request_.referrers = ReferrersToo::yes; }

  Descriptor refer_to(const Descriptor& subject, const std::string& label) {
    const Descriptor referrer = ImageMaker().add(source_, label, {label});
    source_.referrers[subject.digest].push_back(referrer);
    return referrer;
  }
};

TEST_F(ReferrersCopyTest, OfEveryManifestAndOfEachOther) {
  const Descriptor list = add_pair();
  request_.instances = {Which::all};
  const Descriptor of_list = refer_to(list, "of list");
  const Descriptor of_arm = refer_to(*arm_, "of arm");
  const Descriptor of_that = refer_to(of_arm, "of that");
  refer_to(of_that, "circle");
  source_.referrers[of_that.digest].push_back(of_arm);
  const CopyResult result = copy();
  EXPECT_EQ(result.referrers, 4u);
  const auto keys = sink_.keys();
  for (const Descriptor& referrer : {of_list, of_arm, of_that}) {
    EXPECT_THAT(keys, Contains(referrer.digest.text()).Times(1));
  }
  EXPECT_EQ(keys.back(), "copied") << "the name comes last";
  expect_whole(sink_.manifest(of_that.digest.text()), {"of that"});
}

TEST_F(ReferrersCopyTest, ByCosignsTags) {
  const Descriptor image = ImageMaker().add(source_, "app", {"layer"}, "app");
  const std::string tag = "sha256-" + image.digest.hex();
  for (const char* suffix : {".sig", ".att", ".sbom"}) {
    ImageMaker().add(source_, suffix, {suffix}, tag + suffix);
  }
  EXPECT_EQ(copy().referrers, 3u);
  EXPECT_THAT(sink_.keys(), ElementsAre(tag + ".sig", tag + ".att", tag + ".sbom", "copied"));
}

TEST_F(ReferrersCopyTest, OnlyWhereTheyAreAskedFor) {
  refer_to(add_pair(), "of list");
  request_.instances = {Which::all};
  request_.referrers = ReferrersToo::no;
  EXPECT_EQ(copy().referrers, 0u);
}

TEST_F(ReferrersCopyTest, NotOfWhatIsChanged) {
  const Descriptor list = add_pair();
  const Descriptor of_list = refer_to(list, "of list");
  const Descriptor of_that = refer_to(of_list, "of that");
  const Descriptor of_arm = refer_to(*arm_, "of arm");
  request_.instances = {Which::subset, {{"linux", "arm64", "", ""}}};
  EXPECT_EQ(copy().referrers, 1u);
  EXPECT_THAT(sink_.keys(), ElementsAre(arm_->digest.text(), of_arm.digest.text(), "copied"));
  EXPECT_THAT(observer_.notes(), HasSubstr("2 manifests are left out"));
}

TEST_F(ReferrersCopyTest, NotWhereTheyCannotBeKept) {
  const Descriptor list = add_pair();
  const Descriptor referrer = refer_to(list, "of list");
  request_.instances = {Which::all};
  sink_.with_referrers = false;
  EXPECT_EQ(copy().referrers, 0u);
  EXPECT_EQ(sink_.state()->blobs.size(), 5u) << "nor their blobs";
  EXPECT_THAT(observer_.notes(), HasSubstr("cannot be kept there"));
}

TEST_F(ReferrersCopyTest, TooManyAreTooMany) {
  Descriptor last = ImageMaker().add(source_, "app", {"layer"}, "app");
  for (int i = 0; i < 1001; ++i) last = refer_to(last, str(i));
  EXPECT_THAT(error_of<InvalidData>([&] { copy(); }).what(), HasSubstr("more than 1000"));
}

// ---- several destinations

class SeveralTargetsTest : public CopyChangesTest {
 protected:
  std::vector<CopyOutcome> copy_all(OnFailure on_failure) {
    const std::vector<CopyTarget> targets{
        {sink_, "a", "first"}, {second_, "b", "second"}, {third_, "c", "third"}};
    return copy_image_to_all(source_, targets, request_, on_failure, {{}, observer_});
  }

  MemorySink second_;
  MemorySink third_;
};

TEST_F(SeveralTargetsTest, AreServedByOneReading) {
  const Descriptor image =
      ImageMaker().add(source_, "app", {"one", std::string(3'000'000, 'x')}, "app");
  second_.state()->blobs[Digest::of(compressed_text("one", Compression::gzip))] = "there";
  const auto outcomes = copy_all(OnFailure::stop);
  for (const auto& [digest, bytes] : source_.blobs) EXPECT_EQ(source_.reads(digest), 1);
  for (const CopyOutcome& outcome : outcomes) {
    EXPECT_TRUE(outcome.committed);
    EXPECT_EQ(outcome.result.manifest.digest, image.digest);
  }
  EXPECT_EQ(outcomes[1].result.blobs_reused, 1u);
  EXPECT_EQ(outcomes[2].result.blobs_fetched, 3u);
  EXPECT_EQ(sink_.state()->blobs, third_.state()->blobs);
  EXPECT_THAT(third_.keys(), ElementsAre("c"));
}

TEST_F(SeveralTargetsTest, OneThatFailsDoesNotDisturbTheOthers) {
  ImageMaker().add(source_, "app", {"one", "two"}, "app");
  second_.on_blob = [](const Descriptor&) { throw SystemError(ENOSPC, "write"); };
  const auto outcomes = copy_all(OnFailure::go_on);
  EXPECT_TRUE(outcomes[0].committed);
  EXPECT_FALSE(outcomes[1].committed);
  EXPECT_TRUE(outcomes[2].committed);
  EXPECT_FALSE(outcomes[0].failure);
  EXPECT_THAT(error_of<SystemError>([&] { std::rethrow_exception(outcomes[1].failure); }).what(),
              HasSubstr("No space left"));
  EXPECT_FALSE(second_.committed());
  expect_whole(sink_.manifest("a"), {"one", "two"});
}

TEST_F(SeveralTargetsTest, OrNothingIsCommittedAnywhere) {
  ImageMaker().add(source_, "app", {"one", "two"}, "app");
  third_.on_manifest = [](const RawManifest&) { throw SystemError(ENOSPC, "write"); };
  const auto outcomes = copy_all(OnFailure::stop);
  EXPECT_TRUE(outcomes[2].failure);
  for (const CopyOutcome& outcome : outcomes) EXPECT_FALSE(outcome.committed);
  EXPECT_FALSE(sink_.committed());
}

TEST_F(SeveralTargetsTest, AFaultThatPassesIsRetriedForTheOneThatHadIt) {
  ImageMaker().add(source_, "app", {"one"}, "app");
  std::atomic<int> faults = 1;
  second_.on_blob = [&](const Descriptor&) {
    if (faults-- > 0) throw HttpError({.status = 503, .retryable = true}, "busy");
  };
  for (const CopyOutcome& outcome : copy_all(OnFailure::stop)) EXPECT_TRUE(outcome.committed);
  int reads = 0;
  for (const auto& [digest, bytes] : source_.blobs) reads += source_.reads(digest);
  EXPECT_EQ(reads, 3) << "one of the two blobs once more";
}

TEST_F(SeveralTargetsTest, WhatTheSourceDoesWrongConcernsAll) {
  ImageMaker().add(source_, "app", {"one"}, "app");
  for (auto& [digest, bytes] : source_.blobs) bytes += "x";
  EXPECT_THROW(copy_all(OnFailure::go_on), Refused);
  for (MemorySink* sink : {&sink_, &second_, &third_}) {
    EXPECT_THAT(sink->state()->events, IsEmpty());
  }
}

TEST_F(SeveralTargetsTest, AllMayFail) {
  ImageMaker().add(source_, "app", {"one"}, "app");
  for (MemorySink* sink : {&sink_, &second_, &third_}) {
    sink->on_blob = [](const Descriptor&) { throw SystemError(ENOSPC, "write"); };
  }
  for (const CopyOutcome& outcome : copy_all(OnFailure::go_on)) EXPECT_TRUE(outcome.failure);
}

TEST_F(SeveralTargetsTest, ReferrersGoWhereTheyCanBeKept) {
  const Descriptor image = ImageMaker().add(source_, "app", {"one"}, "app");
  source_.referrers[image.digest] = {ImageMaker().add(source_, "referrer", {"about it"})};
  request_.referrers = ReferrersToo::yes;
  second_.with_referrers = false;
  const auto outcomes = copy_all(OnFailure::stop);
  EXPECT_EQ(outcomes[0].result.referrers, 1u);
  EXPECT_EQ(outcomes[1].result.referrers, 0u);
  EXPECT_EQ(sink_.state()->blobs.size(), 4u);
  EXPECT_EQ(second_.state()->blobs.size(), 2u);
  EXPECT_THAT(observer_.notes(), HasSubstr("second: 1 manifests"));
}

TEST_F(SeveralTargetsTest, EachInTheFormatThatItTakes) {
  ImageMaker{.format = ManifestFormat::v2s2}.add(source_, "app", {"one"}, "app");
  second_.accepted = {std::string(media_type::oci_manifest)};
  const auto outcomes = copy_all(OnFailure::stop);
  EXPECT_EQ(outcomes[0].result.manifest.media_type, media_type::docker_manifest);
  EXPECT_EQ(outcomes[1].result.manifest.media_type, media_type::oci_manifest);
  EXPECT_THAT(observer_.notes(), HasSubstr("second: converted to the OCI format"));
  EXPECT_EQ(second_.state()->blobs.size(), 2u);
  expect_whole(sink_.manifest("a"), {"one"});
}

}  // namespace
}  // namespace lade::registry
