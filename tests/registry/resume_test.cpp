// Blobs that arrive in pieces: what is asked for again, and that the whole is right in the end.
#include "base/concurrency.hpp"
#include "base/text.hpp"
#include "registry/copy.hpp"
#include "registry/http.hpp"
#include "tests/registry/fixture.hpp"

#include <gmock/gmock.h>

#include <map>

namespace lade::registry {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::error_reply;
using test::FakeRegistry;
using test::HttpReply;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Keeps in memory what breaks off, as the store does on disk.
class KeepingSink final : public ImageSink {
 public:
  struct State {
    std::map<Digest, std::string> blobs;
    std::map<Digest, std::string> kept;
    int commits = 0;
  };

  bool has_blob(const Descriptor& descriptor) override {
    return state_.lock()->blobs.contains(descriptor.digest);
  }
  std::optional<KeptBytes> begin_blob(const Descriptor& descriptor,
                                      const std::stop_token&) override {
    const std::string kept = state_.lock()->kept[descriptor.digest];
    return KeptBytes{kept.size(), std::make_unique<StringSource>(kept)};
  }
  void put_blob(const Descriptor& descriptor, Source& bytes) override {
    StringSink text;
    try {
      pump(bytes, text);
    } catch (const Refused&) {
      state_.lock()->kept.erase(descriptor.digest);
      throw;
    } catch (...) {
      state_.lock()->kept[descriptor.digest] = text.text();
      throw;
    }
    state_.lock()->blobs[descriptor.digest] = text.text();
  }
  void put_manifest(const RawManifest&, const ManifestKey&) override {}
  void commit() override { ++state_.lock()->commits; }

  Sync<State>::Locked state() { return state_.lock(); }

 private:
  Sync<State> state_;
};

/// Keeps what is said.
class NotesObserver final : public Observer {
 public:
  TaskId begin(TaskKind, std::string_view, std::optional<std::uint64_t>) noexcept override {
    return 0;
  }
  void advance(TaskId, std::uint64_t) noexcept override {}
  void end(TaskId, Outcome) noexcept override {}
  void note(NoteLevel, std::string_view text) noexcept override {
    notes_.lock()->emplace_back(text);
  }
  std::vector<std::string> notes() { return *notes_.lock(); }

 private:
  Sync<std::vector<std::string>> notes_;
};

/// Bytes of which no two pieces are alike.
std::string noise(std::size_t size) {
  std::string text;
  for (std::uint32_t x = 1; text.size() < size; x = x * 1664525 + 1013904223) {
    text += static_cast<char>(x >> 24);
  }
  return text;
}

class ResumeTest : public testing::Test {
 protected:
  explicit ResumeTest(std::size_t size = 300'000) : layer_(noise(size)) {
    fake_.add_image("app", "1", "{}", {layer_});
    part_ = str("/blobs/", digest().text());
    request_.source_key = "1";
    request_.sink_key = "copied";
    request_.platform = {"linux", "amd64", "", ""};
    request_.retry.first_delay = milliseconds(1);
  }

  Digest digest() const { return Digest::of(layer_); }
  CopyResult copy() { return copy_image(source_, sink_, request_, {{}, observer_}); }
  void expect_copied() {
    copy();
    EXPECT_TRUE(sink_.state()->blobs[digest()] == layer_) << "the blob is not what it should be";
    EXPECT_EQ(sink_.state()->commits, 1);
  }
  void cut(std::size_t at, int times = 1) {
    fake_.alter(
        part_, [at](HttpReply& reply) { reply.cut_after = at; }, times);
  }
  /// What the requests for the layer asked for; empty for all of it.
  std::vector<std::string> ranges() {
    std::vector<std::string> found;
    for (const auto& request : fake_.requests_for(part_)) found.push_back(request.header("range"));
    return found;
  }

  static ConnectionOptions options() {
    ConnectionOptions options = fake_options();
    options.stall_timeout = seconds(1);
    return options;
  }

