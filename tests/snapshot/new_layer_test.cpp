// Layers made here: one pass from a tar to a blob and an unpacked layer, and what is refused on it.
#include "base/compress.hpp"
#include "oci/new_image.hpp"
#include "store/blob_writer.hpp"
#include "tests/snapshot/harness.hpp"

#include <gmock/gmock.h>

#include <optional>
#include <stop_token>

namespace lade::test {
namespace {

using snapshot::LocalImageSink;
using snapshot::NewLayer;
using testing::HasSubstr;
using testing::IsEmpty;

std::string compressed(const std::string& bytes, Compression format) {
  StringSource plain(bytes);
  return read_all(*compress(plain, format), std::size_t{1} << 26, "compressed");
}

/// Says that it is being stopped after some bytes, and has more.
class StoppingSource final : public Source {
 public:
  StoppingSource(std::string beginning, std::stop_source& stop)
      : beginning_(std::move(beginning)), stop_(stop) {}
  std::size_t read(std::span<std::byte> buffer) override {
    const std::size_t count = beginning_.read(buffer);
    if (count > 0) return count;
    stop_.request_stop();
    buffer[0] = std::byte{0};
    return 1;
  }

 private:
  StringSource beginning_;
  std::stop_source& stop_;
};

class NewLayerTest : public testing::Test {
 protected:
  void SetUp() override {
    LADE_NEEDS_ROOT();
    store_.emplace(store::Store::open(scratch_.path() + "/store"));
  }

  /// An image of the one layer, committed.
  static Digest commit(LocalImageSink& sink, const NewLayer& layer) {
    const std::string config = write_image_config(
        {.platform = {.os = "linux", .architecture = "amd64"}, .diff_ids = {layer.diff_id}});
    const Descriptor descriptor{std::string(media_type::oci_config), Digest::of(config),
                                config.size()};
    StringSource bytes(config);
    sink.put_blob(descriptor, bytes);
    const RawManifest manifest =
        write_manifest({.config = descriptor, .layers = {layer.descriptor}});
    sink.put_manifest(manifest, manifest.digest);
    sink.commit();
    return sink.image_id();
  }

  Digest import(const std::string& bytes) {
    LocalImageSink sink(*store_, {Reference::parse("x:1")}, {{}, nobody_});
    StringSource tar(bytes);
    return commit(sink, sink.put_new_layer(tar));
  }

  std::string refusal(const std::string& bytes) {
    const auto before = leftovers(*store_);
    std::string message = "no error";
    try {
      import(bytes);
    } catch (const InvalidData& error) {
      message = error.what();
    }
    EXPECT_EQ(leftovers(*store_), before);
    EXPECT_THAT(store_->ingest().list(), IsEmpty());
    return message;
  }

  StoreScratch scratch_;
  std::optional<store::Store> store_;
  NullObserver nobody_;
};

TEST_F(NewLayerTest, TheSameTarIsTheSameImageHoweverItIsCompressed) {
  const std::string tar = TarBuilder().directory("a").file("a/one", "1").bytes();
  const Digest id = import(tar);
  const auto view = merged_view(*store_, store_->get_image(id.text()));
  EXPECT_EQ(view.count("a/one"), 1U);
  EXPECT_EQ(import(compressed(tar, Compression::gzip)), id);
  EXPECT_EQ(import(compressed(tar, Compression::zstd)), id);
  EXPECT_THAT(store_->ingest().list(), IsEmpty());
}

TEST_F(NewLayerTest, GzipStaysAsItIs) {
  const std::string blob = compressed(TarBuilder().file("x", "1").bytes(), Compression::gzip);
  LocalImageSink sink(*store_, {}, {{}, nobody_});
  StringSource tar(blob);
  const NewLayer layer = sink.put_new_layer(tar);
  EXPECT_EQ(layer.descriptor.digest, Digest::of(blob));
  EXPECT_EQ(layer.descriptor.size, blob.size());
}

TEST_F(NewLayerTest, ABlobThatIsThereOrOnItsWayIsUsed) {
  const std::string tar = TarBuilder().file("x", "1").bytes();
  const std::string blob = compressed(tar, Compression::gzip);
  const Descriptor descriptor{"", Digest::of(blob), blob.size()};
  // What a fetch that died has left of it, right or wrong.
  for (const std::string& kept : {blob.substr(0, 10), std::string(10, 'z'), std::string()}) {
    auto writer = store::BlobWriter::claim(*store_, descriptor);
    ASSERT_TRUE(writer);
    writer->write(as_bytes(kept));
    writer->set_leave(store::Leave::bytes);
    writer.reset();
    const Digest id = import(blob);
    EXPECT_EQ(import(blob), id);  // and now it is there
    EXPECT_EQ(store_->read_blob(descriptor.digest), blob);
    store_->remove_image(id);
    EXPECT_THAT(store_->ingest().list(), IsEmpty());
  }
}

TEST_F(NewLayerTest, RefusesWhatIsNoWholeTar) {
  const std::string tar = TarBuilder().file("one", "1").file("two", "2").bytes();
  EXPECT_THAT(refusal(""), HasSubstr("nothing in it"));
  EXPECT_THAT(refusal("no tar at all"), HasSubstr("tar"));
  EXPECT_THAT(refusal(tar.substr(0, 1300)), HasSubstr("tar"));
  // Between two members: to a reader of tars nothing is missing.
  EXPECT_THAT(refusal(tar.substr(0, 1024)), HasSubstr("cut short"));
  EXPECT_THAT(refusal(compressed(tar.substr(0, 1024), Compression::gzip)), HasSubstr("cut short"));
  EXPECT_THAT(refusal(compressed(tar, Compression::gzip).substr(0, 60)), HasSubstr("gzip"));
  const std::string twice = compressed(compressed(tar, Compression::gzip), Compression::zstd);
  EXPECT_THAT(refusal(twice), HasSubstr("compressed twice"));
  EXPECT_THAT(refusal(compressed(compressed(tar, Compression::zstd), Compression::gzip)),
              HasSubstr("compressed twice"));
  EXPECT_THAT(refusal("BZh91AY&SY"), HasSubstr("bzip2"));
  EXPECT_THAT(store_->list_images(), IsEmpty());
}

TEST_F(NewLayerTest, AnEmptyTarIsAnEmptyImage) {
  const Digest id = import(TarBuilder().bytes());
  EXPECT_THAT(merged_view(*store_, store_->get_image(id.text())),
              testing::ElementsAre(testing::Pair("/", testing::_)));
}

TEST_F(NewLayerTest, RefusesNamesThatLeaveTheRoot) {
  EXPECT_THAT(refusal(TarBuilder().file("../x", "1").bytes()), HasSubstr("../x"));
  EXPECT_THAT(refusal(TarBuilder().hardlink("x", "../../etc/passwd").bytes()), HasSubstr(".."));
}

TEST_F(NewLayerTest, AStopEndsItAndLeavesNothing) {
  std::stop_source stop;
  LocalImageSink sink(*store_, {}, {stop.get_token(), nobody_});
  StoppingSource tar(TarBuilder().file("x", std::string(100'000, 'x')).bytes(), stop);
  EXPECT_THROW(sink.put_new_layer(tar), Cancelled);
  EXPECT_THAT(store_->ingest().list(), IsEmpty());
  EXPECT_THAT(store_->staging().list(), IsEmpty());
}

}  // namespace
}  // namespace lade::test
