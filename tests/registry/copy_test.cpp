#include "registry/copy.hpp"

#include "base/concurrency.hpp"
#include "base/text.hpp"
#include "oci/media_type.hpp"
#include "tests/registry/fixture.hpp"
#include "tests/registry/memory_places.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <map>

namespace lade::registry {
namespace {

using test::error_reply;
using test::FakeRegistry;
using test::HttpReply;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Adds up what it hears.
class CountingObserver final : public Observer {
 public:
  TaskId begin(TaskKind, std::string_view, std::optional<std::uint64_t> total) noexcept override {
    auto state = state_.lock();
    state->push_back({total.value_or(0), 0, {}});
    return state->size() - 1;
  }
  void advance(TaskId id, std::uint64_t bytes) noexcept override {
    auto state = state_.lock();
    EXPECT_LE(bytes, (*state)[id].total - (*state)[id].seen);
    (*state)[id].seen += bytes;
  }
  void end(TaskId id, Outcome outcome) noexcept override { (*state_.lock())[id].outcome = outcome; }
  void note(NoteLevel, std::string_view) noexcept override {}

  struct Seen {
    std::uint64_t total;
    std::uint64_t seen;
    std::optional<Outcome> outcome;
  };
  std::vector<Seen> tasks() { return *state_.lock(); }

 private:
  Sync<std::vector<Seen>> state_;
};

const Platform k_amd64{"linux", "amd64", "", ""};

std::string index_entry(const Descriptor& manifest, const std::string& architecture) {
  return str(R"({"mediaType":")", manifest.media_type, R"(","digest":")", manifest.digest.text(),
             R"(","size":)", manifest.size, R"(,"platform":{"os":"linux","architecture":")",
             architecture, R"("}})");
}

std::string index_of(const std::vector<std::string>& entries) {
  return str(R"({"schemaVersion":2,"mediaType":")", media_type::oci_index, R"(","manifests":[)",
             join(entries, ","), "]}");
}

class CopyTest : public testing::Test {
 protected:
  Descriptor add_index(const std::string& tag, const std::vector<std::string>& entries) {
    return fake_.add_manifest("app", tag, index_of(entries), std::string(media_type::oci_index));
  }
  CopyResult copy(const std::string& tag, std::size_t jobs = 2) {
    return copy_image(source_, sink_,
                      {.source_key = tag,
                       .sink_key = "copied",
                       .platform = k_amd64,
                       .instances = instances_,
                       .jobs = jobs,
                       .retry = {.first_delay = std::chrono::milliseconds(1)}},
                      {{}, observer_});
  }

  FakeRegistry fake_;
  Repository source_{fake_.reference("app"), fake_options()};
  MemorySink sink_;
  CountingObserver observer_;
  Instances instances_;
};

TEST_F(CopyTest, CopiesBlobsThenManifestThenCommits) {
  const Descriptor image = fake_.add_image("app", "1", "{config}", {"one", "two"});
  const CopyResult result = copy("1");
  EXPECT_EQ(result.source.digest, image.digest);
  EXPECT_EQ(result.blobs_fetched, 3u);
  EXPECT_EQ(result.bytes_fetched, 14u);
  EXPECT_EQ(sink_.state()->blobs.at(Digest::of("two")), "two");
  EXPECT_THAT(sink_.state()->events, ElementsAre("blob", "blob", "blob", "manifest", "commit"));
  ASSERT_EQ(sink_.state()->manifests.size(), 1u);
  EXPECT_EQ(sink_.state()->manifests[0].first, "copied");
  EXPECT_EQ(sink_.state()->manifests[0].second.bytes, result.manifest.bytes);
}

TEST_F(CopyTest, AnImageWithoutLayersIsAnImage) {
  fake_.add_image("app", "1", "{}", {});
  EXPECT_EQ(copy("1").blobs_fetched, 1u);
}

TEST_F(CopyTest, EqualLayersAreFetchedOnce) {
  fake_.add_image("app", "1", "{}", {"same", "same", "other"});
  EXPECT_EQ(copy("1").blobs_fetched, 3u);
  EXPECT_EQ(fake_.requests_for("/blobs/").size(), 3u);
}

TEST_F(CopyTest, WhatTheSinkHasIsNotFetched) {
  fake_.add_image("app", "1", "{}", {"one", "two"});
  sink_.state()->blobs[Digest::of("one")] = "one";
  const CopyResult result = copy("1");
  EXPECT_EQ(result.blobs_fetched, 2u);
  EXPECT_EQ(result.blobs_reused, 1u);
  EXPECT_EQ(fake_.requests_for("/blobs/").size(), 2u);
}

TEST_F(CopyTest, FollowsIndexesAndKeepsThem) {
  const Descriptor arm = fake_.add_image("app", "", "{arm}", {"arm"});
  const Descriptor amd = fake_.add_image("app", "", "{amd}", {"amd"});
  const Descriptor inner = add_index("", {index_entry(arm, "arm64"), index_entry(amd, "amd64")});
  const Descriptor outer = add_index("1", {index_entry(inner, "amd64")});
  instances_.which = Instances::Which::with_lists;
  EXPECT_EQ(copy("1").manifest.digest, outer.digest);
  EXPECT_FALSE(sink_.state()->blobs.contains(Digest::of("arm")));
  std::vector<std::string> keys;
  for (const auto& [key, manifest] : sink_.state()->manifests) keys.push_back(key);
  EXPECT_THAT(keys, ElementsAre(amd.digest.text(), inner.digest.text(), "copied"));
}