  std::string layer_;
  std::string part_;
  FakeRegistry fake_;
  Repository source_{fake_.reference("app"), options()};
  KeepingSink sink_;
  NotesObserver observer_;
  CopyRequest request_;
};

TEST_F(ResumeTest, ACutStreamIsContinuedFromItsByte) {
  for (const std::size_t at : {1U, 65536U, 150'000U, 299'999U}) {
    sink_.state()->blobs.clear();
    sink_.state()->commits = 0;
    const std::size_t before = ranges().size();
    cut(at);
    expect_copied();
    const auto asked = ranges();
    ASSERT_EQ(asked.size(), before + 2) << at;
    EXPECT_EQ(asked.back(), str("bytes=", at, '-'));
  }
}

TEST_F(ResumeTest, ACutBeforeTheFirstByteIsAskedForAsAWhole) {
  cut(0);
  expect_copied();
  EXPECT_THAT(ranges(), ElementsAre("", ""));
}

TEST_F(ResumeTest, AStallIsAFaultLikeAnother) {
  fake_.alter(part_, [](HttpReply& reply) {
    reply.cut_after = 100'000;
    reply.stall = true;
  });
  expect_copied();
  EXPECT_THAT(ranges(), ElementsAre("", "bytes=100000-"));
}

TEST_F(ResumeTest, WhatAnEarlierProcessKeptIsNotFetchedAgain) {
  sink_.state()->kept[digest()] = layer_.substr(0, 200'000);
  EXPECT_EQ(copy().bytes_fetched, 100'002U) << "the rest of the layer, and the config";
  EXPECT_TRUE(sink_.state()->blobs[digest()] == layer_);
  EXPECT_THAT(ranges(), ElementsAre("bytes=200000-"));
}

TEST_F(ResumeTest, AWholeThatWasKeptIsOnlyVerified) {
  sink_.state()->kept[digest()] = layer_;
  const CopyResult result = copy();
  EXPECT_EQ(result.blobs_reused, 1U);
  EXPECT_EQ(result.bytes_fetched, 2U);
  EXPECT_THAT(ranges(), IsEmpty());
  EXPECT_TRUE(sink_.state()->blobs[digest()] == layer_);
}

TEST_F(ResumeTest, AnAnswerFromTheBeginningIsNotAppended) {
  sink_.state()->kept[digest()] = layer_.substr(0, 200'000);
  fake_.alter(part_, [this](HttpReply& reply) { reply = HttpReply{.body = layer_}; });
  expect_copied();
  EXPECT_THAT(ranges(), ElementsAre("bytes=200000-"));
}

TEST_F(ResumeTest, AnotherRangeThanWasAskedForIsNotTaken) {
  for (const char* range : {"bytes 199999-299998/300000", "bytes 200000-299999/300001",
                            "bytes 200000-299998/300000", "bytes 200000-299999/*", "", "200000"}) {
    sink_.state()->blobs.clear();
    sink_.state()->commits = 0;
    sink_.state()->kept[digest()] = layer_.substr(0, 200'000);
    const std::size_t before = ranges().size();
    fake_.alter(part_, [&](HttpReply& reply) {
      reply.headers.clear();
      reply.header("Content-Range", range);
    });
    expect_copied();
    const auto asked = ranges();
    ASSERT_EQ(asked.size(), before + 2) << range;
    EXPECT_EQ(asked.back(), "") << "the whole is asked for";
  }
  EXPECT_THAT(observer_.notes(), IsEmpty()) << "it never came to a wrong digest";
}

TEST_F(ResumeTest, ARangeThatCannotBeSatisfiedMeansTheWhole) {
  sink_.state()->kept[digest()] = layer_.substr(0, 200'000);
  fake_.script(part_, error_reply(416, "RANGE", "no").header("Content-Range", "bytes */300000"));
  expect_copied();
  EXPECT_THAT(ranges(), ElementsAre("bytes=200000-", ""));
}

TEST_F(ResumeTest, PiecesThatDoNotFitAreFetchedAfreshOnce) {
  std::string damaged = layer_.substr(0, 200'000);
  damaged[1000] ^= 1;
  sink_.state()->kept[digest()] = damaged;
  expect_copied();
  EXPECT_THAT(ranges(), ElementsAre("bytes=200000-", ""));
  ASSERT_EQ(observer_.notes().size(), 1U);
  EXPECT_THAT(observer_.notes()[0], HasSubstr("fetching it afresh"));
}

TEST_F(ResumeTest, WrongBytesFromTheRegistryAreFetchedAfreshOnceOnly) {
  sink_.state()->kept[digest()] = layer_.substr(0, 200'000);
  fake_.alter(
      part_, [](HttpReply& reply) { reply.body.back() ^= 1; }, 10);
  EXPECT_THROW(copy(), Refused);
  EXPECT_THAT(ranges(), ElementsAre("bytes=200000-", ""));
  EXPECT_FALSE(sink_.state()->kept.contains(digest()));
}

TEST_F(ResumeTest, ASignatureThatRanOutSendsUsBackToTheRegistry) {
  FakeRegistry storage;
  storage.add_blob(layer_);
  storage.add_blob("{}");
  fake_.redirect_blobs(storage.url() + "/storage/");
  const std::string stored = str("/storage/", digest().text());
  storage.alter(stored, [](HttpReply& reply) { reply.cut_after = 100'000; });
  storage.script(stored, error_reply(403, "AccessDenied", "Request has expired"));
  expect_copied();
  EXPECT_THAT(ranges(), ElementsAre("", "bytes=100000-", "bytes=100000-"));
  EXPECT_EQ(storage.requests_for(stored).size(), 3U);
}

TEST_F(ResumeTest, WhatABlobHostRefusesIsNoMatterOfCredentials) {
  FakeRegistry storage;
  fake_.redirect_blobs(storage.url() + "/storage/");
  storage.script("/storage/", error_reply(403, "AccessDenied", "expired"), 100);
  const auto elsewhere = error_of<HttpError>([&] { copy(); });
  EXPECT_EQ(elsewhere.status(), 403);
  EXPECT_FALSE(elsewhere.unauthorized());

  FakeRegistry closed;
  closed.script("/blobs/", error_reply(403, "DENIED", "no"), 100);
  Repository repository(closed.reference("app"), options());
  const auto here = error_of<HttpError>([&] { repository.blob(closed.add_blob("x")); });
  EXPECT_TRUE(here.unauthorized());
  EXPECT_FALSE(here.retryable());
}

TEST_F(ResumeTest, AWaitThatTheServerAsksForIsSaid) {
  fake_.script(part_, error_reply(429, "TOOMANYREQUESTS", "slow down").header("Retry-After", "1"));
  expect_copied();
  ASSERT_EQ(observer_.notes().size(), 1U);
  EXPECT_THAT(observer_.notes()[0], HasSubstr("429 TOOMANYREQUESTS: slow down"));
  EXPECT_THAT(observer_.notes()[0], HasSubstr("waiting 1 s"));
}

TEST_F(ResumeTest, AFailingWorkerStopsOneThatIsStalled) {
  // One worker takes the largest layer; the other one the config, then the small layer.
  const std::string small = noise(1000);
  fake_.add_image("app", "1", "{}", {layer_, small});
  ConnectionOptions patient = fake_options();
  patient.stall_timeout = seconds(3600);
  Repository source(fake_.reference("app"), patient);
  request_.jobs = 2;
  fake_.script(part_, HttpReply{.stall = true});
  fake_.script(str("/blobs/", Digest::of(small).text()), error_reply(404, "BLOB_UNKNOWN", "gone"));
  EXPECT_THROW(copy_image(source, sink_, request_, {{}, observer_}), NotFound);
  EXPECT_EQ(ranges().size(), 1U) << "the stalled one was under way";
}

/// With a layer of several MiB.
class LongResumeTest : public ResumeTest {
 protected:
  LongResumeTest() : ResumeTest(9 << 20) {}
};

TEST_F(LongResumeTest, AttemptsCountAnewAfterProgress) {
  request_.retry.attempts = 2;
  cut(3 << 19, 5);
  expect_copied();
  EXPECT_EQ(ranges().size(), 6U);
}

TEST_F(LongResumeTest, ADribbleIsNoProgress) {
  request_.retry.attempts = 3;
  cut(1000, 100);
  EXPECT_THROW(copy(), HttpError);
  EXPECT_EQ(ranges().size(), 3U);
  EXPECT_EQ(sink_.state()->kept[digest()].size(), 3000U) << "and none of it is lost";
}

TEST(RateLimiter, SharesOneBudget) {
  RateLimiter limiter(1000);
  const RateLimiter::Clock::time_point start{std::chrono::hours(1)};
  EXPECT_EQ(limiter.book(500, start), start + milliseconds(500));
  EXPECT_EQ(limiter.book(500, start), start + seconds(1)) << "the second worker waits for both";
  EXPECT_EQ(limiter.book(100, start + seconds(10)), start + milliseconds(10'100))
      << "what was not used is not saved up";
  EXPECT_EQ(limiter.piece(), 100U);
  EXPECT_EQ(RateLimiter(1).piece(), 1U);
}

TEST(RateLimiter, AWaitEndsWhenAsked) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW(RateLimiter(1).take(1'000'000, stop.get_token()), Cancelled);
}

TEST_F(ResumeTest, ALimitIsKeptWithoutAStall) {
  // Slower than what counts as a stall: the waiting is ours, not the server's.
  RateLimiter limiter(20);
  const Descriptor small = fake_.add_blob(noise(24));
  fake_.add_image("app", "1", "{}", {noise(24)});
  request_.limiter = &limiter;
  copy();
  EXPECT_TRUE(sink_.state()->blobs.contains(small.digest));
  EXPECT_EQ(fake_.requests_for(small.digest.text()).size(), 1U);
}

HttpError error_with(int status, const std::string& name, const std::string& value) {
  Response response{.url = *Url::parse("https://registry.example/v2/"), .status = status};
  response.headers.add(name, value);
  return make_http_error(response);
}

TEST(RateLimitReset, TellsHowLongToWait) {
  EXPECT_EQ(error_with(429, "RateLimit-Reset", "30").retry_after(), seconds(30));
  EXPECT_EQ(error_with(429, "RateLimit-Reset", "1000000000").retry_after(), seconds(0))
      << "a time that has passed";
  EXPECT_FALSE(error_with(429, "RateLimit-Reset", "soon").retry_after());
  EXPECT_FALSE(error_with(503, "RateLimit-Reset", "30").retry_after()) << "not what was used up";
}

TEST(Backoff, CanBeFixed) {
  const RetryPolicy policy{
      .attempts = 9, .first_delay = milliseconds(100), .backoff = Backoff::fixed};
  const HttpError error({.status = 503, .retryable = true}, "x");
  EXPECT_LE(*delay_before_retry(policy, 8, error), milliseconds(125));
}

}  // namespace
}  // namespace lade::registry
