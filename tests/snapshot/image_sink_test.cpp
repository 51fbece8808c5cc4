// Images on their way into the store: what becomes visible, what is refused, what is left behind.
#include "snapshot/image_sink.hpp"

#include "store/blob_writer.hpp"
#include "store/database.hpp"
#include "tests/snapshot/harness.hpp"

#include <gmock/gmock.h>
#include <sched.h>
#include <sys/mount.h>
#include <zlib.h>

#include <chrono>
#include <exception>
#include <functional>
#include <future>
#include <mutex>
#include <optional>
#include <thread>

namespace lade::test {
namespace {

using snapshot::LocalImageSink;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TestImage two_layers() {
  return TestImage({TarBuilder().directory("a").file("a/one", "1").bytes(),
                    TarBuilder().directory("a").file("a/two", "2").bytes()});
}

class ImageSinkTest : public testing::Test {
 protected:
  void SetUp() override { LADE_NEEDS_ROOT(); }

  std::string root() const { return scratch_.path() + "/store"; }

  /// That the pull fails with this error, names the cause, and leaves the store as it was.
  template <class Failure>
  void expect_refusal(const TestImage& image, const std::string& part) {
    auto store = store::Store::open(root());
    const auto before = leftovers(store);
    try {
      pull(store, image);
      ADD_FAILURE() << "accepted; expected: " << part;
    } catch (const Failure& error) {
      EXPECT_THAT(error.what(), HasSubstr(part));
    }
    EXPECT_EQ(leftovers(store), before);
    EXPECT_THAT(store.list_images(), testing::SizeIs(before.empty() ? 0 : 1));
    const TestImage good = two_layers();
    EXPECT_EQ(merged_view(store, pull(store, good, "good")).count("a/two"), 1U);
  }

