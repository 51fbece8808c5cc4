// Pulls that share layers: each is unpacked once, and stays as long as one of them needs it.
#include "snapshot/image_sink.hpp"
#include "snapshot/staged_layer.hpp"
#include "tests/snapshot/harness.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <future>
#include <optional>
#include <thread>

namespace lade::test {
namespace {

using snapshot::LocalImageSink;
using snapshot::StagedLayer;
using testing::IsEmpty;
using testing::SizeIs;

std::string base_tar() {
  return TarBuilder().directory("a", 0700).file("a/base", "base").bytes();
}

/// The base, and a layer of its own upon it.
TestImage image_upon_base(const std::string& name) {
  return TestImage({base_tar(), TarBuilder().directory("own").file("own/" + name, name).bytes()});
}

/// Counts what is read of it.
class CountedSource final : public Source {
 public:
  CountedSource(std::string bytes, std::atomic<int>& reads)
      : inner_(std::move(bytes)), reads_(reads) {}
  std::size_t read(std::span<std::byte> buffer) override {
    ++reads_;
    return inner_.read(buffer);
  }

 private:
  StringSource inner_;
  std::atomic<int>& reads_;
};

class SharedLayerTest : public testing::Test {
 protected:
  void SetUp() override { LADE_NEEDS_ROOT(); }

  std::string root() const { return scratch_.path() + "/store"; }

  std::unique_ptr<LocalImageSink> sink(store::Store& store, const std::string& name) {
    return std::make_unique<LocalImageSink>(store, std::vector{Reference::parse(name)},
                                            Job{{}, nobody_});
  }

