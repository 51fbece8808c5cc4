#include "base/piece_queue.hpp"

#include "base/error.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

namespace lade {
namespace {

/// So many bytes, each told by its place.
class CountingSource final : public Source {
 public:
  explicit CountingSource(std::size_t size) : left_(size) {}
  std::size_t read(std::span<std::byte> buffer) override {
    // In odd pieces: those that are lent are full all the same.
    const std::size_t count = std::min({buffer.size(), left_, std::size_t{10'007}});
    for (std::size_t i = 0; i < count; ++i) buffer[i] = static_cast<std::byte>(next_++ % 251);
    left_ -= count;
    return count;
  }
  std::size_t left() const { return left_; }

 private:
  std::size_t left_;
  std::size_t next_ = 0;
};

/// Reads a stream to its end; its size.
std::size_t read_stream(PieceQueue& queue) {
  std::size_t size = 0;
  for (;;) {
    const auto piece = queue.next();
    if (piece.empty()) return size;
    for (std::size_t i = 0; i < piece.size(); i += 101) {
      EXPECT_EQ(piece[i], static_cast<std::byte>((size + i) % 251));
    }
    size += piece.size();
  }
}

TEST(PieceQueue, StreamsOneAfterTheOther) {
  const std::vector<std::size_t> sizes = {10, 0, 5 * k_piece + 3, k_piece, 1, 12 * k_piece};
  PieceQueue queue(3, {});
  std::jthread writer([&] {
    for (const std::size_t size : sizes) {
      CountingSource source(size);
      EXPECT_TRUE(queue.write(source));
      queue.end();
    }
  });
  for (const std::size_t size : sizes) EXPECT_EQ(read_stream(queue), size);
}

TEST(PieceQueue, AFailureComesAfterWhatCameBefore) {
  PieceQueue queue(4, {});
  CountingSource source(2 * k_piece);
  EXPECT_TRUE(queue.write(source));
  queue.fail(std::make_exception_ptr(Refused("broken")));
  EXPECT_EQ(queue.next().size(), k_piece);
  EXPECT_EQ(queue.next().size(), k_piece);
  EXPECT_THROW(queue.next(), Refused);
  queue.abandon(0);  // nothing more can come
}

TEST(PieceQueue, AbandoningWaitsForWhatCameOfIt) {
  for (const bool fails : {false, true}) {
    PieceQueue queue(3, {});
    CountingSource source(std::size_t{1} << 40U);
    std::jthread writer([&] {
      EXPECT_FALSE(queue.write(source)) << "a stream without end, unless somebody ends it";
      if (fails) return queue.fail(std::make_exception_ptr(Refused("broken")));
      queue.end();
      CountingSource second(k_piece + 5);
      EXPECT_TRUE(queue.write(second));
      queue.end();
    });
    EXPECT_EQ(queue.next().size(), k_piece);
    if (fails) {
      EXPECT_THROW(queue.abandon(0), Refused);
      continue;
    }
    queue.abandon(0);
    EXPECT_EQ(read_stream(queue), k_piece + 5) << "the next one is whole";
  }
}

TEST(PieceQueue, AbandoningOneThatIsThereAsAWhole) {
  PieceQueue queue(8, {});
  for (const std::size_t size : {3 * k_piece, k_piece}) {
    CountingSource source(size);
    EXPECT_TRUE(queue.write(source));
    queue.end();
  }
  EXPECT_EQ(queue.next().size(), k_piece);
  queue.abandon(0);
  EXPECT_EQ(read_stream(queue), k_piece);
}

TEST(PieceQueue, AbandoningOneWhoseEndWasSeenWaitsForNothing) {
  PieceQueue queue(8, {});
  for (const std::size_t size : {k_piece, 2 * k_piece}) {
    CountingSource source(size);
    EXPECT_TRUE(queue.write(source));
    queue.end();
  }
  EXPECT_EQ(read_stream(queue), k_piece);
  queue.abandon(0);
  EXPECT_EQ(read_stream(queue), 2 * k_piece) << "the next one is still wanted";
  queue.abandon(1);  // nothing more will come
}

TEST(PieceQueue, NobodyWaitsForEverWhenStopped) {
  std::stop_source stop;
  PieceQueue queue(2, stop.get_token());
  std::jthread writer([&] {
    CountingSource source(10 * k_piece);
    EXPECT_THROW(queue.write(source), Cancelled);
  });
  EXPECT_EQ(queue.next().size(), k_piece);
  stop.request_stop();
  EXPECT_THROW(
      for (;;) { queue.next(); }, Cancelled);
}

}  // namespace
}  // namespace lade
