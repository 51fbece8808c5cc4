// Streams read ahead by one thread and used by another.
#pragma once

#include "base/concurrency.hpp"
#include "base/pieces.hpp"

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

namespace lade {

/// Streams, one after the other, as pieces of a few buffers that go round: no byte is copied. One
/// thread writes and one reads; what the writer runs into reaches the reader in its place.
class PieceQueue final : public PieceSource {
 public:
  /// `pieces` of k_piece bytes are what the writer may be ahead; `stop` ends all waiting.
  PieceQueue(std::size_t pieces, std::stop_token stop);

  // ---- the writer's

  /// Writes one stream to its end, or to where the reader has abandoned it: false then, and what
  /// comes of it in the end is to be said by end() or fail(). Throws what `source` throws,
  /// Cancelled.
  bool write(Source& source);
  /// The stream has come to its end.
  void end();
  /// The stream cannot be read on: the reader gets the exception. It is the last one.
  void fail(std::exception_ptr failure);

  // ---- the reader's

  /// Empty at the end of a stream; what comes next is the next stream's. Throws what was given to
  /// fail(), Cancelled.
  std::span<const std::byte> next() override;
  /// Drops what is left of the stream of this number, counted from 0 and the one that is being read
  /// or has been; waits until the writer has said what came of it. Throws as next() does, unless
  /// that has thrown it already.
  void abandon(std::size_t stream);

 private:
  struct Item {
    std::size_t buffer = 0;
    std::size_t size = 0;  ///< bytes; 0: the end, or the failure
    std::exception_ptr failure;
  };
  struct State {
    std::deque<Item> items;
    std::vector<std::size_t> free;  ///< buffers that nobody uses
    std::size_t written = 0;        ///< streams that have come to their end
    std::size_t wanted = 0;         ///< the first stream that the reader still wants
  };

  void put(Item item);
  void release();
  bool is_wanted(const State& state) const { return state.written >= state.wanted; }

  std::stop_token stop_;
  std::vector<std::vector<std::byte>> buffers_;
  Sync<State> state_;
  std::condition_variable_any changed_;
  std::optional<std::size_t> lent_;  // the buffer that the reader has
  std::size_t read_ = 0;             // streams that the reader has seen the end of
  bool failed_ = false;              // the reader knows of a failure
};

}  // namespace lade