  StoreScratch scratch_;
  NullObserver nobody_;
};

TEST_F(SharedLayerTest, TwoPullsUnpackTheirBaseOnce) {
  auto store = store::Store::open(root());
  auto other = store::Store::open(root());
  const TestImage one = image_upon_base("one");
  const TestImage two = image_upon_base("two");
  auto first = sink(store, "one");
  auto second = sink(other, "two");
  put_all(*first, one);
  put_all(*second, two);
  EXPECT_THAT(store.staging().list(), SizeIs(3)) << "the base, and a layer of each";
  first->commit();
  second->commit();
  EXPECT_EQ(merged_view(store, store.get_image("one")).count("a/base"), 1U);
  EXPECT_EQ(merged_view(store, store.get_image("two")).count("own/two"), 1U);
  EXPECT_THAT(store.layers().list(), SizeIs(3));
  EXPECT_THAT(store.staging().list(), IsEmpty());
}

TEST_F(SharedLayerTest, OneThatIsGivenUpLeavesItToTheOther) {
  auto store = store::Store::open(root());
  auto other = store::Store::open(root());
  auto first = sink(store, "one");
  auto second = sink(other, "two");
  put_all(*first, image_upon_base("one"));
  put_all(*second, image_upon_base("two"));
  first.reset();
  EXPECT_THAT(store.staging().list(), SizeIs(2));
  second->commit();
  EXPECT_EQ(merged_view(store, store.get_image("two")).count("a/base"), 1U);
  auto third = sink(store, "three");
  put_all(*third, image_upon_base("three"));
  third.reset();
  EXPECT_THAT(store.staging().list(), IsEmpty()) << "the last one removes it";
}

TEST_F(SharedLayerTest, WhatTheFirstPublishedIsNotRemovedUnderTheSecond) {
  auto store = store::Store::open(root());
  auto other = store::Store::open(root());
  auto first = sink(store, "one");
  auto second = sink(other, "two");
  put_all(*first, image_upon_base("one"));
  put_all(*second, image_upon_base("two"));
  first->commit();
  store.remove_image(store.get_image("one").id);
  store.collect();
  EXPECT_TRUE(store.layers().exists(Digest::of(base_tar()).hex())) << "the second one's lease";
  second->commit();
  EXPECT_EQ(merged_view(store, store.get_image("two")).count("a/base"), 1U);
}

TEST_F(SharedLayerTest, WhatWasCommittedMeanwhileIsNotUnpackedAgain) {
  auto store = store::Store::open(root());
  auto other = store::Store::open(root());
  const TestImage one = image_upon_base("one");
  auto second = sink(other, "two");
  const TestImage two = image_upon_base("two");
  // The second one has taken hold of the blob when the first one has it whole.
  auto first = sink(store, "one");
  put_all(*first, one);
  auto kept = second->begin_blob(two.layers[0], {});
  ASSERT_EQ(kept->size, two.layers[0].size);
  first->commit();
  first.reset();
  VerifiedSource verified(*kept->bytes, two.layers[0]);
  second->put_blob(two.layers[0], verified);
  EXPECT_THAT(store.staging().list(), IsEmpty());
  put_all(*second, two);
  second->commit();
  EXPECT_EQ(merged_view(store, store.get_image("two")).count("a/base"), 1U);
}

TEST_F(SharedLayerTest, WhoeverWaitsReadsNothing) {
  const auto store = store::Store::open(root());
  store::Lease lease(store);
  const std::string tar = base_tar();
  const Digest digest = Digest::of(tar);
  std::atomic<int> reads = 0;
  std::vector<std::future<std::unique_ptr<StagedLayer>>> layers;
  for (int i = 0; i < 8; ++i) {
    layers.push_back(std::async(std::launch::async, [&] {
      CountedSource source(tar, reads);
      return StagedLayer::share(store, lease, digest, source, Job{{}, nobody_});
    }));
  }
  std::vector<std::unique_ptr<StagedLayer>> got;
  for (auto& layer : layers) got.push_back(layer.get());
  const int reads_of_one = [&] {
    std::atomic<int> count = 0;
    CountedSource source(tar, count);
    const StagedLayer alone(store, source, nullptr, {{}, nobody_});
    return count.load();
  }();
  EXPECT_LE(reads.load(), reads_of_one + 1);
  for (const auto& layer : got) {
    EXPECT_EQ(layer->applied().diff_id, DiffId{digest});
    EXPECT_TRUE(layer->tree().exists("a"));
  }
  got.clear();
  EXPECT_THAT(store.staging().list(), IsEmpty());
}

TEST_F(SharedLayerTest, ALayerUponOneThatGetsItsNameMeanwhileIsFinished) {
  const auto store = store::Store::open(root());
  store::Lease lease(store);
  const std::string tar = base_tar();
  const auto share = [&] {
    StringSource source(tar);
    return StagedLayer::share(store, lease, Digest::of(tar), source, {{}, nobody_});
  };
  const auto one = share();
  const auto two = share();
  const snapshot::ChainLink below = two->link();
  {
    const store::CommitLock lock(store.root());
    EXPECT_TRUE(one->publish());
    EXPECT_FALSE(two->publish());
  }
  const auto view = snapshot::open_chain({below}, snapshot::overlay_xattrs_of_process());
  EXPECT_TRUE(view->exists("a"));
}

TEST_F(SharedLayerTest, OneThatDependsOnWhatIsBelowIsNotShared) {
  auto store = store::Store::open(root());
  auto other = store::Store::open(root());
  const std::string tar = TarBuilder().file("a/upper", "upper").bytes();  // `a` as it is below
  const TestImage one({base_tar(), tar});
  const TestImage two({TarBuilder().directory("a", 0711).bytes(), tar});
  auto first = sink(store, "one");
  auto second = sink(other, "two");
  put_all(*first, one);
  put_all(*second, two);
  first->commit();
  second->commit();
  EXPECT_EQ(merged_view(store, store.get_image("one"))["a"], "dir 0700 0:0");
  EXPECT_EQ(merged_view(store, store.get_image("two"))["a"], "dir 0711 0:0");
  EXPECT_THAT(store.staging().list(), IsEmpty());
}

TEST_F(SharedLayerTest, NobodyGetsAnythingOfABlobWithAnotherDigest) {
  const auto store = store::Store::open(root());
  store::Lease lease(store);
  const std::string tar = base_tar();
  Descriptor wrong{std::string(media_type::oci_layer), Digest::of("other"), tar.size()};
  StringSource bytes(tar);
  VerifiedSource verified(bytes, wrong);
  EXPECT_THROW(StagedLayer::share(store, lease, wrong.digest, verified, {{}, nobody_}), Refused);
  EXPECT_THAT(store.staging().list(), IsEmpty());
}

}  // namespace
}  // namespace lade::test
