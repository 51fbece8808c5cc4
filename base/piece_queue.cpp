#include "base/piece_queue.hpp"

#include "base/error.hpp"

#include <utility>

namespace lade {

PieceQueue::PieceQueue(std::size_t pieces, std::stop_token stop)
    : stop_(std::move(stop)), buffers_(pieces), state_(std::in_place) {
  auto state = state_.lock();
  for (std::size_t i = 0; i < pieces; ++i) state->free.push_back(i);
}

bool PieceQueue::write(Source& source) {
  for (;;) {
    Item item;
    {
      auto state = state_.lock();
      changed_.wait(state.guard(), stop_,
                    [&] { return !state->free.empty() || !is_wanted(*state); });
      if (stop_.stop_requested()) throw Cancelled();
      if (!is_wanted(*state)) return false;
      item.buffer = state->free.back();
      state->free.pop_back();
    }
    auto& buffer = buffers_[item.buffer];
    buffer.resize(k_piece);  // memory only for as many as are ever used
    try {
      item.size = read_full(source, buffer);
    } catch (...) {
      state_.lock()->free.push_back(item.buffer);
      throw;
    }
    if (item.size == 0) {
      state_.lock()->free.push_back(item.buffer);
      return true;
    }
    put(std::move(item));
  }
}

void PieceQueue::put(Item item) {
  const bool is_last = item.size == 0;
  auto state = state_.lock();
  state->items.push_back(std::move(item));
  if (is_last) ++state->written;
  changed_.notify_all();
}

void PieceQueue::end() {
  put({});
}

void PieceQueue::fail(std::exception_ptr failure) {
  put({0, 0, std::move(failure)});
}

void PieceQueue::release() {
  if (!lent_) return;
  auto state = state_.lock();
  state->free.push_back(*lent_);
  lent_.reset();
  changed_.notify_all();
}

std::span<const std::byte> PieceQueue::next() {
  release();
  Item item;
  {
    auto state = state_.lock();
    changed_.wait(state.guard(), stop_, [&] { return !state->items.empty(); });
    if (stop_.stop_requested()) throw Cancelled();
    item = std::move(state->items.front());
    state->items.pop_front();
  }
  if (item.failure) {
    failed_ = true;
    std::rethrow_exception(item.failure);
  }
  if (item.size == 0) {
    ++read_;
    return {};
  }
  lent_ = item.buffer;
  return std::span(buffers_[item.buffer]).first(item.size);
}

void PieceQueue::abandon(std::size_t stream) {
  if (failed_ || read_ > stream) return;
  {
    auto state = state_.lock();
    state->wanted = stream + 1;
    changed_.notify_all();
  }
  while (!next().empty()) {
  }
}

}  // namespace lade
