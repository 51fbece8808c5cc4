#include "base/broadcast.hpp"

#include "base/concurrency.hpp"
#include "base/error.hpp"

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <memory>

namespace lade {

namespace {

/// How many pieces of k_copy_buffer the fastest taker may be ahead of the slowest.
constexpr std::size_t k_most_pieces = 16;

using Piece = std::shared_ptr<const std::vector<std::byte>>;

/// What the reader and the takers share.
class Channel {
 public:
  explicit Channel(std::size_t takers) : state_(std::in_place) {
    state_.lock()->takers.resize(takers);
  }

  /// Hands a piece to all; false if nobody is left.
  bool put(const Piece& piece, const std::stop_token& stop) {
    auto state = state_.lock();
    changed_.wait(state.guard(), stop, [&] { return state->has_room(); });
    if (stop.stop_requested()) throw Cancelled();
    bool taken = false;
    for (Taker& taker : state->takers) {
      if (taker.gone) continue;
      taker.pieces.push_back(piece);
      taken = true;
    }
    changed_.notify_all();
    return taken;
  }

  /// No more will come: since all was put, or since it cannot be.
  void close(bool complete) {
    auto state = state_.lock();
    state->closed = true;
    state->complete = complete;
    changed_.notify_all();
  }

  /// The next piece for a taker; null at the end.
  Piece take(std::size_t index) {
    auto state = state_.lock();
    Taker& taker = state->takers[index];
    changed_.wait(state.guard(), [&] { return !taker.pieces.empty() || state->closed; });
    if (taker.pieces.empty()) {
      if (!state->complete) throw Error("the stream that it was read from failed");
      return nullptr;
    }
    Piece piece = std::move(taker.pieces.front());
    taker.pieces.pop_front();
    changed_.notify_all();
    return piece;
  }

  void leave(std::size_t index) {
    auto state = state_.lock();
    state->takers[index].gone = true;
    state->takers[index].pieces.clear();
    changed_.notify_all();
  }

 private:
  struct Taker {
    std::deque<Piece> pieces;
    bool gone = false;
  };
  struct State {
    std::vector<Taker> takers;
    bool closed = false;
    bool complete = false;

    bool has_room() const {
      return std::all_of(takers.begin(), takers.end(), [](const Taker& taker) {
        return taker.gone || taker.pieces.size() < k_most_pieces;
      });
    }
  };

  Sync<State> state_;
  std::condition_variable_any changed_;
};

/// A taker's end of it.
class ChannelSource final : public Source {
 public:
  ChannelSource(Channel& channel, std::size_t index) : channel_(channel), index_(index) {}
  ChannelSource(const ChannelSource&) = delete;
  ChannelSource& operator=(const ChannelSource&) = delete;
  ~ChannelSource() override { channel_.leave(index_); }

  std::size_t read(std::span<std::byte> buffer) override {
    if (finished_) return 0;
    if (!piece_ || position_ == piece_->size()) {
      piece_ = channel_.take(index_);
      position_ = 0;
    }
    if (!piece_) {
      finished_ = true;
      return 0;
    }
    const std::size_t count = std::min(buffer.size(), piece_->size() - position_);
    std::memcpy(buffer.data(), piece_->data() + position_, count);
    position_ += count;
    return count;
  }

 private:
  Channel& channel_;
  std::size_t index_;
  Piece piece_;
  std::size_t position_ = 0;
  bool finished_ = false;
};

void feed(Channel& channel, Source& source, const std::stop_token& stop) {
  for (;;) {
    std::vector<std::byte> buffer(k_copy_buffer);
    const std::size_t count = source.read(buffer);
    if (count == 0) return channel.close(true);
    buffer.resize(count);
    const auto piece = std::make_shared<const std::vector<std::byte>>(std::move(buffer));
    if (!channel.put(piece, stop)) return channel.close(false);
  }
}

}  // namespace

std::vector<std::exception_ptr> broadcast(Source& source,
                                          std::span<const std::function<void(Source&)>> takers,
                                          const std::stop_token& stop) {
  Channel channel(takers.size());
  std::vector<std::exception_ptr> failures(takers.size());
  std::exception_ptr source_failure;
  // All at the same time, the reader first; nothing is thrown inside, so nobody is stopped halfway.
  parallel_for_each(takers.size() + 1, takers.size() + 1, {}, [&](std::size_t i, const auto&) {
    try {
      if (i == 0) return feed(channel, source, stop);
      ChannelSource bytes(channel, i - 1);
      takers[i - 1](bytes);
    } catch (...) {
      (i == 0 ? source_failure : failures[i - 1]) = std::current_exception();
      if (i == 0) channel.close(false);
    }
  });
  if (source_failure) std::rethrow_exception(source_failure);
  return failures;
}

}  // namespace lade
