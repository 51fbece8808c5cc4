#include "base/broadcast.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <gtest/gtest.h>

namespace lade {
namespace {

using Taker = std::function<void(Source&)>;

/// Gives `size` bytes, and then an error if it is to fail.
class LongSource final : public Source {
 public:
  enum class End { good, bad };
  LongSource(std::size_t size, End end) : left_(size), end_(end) {}
  std::size_t read(std::span<std::byte> buffer) override {
    const std::size_t count = std::min(buffer.size(), left_);
    for (std::size_t i = 0; i < count; ++i) buffer[i] = static_cast<std::byte>((left_ - i) % 251);
    left_ -= count;
    if (count == 0 && end_ == End::bad) throw Refused("the digest is wrong");
    return count;
  }
  std::size_t left() const { return left_; }

 private:
  std::size_t left_;
  End end_;
};

std::string all_of(std::size_t size) {
  LongSource source(size, LongSource::End::good);
  return read_all(source, size, "it");
}

constexpr std::size_t k_size = 5'000'001;

TEST(Broadcast, EveryTakerGetsEveryByte) {
  LongSource source(k_size, LongSource::End::good);
  std::vector<std::string> taken(3);
  std::vector<Taker> takers;
  for (std::string& text : taken) {
    takers.emplace_back([&text](Source& bytes) {
      // Pieces of odd sizes, unlike those that are read.
      std::vector<std::byte> buffer(1237);
      while (const std::size_t count = bytes.read(buffer)) {
        text += as_text(std::span(buffer).first(count));
      }
      EXPECT_EQ(bytes.read(buffer), 0u);
    });
  }
  for (const auto& failure : broadcast(source, takers, {})) EXPECT_FALSE(failure);
  const std::string expected = all_of(k_size);
  for (const std::string& text : taken) EXPECT_TRUE(text == expected);
}

TEST(Broadcast, ATakerThatFailsDisturbsNobody) {
  LongSource source(k_size, LongSource::End::good);
  std::string taken;
  const std::vector<Taker> takers{
      [](Source& bytes) {
        std::byte first{};
        bytes.read({&first, 1});
        throw InvalidData("full");
      },
      [&](Source& bytes) { taken = read_all(bytes, k_size, "it"); },
      [](Source&) {},  // takes nothing
  };
  const auto failures = broadcast(source, takers, {});
  EXPECT_THROW(std::rethrow_exception(failures[0]), InvalidData);
  EXPECT_FALSE(failures[1]);
  EXPECT_FALSE(failures[2]);
  EXPECT_TRUE(taken == all_of(k_size));
}

TEST(Broadcast, NobodyIsReadForWhenAllAreGone) {
  LongSource source(k_size, LongSource::End::good);
  const std::vector<Taker> takers{[](Source&) { throw InvalidData("full"); },
                                  [](Source&) { throw InvalidData("full"); }};
  broadcast(source, takers, {});
  EXPECT_GT(source.left(), 0u);
}

TEST(Broadcast, NoTakerSeesTheEndOfAStreamThatFailed) {
  LongSource source(k_size, LongSource::End::bad);
  int ended = 0;
  const Taker taker = [&](Source& bytes) {
    read_all(bytes, k_size, "it");
    ++ended;
  };
  EXPECT_THROW(broadcast(source, std::vector<Taker>(2, taker), {}), Refused);
  EXPECT_EQ(ended, 0);
}

TEST(Broadcast, StopsWhenAsked) {
  LongSource source(k_size, LongSource::End::good);
  std::stop_source stop;
  const std::vector<Taker> takers{[&](Source& bytes) {
    std::byte first{};
    bytes.read({&first, 1});
    stop.request_stop();
    read_all(bytes, k_size, "it");
  }};
  EXPECT_THROW(broadcast(source, takers, stop.get_token()), Cancelled);
}

}  // namespace
}  // namespace lade
