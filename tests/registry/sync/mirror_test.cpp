#include "registry/sync/mirror.hpp"

#include "base/text.hpp"
#include "oci/media_type.hpp"
#include "oci/verified_source.hpp"
#include "registry/copy.hpp"
#include "registry/sync/mirror_walk.hpp"
#include "registry/transports/layout_source.hpp"
#include "tests/contract/test_image.hpp"
#include "tests/registry/fixture.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <thread>

namespace lade::registry {
namespace {

using test::make_image;
using test::put_image;
using test::TestImage;

class MirrorTest : public testing::Test {
 protected:
  std::string path() const { return scratch_.path() + "/mirror"; }
  std::string ingest_of(const Descriptor& blob) const {
    return str(path(), "/.lade-ingest/sha256-", blob.digest.hex());
  }
  void write(const std::string& file, const std::string& text) const {
    std::filesystem::create_directories(std::filesystem::path(file).parent_path());
    std::ofstream(file) << text;
  }
  LayoutIndex index() const { return OciLayout::open(path()).read_index(); }

  Scratch scratch_;
};

TEST_F(MirrorTest, ListsImagesByTheirFullNamesWithWhereTheyCameFrom) {
  const TestImage image = make_image("a", {"layer"});
  MirrorDirectory mirror(path(), {});
  const Digest source = Digest::of("source");
  MirrorSink sink(mirror, "q.io/x__y/a:1", {"docker://q.io/a:1", source, "linux/amd64"});
  put_image(sink, image, "q.io/x__y/a:1");
  sink.commit();
  const LayoutEntry entry = index().get("q.io/x__y/a:1");
  EXPECT_EQ(entry.descriptor.digest, image.manifest.digest);
  const MirrorRecord record = MirrorRecord::of(entry.descriptor);
  EXPECT_EQ(record.origin, "docker://q.io/a:1");
  EXPECT_EQ(record.digest, source);
  EXPECT_EQ(record.selection, "linux/amd64");
  EXPECT_EQ(OciLayoutSource(OciLayout::open(path())).manifest("q.io/x__y/a:1").bytes,
            image.manifest.bytes);
}

TEST_F(MirrorTest, KeepsWholeBlobsButListsNothingWithoutCommit) {
  const TestImage image = make_image("a", {"layer"});
  {
    MirrorDirectory mirror(path(), {});
    MirrorSink sink(mirror, "a:1", {});
    put_image(sink, image, "a:1");
  }
  EXPECT_TRUE(index().entries().empty());
  MirrorDirectory mirror(path(), {});
  EXPECT_TRUE(MirrorSink(mirror, "a:1", {}).has_blob(image.blobs.back().descriptor));
}

TEST_F(MirrorTest, ContinuesWhatADeadProcessLeft) {
  const TestImage image = make_image("a", {std::string(100'000, 'x')});
  const auto& layer = image.blobs.back();
  { const MirrorDirectory made(path(), {}); }
  write(ingest_of(layer.descriptor), layer.bytes.substr(0, 60'000));
  MirrorDirectory mirror(path(), {});
  MirrorSink sink(mirror, "a:1", {});
  auto kept = sink.begin_blob(layer.descriptor, {});
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->size, 60'000U);
  EXPECT_EQ(read_all(*kept->bytes, 1 << 20, "kept"), layer.bytes.substr(0, 60'000));
  StringSource bytes(layer.bytes);
  sink.put_blob(layer.descriptor, bytes);
  EXPECT_TRUE(sink.has_blob(layer.descriptor));
  EXPECT_FALSE(std::filesystem::exists(ingest_of(layer.descriptor)));
  FdSource file(mirror.layout().open_blob(layer.descriptor.digest, layer.descriptor.size), "blob");
  EXPECT_EQ(read_all(file, 1 << 20, "blob"), layer.bytes);
}

TEST_F(MirrorTest, TrustsNoBeginningThatIsNotPartOfTheStream) {
  const TestImage image = make_image("a", {"layer"});
  const auto& layer = image.blobs.back();
  { const MirrorDirectory made(path(), {}); }
  write(ingest_of(layer.descriptor), "zz");
  MirrorDirectory mirror(path(), {});
  MirrorSink sink(mirror, "a:1", {});
  StringSource bytes(layer.bytes);
  sink.put_blob(layer.descriptor, bytes);
  FdSource file(mirror.layout().open_blob(layer.descriptor.digest, layer.descriptor.size), "blob");
  EXPECT_EQ(read_all(file, 1 << 20, "blob"), layer.bytes);
}

TEST_F(MirrorTest, ForgetsWhatTurnedOutWrongAndKeepsWhatBrokeOff) {
  class Breaking final : public Source {
   public:
    std::size_t read(std::span<std::byte> buffer) override {
      if (std::exchange(is_over_, true)) throw HttpError({}, "gone");
      buffer[0] = std::byte{'x'};
      return 1;
    }
    bool is_over_ = false;
  };
  const TestImage image = make_image("a", {"xyz"});
  const auto& layer = image.blobs.back();
  MirrorDirectory mirror(path(), {});
  MirrorSink sink(mirror, "a:1", {});
  Breaking breaking;
  EXPECT_THROW(sink.put_blob(layer.descriptor, breaking), HttpError);
  EXPECT_EQ(std::filesystem::file_size(ingest_of(layer.descriptor)), 1U);
  StringSource wrong("xya");
  VerifiedSource verified(wrong, layer.descriptor);
  EXPECT_THROW(sink.put_blob(layer.descriptor, verified), Refused);
  EXPECT_EQ(std::filesystem::file_size(ingest_of(layer.descriptor)), 0U);
  EXPECT_FALSE(sink.has_blob(layer.descriptor));
}

TEST_F(MirrorTest, WaitsForWhoeverWritesTheSameBlob) {
  const TestImage image = make_image("a", {"layer"});
  const auto& layer = image.blobs.back();
  MirrorDirectory mirror(path(), {});
  MirrorSink first(mirror, "a:1", {});
  MirrorSink second(mirror, "a:1", {});
  ASSERT_TRUE(first.begin_blob(layer.descriptor, {}));
  std::optional<KeptBytes> waited{KeptBytes{}};
  std::jthread other([&] { waited = second.begin_blob(layer.descriptor, {}); });
  StringSource bytes(layer.bytes);
  first.put_blob(layer.descriptor, bytes);
  other.join();
  EXPECT_FALSE(waited) << "the other one fetched it, too";
}

TEST_F(MirrorTest, StopsWaitingWhenAsked) {
  const TestImage image = make_image("a", {"layer"});
  const auto& layer = image.blobs.back();
  MirrorDirectory mirror(path(), {});
  MirrorSink first(mirror, "a:1", {});
  ASSERT_TRUE(first.begin_blob(layer.descriptor, {}));
  std::stop_source stop;
  stop.request_stop();
  MirrorSink second(mirror, "a:1", {});
  EXPECT_THROW(second.begin_blob(layer.descriptor, stop.get_token()), Cancelled);
}

TEST_F(MirrorTest, ManyWritersLoseNothing) {
  constexpr int k_writers = 8;
  constexpr int k_images = 10;
  const auto name = [](int writer, int image) { return str("w", writer, "/app:", image); };
  {
    MirrorDirectory shared(path(), {});
    std::vector<std::jthread> writers;
    for (int writer = 0; writer < k_writers; ++writer) {
      writers.emplace_back([&, writer] {
        // Half of them as another process would: with a mirror of their own.
        std::optional<MirrorDirectory> own;
        if (writer % 2 == 1) own.emplace(path(), std::stop_token());
        for (int i = 0; i < k_images; ++i) {
          MirrorSink sink(own ? *own : shared, name(writer, i), {});
          put_image(sink, make_image(name(writer, i), {"shared layer"}), name(writer, i));
          sink.commit();
        }
      });
    }
  }
  const LayoutIndex listed = index();
  for (int writer = 0; writer < k_writers; ++writer) {
    for (int i = 0; i < k_images; ++i) EXPECT_NO_THROW(listed.get(name(writer, i)));
  }
  EXPECT_NO_THROW(reachable_blobs(OciLayout::open(path()), listed));
}

TEST_F(MirrorTest, RefusesToListWhatSomebodyRemovedMeanwhile) {
  const TestImage image = make_image("a", {"layer"});
  MirrorDirectory mirror(path(), {});
  MirrorSink sink(mirror, "a:1", {});
  put_image(sink, image, "a:1");
  std::filesystem::remove(
      str(path(), "/blobs/sha256/", image.blobs.back().descriptor.digest.hex()));
  EXPECT_THROW(sink.commit(), NotFound);
  EXPECT_TRUE(index().entries().empty());
}

TEST_F(MirrorTest, CollectsOnlyWhatNoImageNeeds) {
  const TestImage kept = make_image("kept", {"shared", "only kept"});
  const TestImage gone = make_image("gone", {"shared", "only gone"});
  MirrorDirectory mirror(path(), {});
  for (const auto& [image, name] : {std::pair(&kept, "kept:1"), {&gone, "gone:1"}}) {
    MirrorSink sink(mirror, name, {});
    put_image(sink, *image, name);
    sink.commit();
  }
  mirror.publish({.removed = {"gone:1"}});
  write(path() + "/.lade-ingest/sha256-old", "x");
  const auto collected = mirror.collect();
  EXPECT_FALSE(collected.busy);
  EXPECT_EQ(collected.blobs, 3U);  // manifest, config, one layer
  MirrorSink sink(mirror, "a:1", {});
  for (const auto& blob : kept.blobs) EXPECT_TRUE(sink.has_blob(blob.descriptor));
  EXPECT_FALSE(sink.has_blob(gone.blobs.back().descriptor));
  EXPECT_FALSE(std::filesystem::exists(path() + "/.lade-ingest/sha256-old"));
}

TEST_F(MirrorTest, KeepsWhatRefersToAnImageAsLongAsThatIsThere) {
  const TestImage image = make_image("a", {"layer"});
  const TestImage other = make_image("b", {"signature"});
  const std::string text = other.manifest.bytes.substr(0, other.manifest.bytes.size() - 1);
  const RawManifest referrer = RawManifest::make(
      str(text, R"(,"subject":{"mediaType":")", image.manifest.media_type, R"(","digest":")",
          image.manifest.digest.text(), R"(","size":)", image.manifest.bytes.size(), "}}"),
      other.manifest.media_type);
  MirrorDirectory mirror(path(), {});
  {
    MirrorSink sink(mirror, "a:1", {});
    EXPECT_TRUE(sink.takes_referrers());
    put_image(sink, image, "a:1");
    for (const auto& blob : other.blobs) {
      StringSource bytes(blob.bytes);
      sink.put_blob(blob.descriptor, bytes);
    }
    sink.put_manifest(referrer, referrer.digest);
    sink.commit();
  }
  EXPECT_EQ(OciLayoutSource(OciLayout::open(path())).list_referrers(image.manifest.digest).size(),
            1U);
  EXPECT_EQ(mirror.collect().blobs, 0U);
  mirror.publish({.removed = {"a:1"}});
  EXPECT_EQ(mirror.collect().blobs, 6U);
  EXPECT_TRUE(index().entries().empty());
}

TEST_F(MirrorTest, CollectsNothingWhileAnotherWrites) {
  const TestImage image = make_image("a", {"layer"});
  MirrorDirectory mirror(path(), {});
  {
    MirrorDirectory other(path(), {});
    MirrorSink sink(other, "a:1", {});
    put_image(sink, image, "a:1");
    EXPECT_TRUE(mirror.collect().busy);
    sink.commit();
  }
  EXPECT_FALSE(mirror.collect().busy);
  EXPECT_TRUE(MirrorSink(mirror, "a:1", {}).has_blob(image.blobs.back().descriptor));
}

TEST_F(MirrorTest, CollectsNothingBelowAManifestThatCannotBeRead) {
  const TestImage image = make_image("a", {"layer"});
  MirrorDirectory mirror(path(), {});
  MirrorSink sink(mirror, "a:1", {});
  put_image(sink, image, "a:1");
  sink.commit();
  std::filesystem::remove(str(path(), "/blobs/sha256/", image.manifest.digest.hex()));
  EXPECT_THROW(mirror.collect(), InvalidData);
  EXPECT_TRUE(sink.has_blob(image.blobs.back().descriptor));
}

TEST_F(MirrorTest, DoesNotLoseBeginningsToOthersSweeps) {
  const TestImage image = make_image("a", {"layer"});
  { const MirrorDirectory made(path(), {}); }
  write(ingest_of(image.blobs.back().descriptor), "la");
  { const LayoutStaging other(Directory::open(path())); }
  EXPECT_TRUE(std::filesystem::exists(ingest_of(image.blobs.back().descriptor)));
}

}  // namespace
}  // namespace lade::registry