TEST_F(CopyTest, NoFittingPlatformListsTheOthers) {
  const Descriptor image = fake_.add_image("app", "", "{}", {});
  add_index("1", {index_entry(image, "arm64"), index_entry(image, "s390x")});
  const auto error = error_of<NotFound>([&] { copy("1"); });
  EXPECT_THAT(error.what(), HasSubstr("`linux/amd64`"));
  EXPECT_THAT(error.what(), HasSubstr("linux/arm64, linux/s390x"));
  EXPECT_THAT(sink_.state()->events, IsEmpty());
}

TEST_F(CopyTest, IndexesDoNotNestForEver) {
  Descriptor inner = fake_.add_image("app", "", "{}", {});
  for (int i = 0; i < 6; ++i) inner = add_index("1", {index_entry(inner, "amd64")});
  EXPECT_THROW(copy("1"), InvalidData);
}

TEST_F(CopyTest, AnEntryOfAnotherSizeIsRefused) {
  Descriptor image = fake_.add_image("app", "", "{}", {});
  image.size += 1;
  add_index("1", {index_entry(image, "amd64")});
  EXPECT_THROW(copy("1"), Refused);
}

TEST_F(CopyTest, OtherManifestsAreRefusedByName) {
  fake_.add_manifest("app", "1", R"({"schemaVersion":1,"fsLayers":[],"history":[]})",
                     std::string(media_type::docker_schema1));
  EXPECT_THROW(copy("1"), InvalidData);
}

TEST_F(CopyTest, ABlobIsRetriedByItself) {
  const std::string layer(200'000, 'x');
  fake_.add_image("app", "1", "{}", {layer, "other"});
  const auto cut = [](HttpReply& reply) { reply.cut_after = 150'000; };
  fake_.alter(str("/blobs/", Digest::of(layer).text()), cut, 2);
  EXPECT_EQ(copy("1").blobs_fetched, 3u);
  const auto asked = fake_.requests_for(Digest::of(layer).text());
  ASSERT_EQ(asked.size(), 2u) << "the second answer has but the 50,000 bytes that were missing";
  EXPECT_EQ(asked[0].header("range"), "");
  EXPECT_EQ(asked[1].header("range"), "bytes=150000-");
  for (const auto& task : observer_.tasks()) {
    EXPECT_EQ(task.seen, task.total) << "bytes of a retry count once";
    EXPECT_EQ(task.outcome, Outcome::done);
  }
}

TEST_F(CopyTest, AFaultThatStaysIsNamed) {
  fake_.add_image("app", "1", "{}", {"layer"});
  const std::string digest = Digest::of("layer").text();
  fake_.script("/blobs/" + digest, error_reply(503, "UNAVAILABLE", "down"), 100);
  const auto error = error_of<HttpError>([&] { copy("1"); });
  EXPECT_THAT(error.what(), HasSubstr(str("fetch layer `", digest, "` (5 B): GET `")));
  EXPECT_EQ(fake_.requests_for(digest).size(), 3u);
}

TEST_F(CopyTest, WrongBytesAreRefusedAndNothingIsCommitted) {
  fake_.add_image("app", "1", "{}", {"layer"});
  const std::string part = "/blobs/" + Digest::of("layer").text();
  fake_.alter(
      part, [](HttpReply& reply) { reply.body = "Layer"; }, 100);
  const auto error = error_of<Refused>([&] { copy("1"); });
  EXPECT_THAT(error.what(), HasSubstr("does not match its digest"));
  EXPECT_EQ(fake_.requests_for(part).size(), 1u) << "wrong bytes are not asked for again";
  EXPECT_THAT(sink_.state()->manifests, IsEmpty());
}

TEST_F(CopyTest, MoreBytesThanAnnouncedAreRefused) {
  fake_.add_image("app", "1", "{}", {"layer"});
  fake_.alter("/blobs/" + Digest::of("layer").text(), [](HttpReply& reply) {
    reply.body += "and more";
    reply.without_length = true;
  });
  EXPECT_THROW(copy("1"), Refused);
}

TEST_F(CopyTest, OneDigestWithTwoSizesIsRefused) {
  const Descriptor blob = fake_.add_blob("x");
  const auto entry = [&](int size) {
    return str(R"({"mediaType":"a/b","digest":")", blob.digest.text(), R"(","size":)", size, "}");
  };
  fake_.add_manifest(
      "app", "1",
      str(R"({"schemaVersion":2,"config":)", entry(1), R"(,"layers":[)", entry(2), "]}"),
      std::string(media_type::oci_manifest));
  EXPECT_THROW(copy("1"), InvalidData);
}

TEST_F(CopyTest, ManyLayersInParallel) {
  std::vector<std::string> layers;
  for (int i = 0; i < 60; ++i) {
    layers.push_back(str("layer ", i, std::string(static_cast<std::size_t>(i) * 1000, 'x')));
  }
  fake_.add_image("app", "1", "{}", layers);
  EXPECT_EQ(copy("1", 8).blobs_fetched, 61u);
  EXPECT_LE(fake_.connections(), 12u) << "workers keep their connections";
}

TEST_F(CopyTest, ReadsASmallBlob) {
  const Descriptor config = fake_.add_blob("{config}");
  const Job job{{}, observer_};
  EXPECT_EQ(read_blob(source_, config, 100, job), "{config}");
  EXPECT_THROW(read_blob(source_, config, 7, job), InvalidData);
  fake_.alter("/blobs/", [](HttpReply& reply) { reply.body[0] = 'x'; });
  EXPECT_THROW(read_blob(source_, config, 100, job), Refused);
}

TEST_F(CopyTest, StopsWhenAsked) {
  fake_.add_image("app", "1", "{}", {"layer"});
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW(copy_image(source_, sink_, {.source_key = "1", .sink_key = "x", .platform = k_amd64},
                          {stop.get_token(), observer_}),
               Cancelled);
  EXPECT_THAT(sink_.state()->events, IsEmpty());
}

}  // namespace
}  // namespace lade::registry