  StoreScratch scratch_;
};

TEST_F(ImageSinkTest, CommitMakesTheImageVisibleToOthersAtOnce) {
  auto store = store::Store::open(root());
  auto other = store::Store::open(root());
  const TestImage image = two_layers();
  NullObserver nobody;
  LocalImageSink sink(store, {Reference::parse("alpine:3.20")}, {{}, nobody});
  put_all(sink, image);
  EXPECT_THAT(other.list_images(), IsEmpty());
  EXPECT_THAT(other.blobs().list(), IsEmpty());
  EXPECT_THAT(other.layers().list(), IsEmpty());
  sink.commit();

  const auto found = other.get_image("alpine:3.20");
  EXPECT_EQ(found.id, image.config_descriptor.digest);
  EXPECT_EQ(other.read_config(found), image.config);
  EXPECT_EQ(other.read_manifest(found).bytes, image.manifest);
  EXPECT_EQ(found.size, image.tars[0].size() + image.tars[1].size() + image.config.size() +
                            image.manifest.size());
  ASSERT_EQ(found.digests.size(), 1U);
  EXPECT_EQ(found.digests[0].text(),
            "docker.io/library/alpine@" + Digest::of(image.manifest).text());
  EXPECT_EQ(other.layers().list().size(), 2U);
}

TEST_F(ImageSinkTest, WithoutCommitNothingRemains) {
  auto store = store::Store::open(root());
  {
    NullObserver nobody;
    LocalImageSink sink(store, {}, {{}, nobody});
    put_all(sink, two_layers());
    EXPECT_THAT(leftovers(store), testing::Not(IsEmpty()));
  }
  EXPECT_THAT(leftovers(store), IsEmpty());
}

TEST_F(ImageSinkTest, BytesThatDoNotMatchTheirDigest) {
  TestImage image = two_layers();
  image.blobs[1][600] ^= 1;  // in the data of the layer's file
  expect_refusal<Refused>(image, Digest::of(image.tars[1]).text());
}

TEST_F(ImageSinkTest, BytesThatAreNeitherTheBlobNorATar) {
  TestImage image = two_layers();
  image.blobs[0].assign(image.blobs[0].size(), 'x');
  // The digest is what is wrong; that such bytes are no tar is no news.
  expect_refusal<Refused>(image, Digest::of(image.tars[0]).text());
}

TEST_F(ImageSinkTest, ABlobThatIsTooShort) {
  TestImage image = two_layers();
  image.blobs[0].resize(image.blobs[0].size() - 512);
  expect_refusal<Refused>(image, Digest::of(image.tars[0]).text());
}

TEST_F(ImageSinkTest, ABlobThatIsTooLong) {
  TestImage image = two_layers();
  image.blobs[0] = image.tars[0] + "more";
  expect_refusal<Refused>(image, Digest::of(image.tars[0]).text());
}

TEST_F(ImageSinkTest, ALayerThatIsNotATar) {
  TestImage image = two_layers();
  image.tars[1] = image.blobs[1] = "this is not a tar, but it has the right digest";
  image.seal();
  expect_refusal<InvalidData>(image, "layer is not a tar archive");
}

TEST_F(ImageSinkTest, AWrongDiffId) {
  TestImage image = two_layers();
  image.tars[1] += std::string(512, '\0');  // what the config is made from
  image.seal();
  expect_refusal<Refused>(image, Digest::of(image.tars[1]).text());
}

TEST_F(ImageSinkTest, ALayerThatIsHereDoesNotVouchForAnotherBlob) {
  {
    auto store = store::Store::open(root());
    pull(store, two_layers(), "good");
  }
  TestImage image = two_layers();
  image.blobs[1] = TarBuilder().file("other", "3").bytes();
  image.seal();
  expect_refusal<Refused>(image, Digest::of(image.tars[1]).text());
}

/// An image whose blobs and layers are all in the store, paired as nobody ever saw them.
TestImage paired_wrongly(const TestImage& good, const std::string& other_blob) {
  TestImage image = good;
  image.blobs[1] = other_blob;
  image.seal();
  return image;
}

TEST_F(ImageSinkTest, ALayerAndABlobThatAreBothHereDoNotMakeAPair) {
  const TestImage good = two_layers();
  const TestImage other({TarBuilder().file("other", "3").bytes()});
  {
    auto store = store::Store::open(root());
    pull(store, good, "good");
    pull(store, other, "other");
  }
  for (const std::string& blob : {other.blobs[0], good.blobs[0], good.config, good.manifest}) {
    auto store = store::Store::open(root());
    const TestImage image = paired_wrongly(good, blob);
    NullObserver nobody;
    LocalImageSink sink(store, {Reference::parse("hostile")}, {{}, nobody});
    for (const Descriptor& layer : image.layers) EXPECT_TRUE(sink.has_blob(layer));
    put_all(sink, image);
    EXPECT_THROW(sink.commit(), Refused);
    EXPECT_FALSE(store.find_image("hostile"));
  }
}

TEST_F(ImageSinkTest, NorDoTheyInAStoreThatDidNotRemember) {
  const TestImage good = two_layers();
  const TestImage other({TarBuilder().file("other", "3").bytes()});
  auto store = store::Store::open(root());
  pull(store, good, "good");
  pull(store, other, "other");
  store::Database::open(root() + "/index.db").execute("UPDATE blobs SET diff_id = NULL");
  EXPECT_THROW(pull(store, paired_wrongly(good, other.blobs[0]), "hostile"), Refused);
  EXPECT_FALSE(store.find_diff_id(good.layers[1].digest));
  // What is right is looked at once, and remembered.
  pull(store, good, "again");
  EXPECT_EQ(store.find_diff_id(good.layers[1].digest), DiffId{Digest::of(good.tars[1])});
}

TEST_F(ImageSinkTest, ALayerOfAnUnknownTypeIsLookedAtToo) {
  const TestImage good = two_layers();
  auto store = store::Store::open(root());
  pull(store, good, "good");
  TestImage image = good;
  image.blobs[1] = "no layer at all";
  image.seal();
  const std::string type(media_type::oci_layer);
  image.manifest.replace(image.manifest.rfind(type), type.size(), "application/x-unknown");
  image.layers[1].media_type = "application/x-unknown";
  EXPECT_THROW(pull(store, image, "hostile"), Refused);
}

TEST_F(ImageSinkTest, OneBlobIsNotTwoLayers) {
  TestImage image = two_layers();
  image.blobs[1] = image.blobs[0];
  image.seal();
  expect_refusal<Refused>(image, Digest::of(image.tars[1]).text());
}

TEST_F(ImageSinkTest, MoreLayersThanDiffIds) {
  TestImage image = two_layers();
  const TestImage one({image.tars[0]});
  image.manifest.replace(image.manifest.find(image.config_descriptor.digest.text()), 71,
                         one.config_descriptor.digest.text());
  const auto size = str("\"size\":", image.config.size());
  image.manifest.replace(image.manifest.find(size), size.size(),
                         str("\"size\":", one.config.size()));
  image.config = one.config;
  image.config_descriptor = one.config_descriptor;
  expect_refusal<InvalidData>(image, "the manifest has 2 layers, the config 1");
}

TEST_F(ImageSinkTest, AManifestUnderAnotherDigest) {
  auto store = store::Store::open(root());
  NullObserver nobody;
  LocalImageSink sink(store, {}, {{}, nobody});
  const TestImage image = two_layers();
  EXPECT_THROW(sink.put_manifest(image.raw(), Digest::of("something else")), Refused);
  RawManifest lying = image.raw();
  lying.bytes += ' ';
  EXPECT_THROW(sink.put_manifest(lying, std::string("latest")), Refused);
}

TEST_F(ImageSinkTest, CompressedLayersAndTheSameBlobTwice) {
  TestImage image = two_layers();
  image.tars.push_back(image.tars[0]);
  image.blobs.push_back(image.blobs[0]);
  for (std::string& blob : image.blobs) {
    z_stream stream{};
    deflateInit2(&stream, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY);
    std::string out(1 << 16, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(blob.data());
    stream.avail_in = static_cast<uInt>(blob.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    deflate(&stream, Z_FINISH);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    blob = out;
  }
  image.seal();
  auto store = store::Store::open(root());
  EXPECT_EQ(merged_view(store, pull(store, image)).count("a/one"), 1U);
  EXPECT_EQ(store.layers().list().size(), 2U);
}

TEST_F(ImageSinkTest, BlobsAreTakenFromSeveralThreads) {
  auto store = store::Store::open(root());
  std::vector<std::string> tars;
  for (int i = 0; i < 16; ++i) {
    tars.push_back(TarBuilder().file(str("f", i), std::string(100000, 'x')).bytes());
  }
  const TestImage image(tars);
  NullObserver nobody;
  LocalImageSink sink(store, {Reference::parse("many")}, {{}, nobody});
  put(sink, image.config_descriptor, image.config);
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {  // every thread every blob: one of them writes it
        for (std::size_t i = 0; i < 16; ++i) put(sink, image.layers[i], image.blobs[i]);
      });
    }
  }
  sink.put_manifest(image.raw(), std::string("latest"));
  sink.commit();
  EXPECT_EQ(merged_view(store, store.get_image("many")).size(), 17U);
}

TEST_F(ImageSinkTest, OneThreadClaimsABlobAndAnotherWritesIt) {
  auto store = store::Store::open(root());
  NullObserver nobody;
  for (int round = 0; round < 12; ++round) {
    const std::string bytes = str("round ", round);
    const Descriptor blob{std::string(media_type::oci_config), Digest::of(bytes), bytes.size()};
    LocalImageSink sink(store, {}, {{}, nobody});
    // Somebody else has it for a moment, so that both wait; whichever of them is next gets it.
    auto other = store::BlobWriter::claim(store, blob, {}, {});
    const auto put_bytes = [&] {
      StringSource source(bytes);
      VerifiedSource verified(source, blob);
      sink.put_blob(blob, verified);
    };
    std::jthread claims([&] {
      if (sink.begin_blob(blob, {})) put_bytes();
    });
    std::jthread writes([&] {
      // After the other one has seen that nobody writes it.
      std::this_thread::sleep_for(std::chrono::milliseconds(8));
      put_bytes();
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(16));
    other.reset();
    claims.join();
    writes.join();
    EXPECT_TRUE(sink.has_blob(blob));
  }
}

TEST_F(ImageSinkTest, ABlobThatIsHereIsUnpackedWhereItsLayerIsMissing) {
  auto store = store::Store::open(root());
  const TestImage image = two_layers();
  pull(store, image, "first");
  // The layer's directory is gone, as after a cleaning-up by hand; its blob and its row are there.
  store.discard(store.layers(), Digest::of(image.tars[0]).hex());
  EXPECT_EQ(merged_view(store, pull(store, image, "again")).count("a/one"), 1U);
}

TEST_F(ImageSinkTest, AnInterruptedPullLeavesOnlyWhatTheNextOneContinues) {
  auto store = store::Store::open(root());
  const TestImage image = two_layers();
  {
    std::stop_source stop;
    NullObserver nobody;
    LocalImageSink sink(store, {Reference::parse("x")}, {stop.get_token(), nobody});
    put_all(sink, image);
    stop.request_stop();
    EXPECT_THROW(sink.commit(), Cancelled);
  }
  EXPECT_THAT(store.ingest().list(), testing::SizeIs(4)) << "layers, config and manifest";
  EXPECT_THAT(store.blobs().list(), IsEmpty());
  EXPECT_THAT(store.staging().list(), IsEmpty());
  EXPECT_THAT(store.list_images(), IsEmpty());
  EXPECT_EQ(merged_view(store, pull(store, image)).count("a/two"), 1U);
  EXPECT_THAT(store.ingest().list(), IsEmpty());
}

/// Gives some bytes, then ends as told.
class BreakingSource final : public Source {
 public:
  BreakingSource(std::string bytes, std::exception_ptr end)
      : inner_(std::move(bytes)), end_(std::move(end)) {}
  std::size_t read(std::span<std::byte> buffer) override {
    const std::size_t count = inner_.read(buffer);
    if (count == 0) std::rethrow_exception(end_);
    return count;
  }

 private:
  StringSource inner_;
  std::exception_ptr end_;
};

/// A pull whose first layer breaks off with `failure` after 600 bytes.
void pull_breaking(store::Store& store, const TestImage& image, const std::exception_ptr& failure) {
  NullObserver nobody;
  LocalImageSink sink(store, {Reference::parse("x")}, {{}, nobody});
  put(sink, image.config_descriptor, image.config);
  ASSERT_TRUE(sink.begin_blob(image.layers[0], {}));
  BreakingSource broken(image.blobs[0].substr(0, 600), failure);
  VerifiedSource verified(broken, image.layers[0]);
  EXPECT_ANY_THROW(sink.put_blob(image.layers[0], verified));
}

TEST_F(ImageSinkTest, ABlobThatBrokeOffIsContinued) {
  const TestImage image = two_layers();
  const auto network =
      std::make_exception_ptr(HttpError({.retryable = true}, "the connection broke"));
  for (const auto& failure : {network, std::make_exception_ptr(Cancelled())}) {
    auto store = store::Store::open(root());
    pull_breaking(store, image, failure);
    EXPECT_THAT(store.staging().list(), IsEmpty());

    NullObserver nobody;
    LocalImageSink sink(store, {Reference::parse("x")}, {{}, nobody});
    const auto config = sink.begin_blob(image.config_descriptor, {});
    ASSERT_TRUE(config);
    EXPECT_EQ(config->size, image.config.size()) << "what was whole is there as a whole";
    auto layer = sink.begin_blob(image.layers[0], {});
    ASSERT_TRUE(layer);
    ASSERT_EQ(layer->size, 600U);
    EXPECT_EQ(read_all(*layer->bytes, 1000, "kept"), image.blobs[0].substr(0, 600));
    StringSource whole(image.blobs[0]);
    VerifiedSource verified(whole, image.layers[0]);
    sink.put_blob(image.layers[0], verified);
    put(sink, image.layers[1], image.blobs[1]);
    put(sink, image.config_descriptor, image.config);
    sink.put_manifest(image.raw(), std::string("latest"));
    sink.commit();
    const auto found = store.get_image("x");
    EXPECT_EQ(merged_view(store, found).count("a/one"), 1U);
    EXPECT_THAT(store.ingest().list(), IsEmpty());
    store.remove_image(found.id);
  }
}

TEST_F(ImageSinkTest, NothingIsKeptAfterWrongBytesOrAFullDisk) {
  const TestImage image = two_layers();
  for (const auto& failure : {std::make_exception_ptr(Refused("not its digest")),
                              std::make_exception_ptr(SystemError(ENOSPC, "write"))}) {
    auto store = store::Store::open(root());
    pull_breaking(store, image, failure);
    EXPECT_THAT(leftovers(store), IsEmpty());
  }
}

TEST_F(ImageSinkTest, NothingIsKeptOfAPullThatWasInterruptedAndSpoilt) {
  auto store = store::Store::open(root());
  const TestImage image = two_layers();
  NullObserver nobody;
  {
    LocalImageSink sink(store, {Reference::parse("x")}, {{}, nobody});
    put(sink, image.layers[0], image.blobs[0]);
    BreakingSource broken(image.config.substr(0, 9),
                          std::make_exception_ptr(HttpError({.status = 502}, "broke off")));
    EXPECT_THROW(sink.put_blob(image.config_descriptor, broken), HttpError);
    StringSource wrong(std::string(image.layers[1].size, 'x'));
    VerifiedSource verified(wrong, image.layers[1]);
    EXPECT_THROW(sink.put_blob(image.layers[1], verified), Error);
  }
  EXPECT_THAT(leftovers(store), IsEmpty());
}

TEST_F(ImageSinkTest, NothingIsKeptWhereABlobCouldNotBeBegun) {
  auto store = store::Store::open(root());
  const TestImage image = two_layers();
  NullObserver nobody;
  {
    LocalImageSink sink(store, {Reference::parse("x")}, {{}, nobody});
    put(sink, image.layers[0], image.blobs[0]);
    BreakingSource broken(image.config.substr(0, 9),
                          std::make_exception_ptr(HttpError({.status = 502}, "broke off")));
    EXPECT_THROW(sink.put_blob(image.config_descriptor, broken), HttpError);
    store.ingest().ensure_child(image.layers[1].digest.hex(), 0700);  // in the place of a file
    EXPECT_THROW(sink.begin_blob(image.layers[1], {}), Error);
    store.ingest().remove_tree(image.layers[1].digest.hex());
  }
  EXPECT_THAT(leftovers(store), IsEmpty());
}

TEST_F(ImageSinkTest, ACommitThatTheIndexRefusesTakesItsFilesBack) {
  auto store = store::Store::open(root());
  store::Database::open(root() + "/index.db")
      .execute("CREATE TRIGGER no BEFORE INSERT ON images BEGIN SELECT RAISE(ABORT, 'no'); END");
  EXPECT_THROW(pull(store, two_layers()), Error);
  EXPECT_THAT(leftovers(store), IsEmpty());
}

TEST_F(ImageSinkTest, APullCommitsUnderTheCommitLock) {
  auto store = store::Store::open(root());
  const TestImage image = two_layers();
  NullObserver nobody;
  LocalImageSink sink(store, {Reference::parse("x")}, {{}, nobody});
  put_all(sink, image);
  std::optional<store::CommitLock> lock(std::in_place, store.root());
  auto committed = std::async(std::launch::async, [&] { sink.commit(); });
  // However long it takes: it does not end before the lock does.
  EXPECT_EQ(committed.wait_for(std::chrono::milliseconds(100)), std::future_status::timeout);
  EXPECT_THAT(store.layers().list(), IsEmpty());
  lock.reset();
  committed.get();
}

/// Another process's removal and gc, at the moment when a pull has found what it needs.
TEST_F(ImageSinkTest, WhatAPullHasFoundIsNotTakenFromUnderIt) {
  auto store = store::Store::open(root());
  auto other = store::Store::open(root());
  const TestImage image = two_layers();
  pull(store, image, "first");
  NullObserver nobody;
  LocalImageSink sink(other, {Reference::parse("second")}, {{}, nobody});
  put_all(sink, image);  // all of it is here
  store.remove_image(store.get_image("first").id);
  store.collect();
  sink.commit();
  EXPECT_EQ(merged_view(store, store.get_image("second")).count("a/two"), 1U);
}

TEST_F(ImageSinkTest, NorIsALayerThatItBuildsOn) {
  struct Intruder final : Observer {
    explicit Intruder(std::function<void()> what) : intrude(std::move(what)) {}
    TaskId begin(TaskKind kind, std::string_view, std::optional<std::uint64_t>) noexcept override {
      if (kind == TaskKind::unpack) intrude();
      return 0;
    }
    void advance(TaskId, std::uint64_t) noexcept override {}
    void end(TaskId, Outcome) noexcept override {}
    void note(NoteLevel, std::string_view) noexcept override {}
    std::function<void()> intrude;
  };
  auto store = store::Store::open(root());
  auto other = store::Store::open(root());
  const TestImage image = two_layers();
  pull(store, image, "first");
  store.discard(store.layers(), Digest::of(image.tars[1]).hex());
  // While the upper layer is unpacked again, the lower one has been found.
  int intrusions = 0;
  Intruder intruder([&] {
    ++intrusions;
    store.remove_image(store.get_image("first").id);
    store.collect();
    EXPECT_TRUE(store.layers().exists(Digest::of(image.tars[0]).hex()));
  });
  LocalImageSink sink(other, {Reference::parse("second")}, {{}, intruder});
  put_all(sink, image);
  sink.commit();
  EXPECT_EQ(intrusions, 1);
  EXPECT_EQ(merged_view(store, store.get_image("second")).count("a/two"), 1U);
}

TEST_F(ImageSinkTest, AWaitForAnotherPullThatIsEndedKeepsWhatCameBefore) {
  auto store = store::Store::open(root());
  const TestImage image = two_layers();
  NullObserver nobody;
  const auto other = store::BlobWriter::claim(store, image.layers[1]);
  {
    LocalImageSink sink(store, {Reference::parse("x")}, {{}, nobody});
    put(sink, image.layers[0], image.blobs[0]);
    // Not the stop of the whole pull: one of its blobs went wrong in a way that a later try mends.
    std::stop_source stop;
    stop.request_stop();
    EXPECT_THROW(sink.begin_blob(image.layers[1], stop.get_token()), Cancelled);
  }
  EXPECT_TRUE(store.ingest().exists(image.layers[0].digest.hex()));
}

TEST_F(ImageSinkTest, WhatAPowerCutLeftWithoutItsBytesIsFoundOut) {
  auto store = store::Store::open(root());
  const TestImage image = two_layers();
  const Descriptor& layer = image.layers[0];
  store.ingest().write_file(layer.digest.hex(), std::string(layer.size, '\0'), 0444);
  store.ingest().write_file(Digest::of(image.manifest).hex(),
                            std::string(image.manifest.size(), '\0'), 0444);
  {
    NullObserver nobody;
    LocalImageSink sink(store, {Reference::parse("x")}, {{}, nobody});
    auto kept = sink.begin_blob(layer, {});
    ASSERT_EQ(kept->size, layer.size);
    VerifiedSource zeros(*kept->bytes, layer);
    EXPECT_THROW(sink.put_blob(layer, zeros), Refused);
    const auto afresh = sink.begin_blob(layer, {});
    ASSERT_TRUE(afresh);
    EXPECT_EQ(afresh->size, 0U);
  }
  // The manifest comes with its bytes: no need to look at what is kept of it.
  EXPECT_EQ(merged_view(store, pull(store, image)).count("a/one"), 1U);
}

TEST_F(ImageSinkTest, ASecondPullOfABlobWaitsForTheFirstAndSaysSo) {
  auto store = store::Store::open(root());
  auto other = store::Store::open(root());
  const TestImage image = two_layers();
  NullObserver nobody;
  auto first = std::make_unique<LocalImageSink>(store, std::vector{Reference::parse("one")},
                                                Job{{}, nobody});
  ASSERT_TRUE(first->begin_blob(image.layers[0], {}));

  struct Listener final : Observer {
    TaskId begin(TaskKind, std::string_view, std::optional<std::uint64_t>) noexcept override {
      return 0;
    }
    void advance(TaskId, std::uint64_t) noexcept override {}
    void end(TaskId, Outcome) noexcept override {}
    void note(NoteLevel, std::string_view text) noexcept override {
      // It may wait for another one later.
      std::call_once(once, [&] {
        said = text;
        said_something.set_value();
      });
    }
    std::once_flag once;
    std::string said;
    std::promise<void> said_something;
  } listener;
  LocalImageSink second(other, {Reference::parse("two")}, {{}, listener});
  std::jthread waiting([&] { put_all(second, image); });
  listener.said_something.get_future().wait();
  StringSource bytes(image.blobs[0]);
  VerifiedSource verified(bytes, image.layers[0]);
  first->put_blob(image.layers[0], verified);
  EXPECT_EQ(listener.said, "waiting for another pull of `" + image.layers[0].digest.text() + "`");
  put_all(*first, image);
  first->commit();
  waiting.join();
  second.commit();
  EXPECT_EQ(store.get_image("one").id, store.get_image("two").id);
  EXPECT_EQ(merged_view(store, store.get_image("two")).count("a/two"), 1U);
  first.reset();
  EXPECT_THAT(store.ingest().list(), IsEmpty());
}

TEST_F(ImageSinkTest, TheTagMovesToTheNewImage) {
  auto store = store::Store::open(root());
  const auto first = pull(store, two_layers());
  const auto second = pull(store, TestImage({TarBuilder().file("x", "x").bytes()}));
  EXPECT_EQ(store.get_image("test").id, second.id);
  EXPECT_THAT(store.get_image(first.id.text()).names, IsEmpty());
}

TEST_F(ImageSinkTest, AnIndexBecomesADigestName) {
  auto store = store::Store::open(root());
  const TestImage image = two_layers();
  const std::string index =
      str(R"({"schemaVersion":2,"mediaType":")", media_type::oci_index,
          R"(","manifests":[{"mediaType":")", media_type::oci_manifest, R"(","digest":")",
          Digest::of(image.manifest).text(), R"(","size":)", image.manifest.size(), "}]}");
  NullObserver nobody;
  LocalImageSink sink(store, {Reference::parse("multi:1")}, {{}, nobody});
  put_all(sink, image);
  sink.put_manifest(RawManifest::make(index, std::string(media_type::oci_index)), std::string("1"));
  sink.commit();
  EXPECT_TRUE(store.find_image("multi@" + Digest::of(index).text()));
  EXPECT_TRUE(store.find_image("multi@" + Digest::of(image.manifest).text()));
  EXPECT_EQ(store.read_blob(Digest::of(index)), index);
}

TEST_F(ImageSinkTest, AFullDiskIsSaidInOneLineAndLeavesNothing) {
  const int status = in_child([&] {
    if (::unshare(CLONE_NEWNS) != 0) return 1;
    ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
    const std::string small = scratch_->ensure_child("small", 0755).path();
    if (::mount("lade-test", small.c_str(), "tmpfs", 0, "size=3m") != 0) return 2;
    auto store = store::Store::open(small + "/store");
    const TestImage image({TarBuilder().file("a", std::string(1 << 20, 'a')).bytes(),
                           TarBuilder().file("b", std::string(1 << 20, 'b')).bytes()});
    try {
      pull(store, image);
      return 3;
    } catch (const SystemError& error) {
      if (error.code() != ENOSPC) return 4;
      if (std::string(error.what()).find('\n') != std::string::npos) return 5;
    }
    if (!leftovers(store).empty()) return 6;
    return merged_view(store, pull(store, two_layers())).count("a/two") == 1 ? 0 : 7;
  });
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace lade::test
